"""The key presses of the page, on keyboards of any alphabet."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat


async def test_key_presses_are_listed_and_work(chat: Chat) -> None:
    shortcuts = chat.page.get_by_role("dialog", name="Keyboard shortcuts")
    await chat.box.press("?")
    await expect(chat.box).to_have_value("?")
    await expect(shortcuts).to_be_hidden()
    await chat.box.fill("words please")
    await chat.box.press("Enter")
    await chat.is_idle()
    await chat.log.focus()
    await chat.page.keyboard.press("?")
    await expect(shortcuts).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(shortcuts).to_be_hidden()
    await chat.page.keyboard.press("Shift+Escape")
    await expect(chat.box).to_be_focused()
    await chat.page.keyboard.press("ArrowUp")
    await expect(chat.edit_box).to_be_focused()
    await expect(chat.edit_box).to_have_value("words please")
    await chat.page.keyboard.press("Escape")
    await chat.page.keyboard.press("Control+k")
    await expect(chat.page.get_by_label("Search conversations")).to_be_focused()
    await chat.page.keyboard.press("Control+Shift+O")
    await expect(chat.page.get_by_text("What would you like to know?")).to_be_visible()


@pytest.mark.parametrize(("search", "fresh", "shortcuts"), [("л", "Щ", "?"), ("κ", "Ο", "?"), ("ن", "خ", "؟")])
async def test_key_presses_work_on_keyboards_with_other_letters(
    chat: Chat, search: str, fresh: str, shortcuts: str
) -> None:
    await chat.log.focus()
    await _press(chat, shortcuts, "Digit7", shiftKey=True)
    await expect(chat.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await _press(chat, search, "KeyK", ctrlKey=True)
    await expect(chat.page.get_by_label("Search conversations")).to_be_focused()
    await chat.page.goto("/?q=else")
    await _press(chat, fresh, "KeyO", ctrlKey=True, shiftKey=True)
    await expect(chat.page).to_have_url(re.compile("/$"))


async def test_the_first_tab_leads_past_the_list_and_the_messages(chat: Chat) -> None:
    await chat.ask("lines please")
    await chat.is_idle()
    await chat.page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    await chat.page.keyboard.press("Tab")
    skip = chat.page.get_by_role("link", name="Skip to the latest message")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport(ratio=1)
    await chat.page.keyboard.press("Enter")
    await chat.page.keyboard.press("Tab")
    assert await chat.page.evaluate("document.activeElement.closest('form')?.className") == "chat-composer"


async def test_a_latin_letter_counts_wherever_its_key_is(chat: Chat) -> None:
    await _press(chat, "t", "KeyK", ctrlKey=True)  # on a Dvorak keyboard
    await expect(chat.box).to_be_focused()
    await _press(chat, "k", "KeyV", ctrlKey=True)
    await expect(chat.page.get_by_label("Search conversations")).to_be_focused()


async def _press(chat: Chat, key: str, code: str, **modifiers: bool) -> None:
    """Presses a key that Playwright's keyboard, an American one, does not have."""
    script = "init => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', init))"
    await chat.page.evaluate(script, {"key": key, "code": code, "bubbles": True, "cancelable": True, **modifiers})
