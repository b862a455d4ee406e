"""Chats in pages of a site's own, under the Content Security Policies of Django 6 and of django-csp."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.chat import Chat
from tests.servers import Site, environment, manage, serve

ADA = "from django.contrib.auth.models import User; User.objects.create_user('ada', password='lace')"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """Returns the site with the policy that somebody makes, as in `hosts("django")`. Each starts at its first use."""
    running: dict[str, Site] = {}
    with contextlib.ExitStack() as stack:

        def host(csp: str) -> Site:
            if csp not in running:
                directory = tmp_path_factory.mktemp("host")
                env = {"CSP": csp}
                settings = "tests.browser.host"
                manage(environment(settings, directory / "site.sqlite3", env), "collectstatic", "--noinput")
                running[csp] = stack.enter_context(serve("uvicorn", directory, settings=settings, env=env))
                running[csp].manage("shell", "-c", ADA)
            return running[csp]

        yield host


@pytest.fixture
def site(hosts: Callable[[str], Site], request: pytest.FixtureRequest) -> Site:
    return hosts(getattr(request, "param", "package"))


async def sign_in(page: Page) -> None:
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password").fill("lace")
    await page.get_by_role("button", name="Sign in").click()


async def opened(open_chat: Any, path: str) -> Chat:
    """The page, for somebody who has signed in."""
    chat: Chat = await open_chat(f"/login/?next={path}")
    await sign_in(chat.page)
    await chat.page.wait_for_url(path)
    return chat


@pytest.mark.parametrize("site", ["django", "package"], indirect=True)
async def test_the_page_works_under_a_strict_policy_with_a_nonce(open_chat: Any) -> None:
    chat = await opened(open_chat, "/")
    await chat.ask("words please")
    await expect(chat.text).to_have_text(WORDS)
    assert await chat.page.locator("script[type=importmap]").count() == 1
    display = "element => getComputedStyle(element).display"
    assert await chat.page.locator("streaming-chat").evaluate(display) == "grid"


async def test_a_visitor_who_must_sign_in_is_told_before_typing(open_chat: Any) -> None:
    chat: Chat = await open_chat("/shop/")
    await expect(chat.page.get_by_text("Sign in to chat.")).to_be_visible()
    await expect(chat.box).to_have_count(0)
    await chat.page.get_by_role("link", name="Sign in").click()
    await sign_in(chat.page)
    await expect(chat.page).to_have_url(re.compile(r"/shop/$"))
    await expect(chat.box).to_be_visible()


async def test_an_embedded_chat_finds_its_conversation_after_a_reload(open_chat: Any) -> None:
    chat = await opened(open_chat, "/shop/")
    await chat.ask("slow please")
    await chat.has_begun()
    await chat.page.reload()
    await expect(chat.text).to_have_text(WORDS)
    await chat.is_idle()
    await chat.ask("markup please")
    await chat.is_idle()
    await chat.page.reload()
    await expect(chat.questions).to_have_count(2)
    await _reload_with_a_queued_message(chat, "markup queued")
    await expect(chat.questions).to_have_count(3)
    await chat.is_idle()
    await expect(chat.messages).to_have_count(6)
    await expect(chat.questions.last.locator(".chat-parts")).to_have_text("markup queued")
    await chat.page.get_by_role("button", name="New conversation").click()
    await expect(chat.messages).to_have_count(0)
    await chat.page.reload()
    await expect(chat.box).to_be_visible()
    await expect(chat.messages).to_have_count(0)


async def test_a_new_conversation_has_nothing_of_the_one_before_it(open_chat: Any) -> None:
    chat = await opened(open_chat, "/shop/")
    await chat.ask("markup first")
    await chat.is_idle()
    element = chat.page.locator("streaming-chat")
    first = await element.get_attribute("data-conversation")
    await element.evaluate("chat => { chat.messages.append(chat.clone('context')) }")
    await chat.page.route("**/api/chat?html=1", lambda route: route.abort())
    await chat.ask("markup second")
    await expect(chat.note).to_be_visible()
    await expect(chat.box).to_have_value("markup second")
    asked, is_begun = asyncio.Event(), asyncio.Event()

    async def delay(route: Route) -> None:
        asked.set()
        response = await route.fetch()
        await is_begun.wait()
        await route.fulfill(response=response)

    await chat.page.route(re.compile(f"/chat/{first}/"), delay)
    await element.evaluate("chat => { window.renewed = chat.tabs.renew() }")
    await asyncio.wait_for(asked.wait(), 30)
    await chat.page.get_by_role("button", name="New conversation").click()
    is_begun.set()
    await chat.page.evaluate("renewed")
    await expect(chat.page.locator(".chat-messages > :not(.chat-greeting)")).to_have_count(0)
    await chat.page.unroute_all()
    await chat.box.press("Enter")
    await expect(chat.text).to_have_text(MARKUP)
    await chat.is_idle()
    await expect(element).not_to_have_attribute("data-conversation", first or "")


async def test_a_message_that_is_sent_while_the_chat_is_found_comes_below_the_earlier_ones(open_chat: Any) -> None:
    chat = await opened(open_chat, "/shop/")
    await chat.ask("markup first")
    await chat.is_idle()
    key = await chat.page.locator("streaming-chat").get_attribute("data-conversation")
    is_answered = asyncio.Event()

    async def delay(route: Route) -> None:
        response = await route.fetch()
        await is_answered.wait()
        await route.fulfill(response=response)

    await chat.page.route(re.compile(f"/chat/{key}/?$"), delay)
    await chat.page.reload()
    await chat.ask("markup second")
    await expect(chat.text).to_have_text(MARKUP)
    await chat.is_idle()
    await expect(chat.messages).to_have_count(2)
    is_answered.set()
    await expect(chat.questions.locator(".chat-text")).to_have_text(["markup first", "markup second"])
    await expect(chat.messages).to_have_count(4)
    assert await chat.distance_from_end() < 2
    await chat.ask("markup third")
    await expect(chat.messages).to_have_count(6)
    await chat.is_idle()
    await chat.page.unroute_all()


async def _reload_with_a_queued_message(chat: Chat, prompt: str) -> None:
    """Reloads the page. The site is away at first. Then the messages are late, and as old as the request for them."""

    is_away, is_loaded = asyncio.Event(), asyncio.Event()

    async def delay(route: Route) -> None:
        if route.request.resource_type != "fetch":
            return await route.fallback()
        if not is_away.is_set():
            is_away.set()
            return await route.fulfill(status=503)
        response = await route.fetch()
        is_loaded.set()
        await asyncio.sleep(1)
        await route.fulfill(response=response)

    async def post(route: Route) -> None:
        await is_loaded.wait()
        await route.continue_()

    key = await chat.page.locator("streaming-chat").get_attribute("data-conversation")
    kept = json.dumps({"items": [{"id": "queued-before", "prompt": prompt, "files": []}], "waits": False})
    await chat.page.evaluate("kept => sessionStorage.setItem(...kept)", [f"streaming-chat queue {key}", kept])
    await chat.page.route(re.compile(f"{key}/?$"), delay)
    await chat.page.route("**/api/chat?html=1", post)
    await chat.page.reload()


async def test_a_host_page_stays_at_its_top_and_sets_the_height(open_chat: Any) -> None:
    chat = await opened(open_chat, "/shop/")
    await expect(chat.box).to_be_enabled()
    assert await chat.page.evaluate("[scrollY, document.activeElement.tagName]") == [0, "BODY"]
    height = "element => { document.documentElement.style.setProperty('--chat-height', '300px'); return %s }"
    element = chat.page.locator("streaming-chat")
    assert await element.evaluate(height % "element.clientHeight") == 300


async def test_the_pages_fit_between_a_header_and_a_footer(open_chat: Any) -> None:
    chat = await opened(open_chat, "/")
    await expect(chat.box).to_be_focused()
    assert await chat.page.evaluate("scrollY") == 0
    await expect(chat.page.get_by_text("The shop's footer")).to_be_in_viewport()


async def test_two_chats_fit_one_page(open_chat: Any) -> None:
    chat = await opened(open_chat, "/shop/?two")
    ids = await chat.page.evaluate("Array.from(document.querySelectorAll('[id]'), ({ id }) => id)")
    assert len(ids) == len(set(ids))
    assert {"chat", "second"} <= set(ids)
    await expect(chat.page.get_by_role("region", name="Chat")).to_have_count(2)
    for name, prompt in (("chat", "words please"), ("second", "unbroken please")):
        box = chat.page.locator(f"#{name}").get_by_label("Message", exact=True)
        await box.fill(prompt)
        await box.press("Enter")
    for _ in range(2):
        await expect(chat.page.locator("#chat .chat-text").last).to_have_text(WORDS)
        await expect(chat.page.locator("#second .chat-text").last).to_have_text("x" * 600)
        await expect(chat.page.locator("#second article")).to_have_count(2)
        await chat.page.reload()


async def test_a_host_page_sends_stops_and_hears_what_happens(open_chat: Any) -> None:
    chat = await opened(open_chat, "/shop/")
    element = chat.page.locator("streaming-chat")
    await element.evaluate("""element => {
        window.heard = [];
        const note = ({ type, detail }) => heard.push([type, detail.text ?? detail.status ?? detail.message]);
        for (const name of ["message", "finish", "error"]) document.addEventListener(`chat:${name}`, note);
    }""")
    assert await element.evaluate("element => element.send('words please')") is True
    await expect(chat.text).to_have_text(WORDS)
    assert await element.evaluate("element => element.send('   ')") is False
    await element.evaluate("element => { element.send('hang please') }")
    await chat.has_begun()
    assert await element.evaluate("element => element.send('too soon')") is False
    await element.evaluate("element => element.stop()")
    await chat.is_idle()
    await element.evaluate("element => element.send('busy please')")
    assert await chat.page.evaluate("heard") == [
        ["chat:message", "words please"],
        ["chat:finish", "finished"],
        ["chat:message", "hang please"],
        ["chat:finish", "cancelled"],
        ["chat:message", "busy please"],
        ["chat:error", "The model is busy. Try again in a moment."],
        ["chat:finish", "failed"],
    ]
