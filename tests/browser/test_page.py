"""The page: composer, scrolling, refusals, narrow screens, screen readers, and no JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.by_prompt import WORDS
from tests.browser.chat import Chat, overflows

PHONE = {"width": 390, "height": 700}


async def test_enter_sends_and_shift_enter_does_not(chat: Chat) -> None:
    await chat.box.fill("words")
    await chat.box.press("Shift+Enter")
    await chat.box.press_sequentially("two")
    await expect(chat.box).to_have_value("words\ntwo")
    await chat.box.press("Enter")
    await expect(chat.questions).to_have_text(re.compile("words\ntwo"))
    await expect(chat.box).to_have_value("")


@pytest.mark.parametrize("composing", [{"isComposing": True}, {"keyCode": 229}])
async def test_enter_that_ends_a_composition_does_not_send(chat: Chat, composing: dict[str, Any]) -> None:
    await chat.box.fill("にほん")
    event = {"key": "Enter", "bubbles": True, "cancelable": True, **composing}
    await chat.box.evaluate("(box, event) => box.dispatchEvent(new KeyboardEvent('keydown', event))", event)
    await expect(chat.messages).to_have_count(0)
    await expect(chat.box).to_have_value("にほん")


async def test_on_a_touch_screen_enter_makes_a_new_line(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", has_touch=True, is_mobile=True, viewport=PHONE)
    await chat.ask("words")
    await expect(chat.messages).to_have_count(0)
    await chat.send_button.tap()
    await expect(chat.messages).to_have_count(2)


async def test_nothing_is_sent_without_text_and_what_is_sent_while_answering_waits(chat: Chat) -> None:
    await chat.ask("  ")
    await expect(chat.messages).to_have_count(0)
    await chat.ask("hang please")
    await chat.has_begun()
    await chat.ask("  ")
    await chat.ask("a second one")
    await expect(chat.page.locator(".chat-queued-text")).to_have_text(["a second one"])
    await expect(chat.messages).to_have_count(2)


async def test_a_composition_that_is_left_does_not_stop_the_answer_but_escape_does(chat: Chat) -> None:
    await expect(chat.send_button).to_be_disabled()
    await chat.box.fill("hang please")
    await chat.send_button.focus()
    await chat.page.keyboard.press("Enter")
    await chat.has_begun()
    await expect(chat.box).to_be_focused()
    event = {"key": "Escape", "bubbles": True, "cancelable": True, "isComposing": True}
    async with chat.page.expect_request("**/stop") as stopped:
        await chat.box.evaluate("(box, event) => box.dispatchEvent(new KeyboardEvent('keydown', event))", event)
        await chat.stop_button.dispatch_event("click", {"detail": 2})
        assert not stopped.is_done()
        await chat.stop_button.press("Enter")
    await expect(chat.note).to_have_text("Stopped.")
    await expect(chat.box).to_be_focused()


async def test_the_box_grows_with_its_text(chat: Chat) -> None:
    one_line = (await chat.box.bounding_box() or {})["height"]
    await chat.box.fill("\n".join("abcdef"))
    assert (await chat.box.bounding_box() or {})["height"] > 3 * one_line


async def test_growing_text_is_followed_until_the_reader_scrolls_up(chat: Chat) -> None:
    await chat.ask("lines please")
    await chat.has_begun("Line 40")
    assert await chat.distance_from_end() < 64  # the last lines may not have been drawn yet
    await expect(chat.jump_button).to_be_hidden()
    await chat.log.hover()
    await chat.page.mouse.wheel(0, -120)
    await expect(chat.jump_button).to_be_visible()
    place = await chat.log.evaluate("log => log.scrollTop")
    await chat.has_begun("Line 120")
    assert await chat.log.evaluate("log => log.scrollTop") <= place
    await chat.jump_button.click()
    assert await chat.distance_from_end() < 2
    await expect(chat.jump_button).to_be_hidden()


async def test_scrolling_back_to_the_end_and_sending_both_follow_again(chat: Chat) -> None:
    await chat.ask("lines please")
    await chat.is_idle()
    await chat.log.press("PageUp")
    await expect(chat.jump_button).to_be_visible()
    await chat.log.press("End")
    await expect(chat.jump_button).to_be_hidden()
    await chat.log.press("Home")
    await expect(chat.jump_button).to_be_visible()
    await expect(chat.log).to_have_js_property("scrollTop", 0)
    await chat.ask("words please")
    await expect(chat.jump_button).to_be_hidden()
    await chat.is_idle()
    assert await chat.distance_from_end() < 2


async def test_the_messages_scroll_and_the_page_does_not(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport=PHONE)
    for prompt in ("lines please", "words please"):
        await chat.ask(prompt)
        await chat.is_idle()
    await chat.log.evaluate("log => log.scrollTop = 0")
    assert await chat.page.evaluate("document.documentElement.scrollHeight") == PHONE["height"]


async def test_a_long_conversation_opens_at_its_end(chat: Chat) -> None:
    await chat.ask("lines please")
    await chat.is_idle()
    await chat.page.reload()
    assert await chat.distance_from_end() < 2


async def test_a_failed_provider_is_named_in_the_message_with_a_way_to_go_on(chat: Chat) -> None:
    await chat.ask("busy today")
    await expect(chat.note).to_have_text("The model is busy. Try again in a moment.")
    await chat.page.reload()
    await expect(chat.note).to_have_text("The model is busy. Try again in a moment.")
    await chat.retry_button.click()
    await expect(chat.note).to_have_text("The model is busy. Try again in a moment.")
    assert await chat.messages.count() == 2


async def test_an_answer_without_a_word_says_so(chat: Chat) -> None:
    await chat.ask("mute please")
    for _ in range(2):
        await expect(chat.note).to_have_text("The model gave no answer.")
        await expect(chat.retry_button).to_be_visible()
        await chat.page.reload()


async def test_a_broken_answer_is_kept_and_can_be_written_again(chat: Chat) -> None:
    await chat.ask("lost on the way")
    await expect(chat.note).to_have_text("The connection to the model broke off. What arrived is kept.")
    assert "word3" in await chat.written()
    await chat.retry_button.click()
    await expect(chat.retry_button).to_be_visible()
    assert await chat.messages.count() == 2


async def test_a_refused_message_goes_back_into_the_box(chat: Chat) -> None:
    await chat.ask("x" * 2001)
    await expect(chat.note).to_have_text("The message has 2001 characters; at most 2000 are accepted.")
    await expect(chat.box).to_have_value("x" * 2001)
    await expect(chat.questions).to_have_count(0)
    await expect(chat.page).to_have_url(re.compile(r"/$"))
    await chat.ask("words please")
    await chat.is_idle()
    assert await chat.messages.count() == 2


async def test_a_refused_message_does_not_replace_what_was_typed_meanwhile(chat: Chat) -> None:
    async def type_meanwhile(route: Route) -> None:
        await chat.box.fill("typed meanwhile")
        await route.fulfill(status=403, content_type="text/plain", body="Not now.")

    await chat.page.route("**/api/chat?html=1", type_meanwhile)
    await chat.ask("words please")
    await expect(chat.note).to_have_text("Not now.")
    await expect(chat.box).to_have_value("words please\n\ntyped meanwhile")


async def test_only_finished_answers_are_announced(chat: Chat) -> None:
    announcer = chat.page.locator(".chat-announcer")
    await announcer.evaluate(
        """element => { window.heard = [];
            new MutationObserver(() => heard.push(element.textContent)).observe(element, {childList: true}) }"""
    )
    await chat.ask("words please")
    await expect(chat.status).to_have_text("The assistant is answering.")
    await expect(chat.answer).to_have_attribute("aria-busy", "true")
    await chat.is_idle()
    await expect(chat.status).to_have_text("The answer is complete.")
    assert await chat.page.evaluate("heard") == [WORDS]


async def test_announced_blocks_are_apart(chat: Chat) -> None:
    await chat.ask("What happens")
    announcer = chat.page.locator(".chat-announcer")
    await expect(announcer).to_contain_text("database.")
    assert re.search(r"database\.\s+When", await announcer.text_content() or "")


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_is_wider_than_the_screen(open_chat: Any, width: int) -> None:
    chat: Chat = await open_chat("/", viewport={"width": width, "height": 700})
    for prompt in ("unbroken " + "y" * 300, "formula please"):
        await chat.ask(prompt)
        await chat.is_idle()
    for part in ("html", "body", ".chat-log", ".chat-main"):
        assert not await overflows(chat.page.locator(part))


async def test_on_a_narrow_screen_the_list_is_a_drawer(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport=PHONE)
    await chat.ask("words please")
    await chat.is_idle()
    link = chat.page.get_by_role("link", name="New conversation")
    await expect(link).to_be_hidden()
    await chat.page.get_by_role("button", name="Conversations").click()
    await expect(link).to_be_visible()
    await link.click()
    await expect(chat.page.get_by_text("What would you like to know?")).to_be_visible()


async def test_a_drawer_that_is_open_does_not_cover_a_window_that_becomes_wide(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport=PHONE)
    await chat.page.get_by_role("button", name="Conversations").click()
    await chat.page.set_viewport_size({"width": 1000, "height": 600})
    assert (await chat.page.locator(".chat-sidebar").bounding_box() or {})["width"] < 300
    await chat.box.click()
    assert (await chat.box.bounding_box() or {})["x"] > 300
    await expect(chat.page.get_by_role("link", name="New conversation")).to_be_visible()


async def test_without_javascript_one_can_ask_and_read(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("slow please")
    await chat.send_button.click()
    await expect(chat.page).to_have_url(re.compile(r"/chat/[0-9a-f]{32}/$"))
    seen = await chat.growth(30)
    assert seen[-1] == WORDS
    assert len(seen) > 2
    assert WORDS.startswith(seen[0].strip())
    await expect(chat.questions).to_contain_text("slow please")


async def test_without_javascript_one_can_stop_and_try_again(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("hang please")
    await chat.send_button.click()
    await chat.has_begun()
    await chat.stop_button.click()
    await expect(chat.note).to_have_text("Stopped.")
    await chat.retry_button.click()
    await expect(chat.stop_button).to_be_visible()
    await chat.has_begun()
    assert await chat.messages.count() == 2


async def test_without_javascript_a_refused_message_stays_in_the_box(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("x" * 2001)
    await chat.send_button.click()
    await expect(chat.note).to_have_text("The message has 2001 characters; at most 2000 are accepted.")
    await expect(chat.box).to_have_value("x" * 2001)


async def test_without_javascript_a_long_conversation_opens_at_its_end(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("lines please")
    await chat.send_button.click()
    await chat.has_begun("Line 120")
    box = await chat.text.bounding_box()
    assert box is not None
    assert box["y"] < 0
    assert box["y"] + box["height"] < 900
