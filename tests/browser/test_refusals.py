"""The page says so, and stops, when the site answers with something else than was asked for."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.chat import Chat

LOGIN = "<!doctype html><title>Sign in</title><form><input name=password></form>"
SIGNED_OUT = "You are not signed in any more. Sign in again to go on."
GONE = "This is no longer here. It may have been deleted."
UNEXPECTED = (
    "The site answered with something else than was asked for. Reload this page; you may have to sign in again."
)
# What is in front of the site, or the site itself, may answer -> what people then read.
RESPONSES: dict[str, tuple[dict[str, Any], str]] = {
    "401": ({"status": 401, "content_type": "text/plain", "body": "Sign in to chat."}, SIGNED_OUT),
    "404": ({"status": 404, "content_type": "text/html", "body": "<h1>Not found</h1>"}, GONE),
    "a sentence": ({"status": 403, "content_type": "text/plain", "body": "Not from here."}, "Not from here."),
    "a login page": ({"status": 200, "content_type": "text/html", "body": LOGIN}, UNEXPECTED),
    "a redirect": ({"status": 302, "headers": {"location": "/login/?next=/"}}, SIGNED_OUT),
    "a redirect elsewhere": ({"status": 302, "headers": {"location": "https://sso.example.org/"}}, SIGNED_OUT),
}


async def refuse(chat: Chat, path: str, response: dict[str, Any]) -> list[str]:
    """Lets requests of the script for `path` get `response`. Returns the list of these requests, which grows."""
    asked: list[str] = []

    async def fulfil(route: Route) -> None:
        if route.request.resource_type != "fetch":
            return await route.continue_()
        asked.append(route.request.url)
        await route.fulfill(**response)

    await chat.page.route(path, fulfil)
    return asked


async def was_asked_once(chat: Chat, asked: list[str]) -> None:
    """Fails if the page asks again within a minute. Its first pause would be half a second."""
    await chat.page.clock.fast_forward(60_000)
    await chat.page.evaluate("fetch('/streaming/health')")  # a later request than any that is due now
    assert len(asked) == 1


@pytest.mark.parametrize("kind", RESPONSES)
async def test_a_message_that_the_site_does_not_take_stays_in_the_box(chat: Chat, kind: str) -> None:
    response, text = RESPONSES[kind]
    asked = await refuse(chat, "**/api/chat?html=1", response)
    await chat.ask("words please")
    await expect(chat.note).to_have_text(text)
    await expect(chat.box).to_have_value("words please")
    await expect(chat.note.locator("xpath=..").get_by_role("link", name="Sign in")).to_have_count(
        int(text == SIGNED_OUT)
    )
    await chat.is_idle()
    assert len(asked) == 1


async def test_a_message_is_still_in_the_box_after_signing_in(chat: Chat) -> None:
    await refuse(chat, "**/api/chat?html=1", RESPONSES["a redirect"][0])
    await chat.ask("words please")
    await chat.answer.get_by_role("link", name="Sign in").click()
    await expect(chat.page).to_have_url(re.compile(r"/login/\?next=%2F$"))
    await chat.page.unroute_all()
    await chat.page.goto("/")
    await expect(chat.box).to_have_value("words please")
    await chat.box.press("Enter")
    await chat.is_idle()
    await expect(chat.messages).to_have_count(2)


@pytest.mark.parametrize("kind", ["401", "404", "a login page", "a redirect elsewhere"])
async def test_a_stream_that_the_site_does_not_open_is_not_asked_for_again(chat: Chat, kind: str) -> None:
    response, text = RESPONSES[kind]
    await chat.ask("hang please")
    await chat.has_begun()
    asked = await refuse(chat, "**/stream?html=1", response)
    await chat.box.fill("not lost")
    await chat.page.clock.install()
    await chat.page.reload()
    await expect(chat.note).to_have_text(text)
    await chat.is_idle()
    await expect(chat.box).to_have_value("not lost")
    await was_asked_once(chat, asked)


@pytest.mark.parametrize("kind", ["a login page", "404"])
async def test_a_page_without_messages_ends_the_search_for_them(chat: Chat, kind: str) -> None:
    response, text = RESPONSES[kind]
    await chat.ask("hang please")
    await chat.has_begun()
    await refuse(chat, "**/stream?html=1", {"status": 204})
    asked = await refuse(chat, f"{chat.page.url}?from=*", response)
    await chat.page.clock.install()
    await chat.page.reload()
    await expect(chat.note).to_have_text(text)
    await chat.is_idle()
    await was_asked_once(chat, asked)


async def test_a_draft_is_kept_for_each_conversation(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.box.fill("half a thought")
    await chat.page.get_by_role("link", name="New conversation").click()
    await expect(chat.box).to_have_value("")
    await chat.box.fill("another one")
    await chat.page.go_back()
    await expect(chat.box).to_have_value("half a thought")
    await chat.page.get_by_role("link", name="New conversation").click()
    await expect(chat.box).to_have_value("another one")


async def test_each_line_has_its_own_direction(chat: Chat) -> None:
    """English begins at the left edge and Arabic at the right edge, in one message."""
    await chat.box.fill("Hello there, how are you today?\nسلام")
    await chat.send_button.click()
    await chat.is_idle()
    text = chat.questions.locator(".chat-text")
    edges = await text.evaluate("""element => {
        const node = element.firstChild, at = node.data.indexOf("\\n"), box = element.getBoundingClientRect();
        const edge = (from, to) => {
            const range = document.createRange();
            range.setStart(node, from); range.setEnd(node, to);
            const { left, right } = range.getBoundingClientRect();
            return [Math.abs(left - box.left) < 2, Math.abs(right - box.right) < 2];
        };
        return [edge(0, at)[0], edge(at + 1, node.length)];
    }""")
    assert edges == [True, [False, True]]
