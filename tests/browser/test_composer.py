"""The boxes in which people write: at large text sizes, with very large texts, and while another answer is written."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat, overflows

PHONE = {"width": 360, "height": 700}
WAIT = "An answer is still being written in this conversation. Wait for it, or stop it."
PASTE = "(text) => document.execCommand('insertText', false, text)"
# How far apart the middles of the controls are, in height.
SPREAD = """all => {
  const middle = ({ top, bottom }) => (top + bottom) / 2;
  const seen = all.filter((one) => one.checkVisibility());
  const middles = seen.map((one) => middle(one.getBoundingClientRect()));
  return Math.max(...middles) - Math.min(...middles);
}"""
DIRECTION = "box => getComputedStyle(box).unicodeBidi"
SHOW = "text => document.querySelector('streaming-chat').add('user').text('x', text)"
WATCH = f"""box => box.addEventListener("input", () => (window.seen = ({DIRECTION})(box)), {{ capture: true }})"""


@pytest.mark.parametrize("has_picker", [True, False])
async def test_the_controls_stay_in_one_row_at_twice_the_text_size(open_chat: Any, has_picker: bool) -> None:
    chat: Chat = await open_chat("/", viewport=PHONE)
    await chat.page.evaluate("document.documentElement.style.fontSize = '200%'")
    if not has_picker:
        await chat.page.evaluate("document.querySelector('.chat-picker').remove()")
    await chat.box.fill("steady")
    controls = ".chat-attach, .chat-picker, .chat-send, .chat-enqueue, .chat-stop"
    assert await chat.page.locator(controls).evaluate_all(SPREAD) < 4
    await chat.send_button.click()
    await chat.has_begun()
    await chat.box.fill("and then")
    await expect(chat.page.get_by_role("button", name="Send after this answer")).to_be_visible()
    assert await chat.page.locator(controls).evaluate_all(SPREAD) < 4
    assert not await overflows(chat.page.locator("html"))
    box, composer = [await one.bounding_box() or {} for one in (chat.box, chat.page.locator(".chat-composer"))]
    assert box["width"] > 0.8 * composer["width"]


async def test_a_very_large_text_has_one_direction_and_a_usual_one_has_one_for_each_line(chat: Chat) -> None:
    large = "word " * 30_000
    await chat.box.focus()
    await chat.page.evaluate(PASTE, large)
    assert await chat.box.evaluate(DIRECTION) == "isolate"
    await chat.box.fill("words please")
    assert await chat.box.evaluate(DIRECTION) == "plaintext"
    await chat.box.press("Enter")
    await chat.is_idle()
    await chat.edit_button.click()
    assert await chat.edit_box.evaluate(DIRECTION) == "plaintext"
    await chat.page.evaluate(PASTE, large)
    assert await chat.edit_box.evaluate(DIRECTION) == "isolate"


async def test_a_box_has_one_direction_before_a_large_text_is_pasted(open_chat: Any) -> None:
    """The browser lays the text out before it reports the input."""
    chat: Chat = await open_chat("/", permissions=["clipboard-read", "clipboard-write"])
    await chat.page.evaluate("text => navigator.clipboard.writeText(text)", "word " * 30_000)
    await chat.box.evaluate(WATCH)
    await chat.box.press("Control+v")
    await expect(chat.box).to_have_value("word " * 30_000)
    assert await chat.page.evaluate("window.seen") == "isolate"


async def test_a_large_question_has_one_direction_and_a_usual_one_has_one_for_each_line(chat: Chat) -> None:
    text = chat.questions.last.locator(".chat-text")
    for question, direction in (("A word.", "plaintext"), ("word " * 30_000, "isolate")):
        await chat.page.evaluate(SHOW, question)
        assert await text.evaluate(DIRECTION) == direction


async def test_an_edit_that_must_wait_for_an_answer_says_so(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.edit_button.click()
    await chat.edit_box.fill("markup instead")
    told = chat.questions.first.get_by_text(WAIT)
    await expect(told).to_be_hidden()
    await chat.ask("hang on")
    await chat.has_begun()
    await expect(told).to_be_visible()
    await chat.edit_box.press("Enter")
    await expect(chat.status).to_have_text(WAIT)
    await expect(chat.edit_box).to_have_value("markup instead")
    await chat.stop_button.click()
    await chat.is_idle()
    await expect(told).to_be_hidden()
    await chat.edit_box.press("Enter")
    await expect(chat.questions.first).to_contain_text("markup instead")


async def test_the_greeting_is_read_from_its_beginning_however_large_the_text_is(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport=PHONE)
    await chat.page.evaluate("document.documentElement.style.fontSize = '200%'")
    await expect(chat.page.get_by_text("What would you like to know?")).to_be_in_viewport(ratio=1)
