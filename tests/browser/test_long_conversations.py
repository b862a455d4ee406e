"""The line above which the model is not sent the messages any more."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import expect

from tests.browser.chat import Chat, overflows

ABOVE = "el => el.nextElementSibling.textContent"


async def _talk(chat: Chat, *prompts: str) -> None:
    for prompt in prompts:
        await chat.ask(prompt)
        await chat.is_idle()


async def test_line_appears_when_older_messages_are_not_sent_and_stays(chat: Chat) -> None:
    await _talk(chat, "markup", "forget me")
    line = chat.page.locator(".chat-messages > .chat-context")
    await expect(chat.text).to_have_text("What was it again?")
    for _ in range(2):
        await expect(line).to_have_text("The model is not sent the messages above any more.")
        assert "forget me" in await line.evaluate(ABOVE)
        await chat.page.reload()
    async with chat.page.expect_request(re.compile(r"\?limit=2&before=")):  # as it was written, not as it is shown
        await chat.messages.nth(1).locator(".chat-copy").click()
    await _talk(chat, "markup", "forget that, too")
    await expect(line).to_have_count(1)
    assert "forget that" in await line.evaluate(ABOVE)


async def test_summary_can_be_read_after_a_reload(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport={"width": 390, "height": 800})
    await chat.page.get_by_label("Model").select_option("Thorough")
    await _talk(chat, "markup", "forget me")
    line = chat.page.locator(".chat-messages > .chat-context")
    await expect(line).to_have_text("The model reads a summary in place of the messages above.")
    await chat.page.reload()
    await expect(line.locator("details")).not_to_have_attribute("open", "")
    await line.locator("summary").click()
    await expect(line.locator(".chat-text")).to_have_text("They counted words.")
    assert not await overflows(chat.page.locator("body"))
