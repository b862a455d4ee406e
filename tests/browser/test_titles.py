"""A title that a model finds after the first answer comes to the list and to the tab without a reload."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from tests.browser.by_prompt import TITLE
from tests.browser.chat import Chat

PROMPT = "markup to be named"


async def _titles(chat: Chat) -> list[str]:
    response = await chat.page.request.get("/api/chat")
    return [one["title"] for one in (await response.json())["conversations"]]


async def test_a_title_that_comes_late_is_shown_without_a_reload(chat: Chat) -> None:
    page = chat.page
    await page.clock.install()
    await chat.ask(PROMPT)
    await chat.is_idle()
    heading, link = page.get_by_role("heading", level=1), page.locator(".chat-listed > [aria-current]")
    async with asyncio.timeout(15):
        while await _titles(chat) != [TITLE]:  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.05)
    await page.evaluate("document.body.dataset.isSame = ''")
    await page.clock.fast_forward(4_000)  # the page looks for a title then
    for shown in (heading, link):
        await expect(shown).to_have_text(TITLE)
    await expect(page).to_have_title(TITLE)
    await expect(page.locator("body[data-is-same]")).to_have_count(1)
    assert await chat.messages.count() == 2
