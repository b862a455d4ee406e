"""The htmx app of docs/clients.md, with htmx and its SSE extension."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.by_prompt import MARKUP, STOPPED, WORDS
from tests.browser.examples.conftest import OpenPage
from tests.cable import Cable
from tests.servers import Site

ADA = "from django.contrib.auth.models import User; User.objects.create_user('ada', password='lace')"
STORED = "**/htmx/message/*/"


@pytest.fixture(scope="module")
def ada(site: Site) -> dict[str, Any]:
    """The browser state of a user who has signed in."""
    site.manage("shell", "--verbosity", "0", "-c", ADA)
    with httpx.Client(base_url=site.url) as browser:
        browser.get("/login/")
        form = {"username": "ada", "password": "lace", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/login/", data=form).status_code == 302
        session = {"name": "sessionid", "value": browser.cookies["sessionid"], "domain": "127.0.0.1", "path": "/"}
    return {"storage_state": {"cookies": [session]}}


@pytest_asyncio.fixture(loop_scope="session")
async def chat(open_page: OpenPage, ada: dict[str, Any]) -> Page:
    """A new conversation of Ada's."""
    return await open_page(f"/htmx/{uuid.uuid4()}/", **ada)


async def ask(page: Page, prompt: str) -> None:
    await page.get_by_label("Message").fill(prompt)
    await page.get_by_label("Message").press("Enter")


async def test_a_reload_and_a_cut_neither_lose_nor_repeat_text(
    open_page: OpenPage, site: Site, ada: dict[str, Any]
) -> None:
    async with Cable(site) as cable:
        page = await open_page("/htmx/cut/", base=cable.url, **ada)
        answer, streamed = page.locator("[data-role=assistant]"), page.locator("[sse-swap=text]")
        await ask(page, "steady <i>please</i>")
        await expect(streamed).to_contain_text("word5")
        await expect(page.locator("[data-role=user]")).to_have_text("steady <i>please</i>")
        await expect(page.get_by_label("Message")).to_have_value("")
        await page.route(STORED, lambda route: None)  # without a response, the streamed text stays on the page
        await page.reload()
        await expect(streamed).to_contain_text("word9")
        cable.cut()
        cable.mend()
        await expect(streamed).to_have_text(WORDS)
        await page.unroute(STORED)
        await page.reload()
        await expect(answer).to_have_text(WORDS)
        await expect(page.get_by_role("button", name="Stop")).to_have_count(0)


async def test_lines_and_blanks_are_kept_while_it_streams(chat: Page) -> None:
    await ask(chat, "And if I press Stop?")
    streamed = chat.locator("[sse-swap=text]")
    await expect(streamed).to_contain_text("It does not")
    assert (await streamed.inner_text()).startswith(STOPPED[: STOPPED.index("It does not")])


async def test_markup_stays_text(chat: Page) -> None:
    await chat.evaluate("globalThis.alert = () => document.body.append('BROKEN INTO')")
    await chat.route(STORED, lambda route: None)
    await ask(chat, "tags please")
    streamed = chat.locator("[sse-swap=text]")
    await expect(streamed).to_have_text(MARKUP)
    assert await streamed.locator("*").count() == 0
    await chat.unroute(STORED)
    await chat.reload()
    await expect(chat.locator("[data-role=assistant]")).to_have_text(MARKUP)
    await expect(chat.locator("[data-role=assistant] :is(b, img, script)")).to_have_count(0)
    await expect(chat.get_by_text("BROKEN INTO")).to_have_count(0)


async def test_refusals_are_shown_and_stop_keeps_the_text(chat: Page) -> None:
    await ask(chat, "hang please")
    await expect(chat.locator("[sse-swap=text]")).to_contain_text("word4")
    await ask(chat, "another one")
    await expect(chat.get_by_role("alert")).to_contain_text("still being written")
    await expect(chat.get_by_label("Message")).to_have_value("another one")
    await chat.get_by_role("button", name="Stop").click()
    await expect(chat.locator("[data-role=assistant]")).to_contain_text("Stopped.")
    await expect(chat.locator("[data-role=assistant]")).to_contain_text("word4")


async def test_a_failure_says_why_and_other_people_see_nothing(chat: Page, open_page: OpenPage) -> None:
    await ask(chat, "busy please")
    await expect(chat.get_by_role("alert")).to_contain_text("is busy")
    await ask(chat, "hang please")
    address = await chat.locator("[sse-connect]").get_attribute("sse-connect")
    assert address
    stranger = await open_page("/login/")
    assert "/login/" in (await stranger.goto(address) or pytest.fail("no answer")).url
