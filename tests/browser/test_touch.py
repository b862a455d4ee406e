"""The page on a phone."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from tests.browser.chat import Chat

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 390, "height": 700}}
# Safari on a phone enlarges the page around a focused field with smaller text.
SMALL = """() => [...document.querySelectorAll("input:not([type=hidden], [type=file]), textarea, select")]
    .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16).map(({ name }) => name)"""


async def test_no_field_makes_a_phone_enlarge_the_page(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", **PHONE)
    await chat.box.fill("mail please")
    await chat.send_button.tap()
    await expect(chat.page.get_by_placeholder("Reason (optional)")).to_have_count(2)
    await chat.edit_button.tap()
    await chat.page.get_by_role("button", name="Conversations").tap()
    await chat.page.get_by_role("button", name="Options of “mail please”").tap()
    await expect(chat.page.get_by_label("Title", exact=True)).to_be_visible()
    assert await chat.page.evaluate(SMALL) == []


async def test_a_phone_promises_no_key_that_it_does_not_have(open_chat: Any) -> None:
    """Enter makes a new line there, so its key must not say that it sends."""
    chat: Chat = await open_chat("/", **PHONE)
    assert await chat.box.evaluate("box => box.enterKeyHint") == ""
    await expect(chat.page.get_by_role("button", name="Keyboard shortcuts")).to_be_hidden()
