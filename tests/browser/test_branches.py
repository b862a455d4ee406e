"""Versions of questions and answers on the page: made, chosen and continued, with and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.chat import Chat, overflows

PHONE = {"width": 320, "height": 640}


def version(chat: Chat, number: int, count: int) -> Any:
    return chat.page.get_by_role("group", name=f"Version {number} of {count}")


async def test_versions_of_an_answer_are_chosen_by_keyboard(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    first = await chat.answer.get_attribute("data-message")
    await expect(chat.previous_button).to_have_count(0)
    await chat.regenerate_button.click()
    await expect(chat.regenerate_button).to_be_hidden()
    await expect(version(chat, 2, 2)).to_be_visible()
    await expect(chat.box).to_be_focused()
    second = await chat.answer.get_attribute("data-message")
    assert await chat.messages.count() == 2
    await chat.edit_button.click()
    await chat.edit_box.fill("half an edit")
    await chat.previous_button.focus()
    await chat.previous_button.press("Enter")
    await expect(version(chat, 1, 2)).to_be_visible()
    await expect(chat.edit_box).to_have_value("half an edit")  # though the messages are others now
    await expect(chat.answer).to_have_attribute("data-message", first or "")
    await expect(chat.previous_button).to_be_disabled()
    await expect(chat.next_button).to_be_focused()
    await chat.page.reload()
    await expect(chat.answer).to_have_attribute("data-message", first or "")
    await chat.next_button.click()
    await expect(chat.answer).to_have_attribute("data-message", second or "")
    await expect(chat.previous_button).to_be_focused()
    assert second not in (None, first)


async def test_an_edited_message_can_be_undone_and_continued(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.ask("words again")
    await chat.is_idle()
    await chat.edit("markup instead")
    await expect(version(chat, 2, 2)).to_be_visible()
    await expect(chat.questions).to_have_count(1)
    await expect(chat.text).to_have_text(MARKUP)
    await chat.previous_button.click()
    await expect(chat.questions).to_have_count(2)
    await expect(chat.questions.first).to_contain_text("words please")
    await expect(chat.text).to_have_text(WORDS)
    await chat.ask("markup now")
    await expect(chat.text).to_have_text(MARKUP)
    await chat.is_idle()
    before = await chat.page.locator(".chat-parts, .chat-branch").all_inner_texts()
    await chat.page.reload()
    await expect(chat.questions).to_have_count(3)
    assert await chat.page.locator(".chat-parts, .chat-branch").all_inner_texts() == before


async def test_escape_leaves_an_edit_and_enter_sends_it(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.edit_button.press("Enter")
    await expect(chat.edit_box).to_be_focused()
    await expect(chat.edit_box).to_have_value("words please")
    await chat.edit_box.fill("markup instead")
    await chat.edit_box.press("Escape")
    await expect(chat.edit_button).to_be_focused()
    await expect(chat.questions).to_contain_text("words please")
    await chat.edit_button.click()
    await expect(chat.edit_box).to_have_value("markup instead")
    await chat.edit_box.press("Enter")
    await expect(chat.text).to_have_text(MARKUP)
    await expect(version(chat, 2, 2)).to_be_visible()
    await expect(chat.questions).to_have_count(1)


async def test_a_message_sent_while_the_version_changes_stays_in_the_box(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.regenerate_button.click()
    await expect(version(chat, 2, 2)).to_be_visible()
    async with chat.page.expect_request("**/branch"):
        await chat.page.evaluate("""() => {
            document.querySelector("[name=branch]").click();
            document.querySelector(".chat-composer").elements.prompt.value = "too soon";
            document.querySelector(".chat-send").click();
        }""")
    await expect(version(chat, 1, 2)).to_be_visible()
    assert await chat.messages.count() == 2
    await expect(chat.box).to_have_value("too soon")


async def test_a_changed_version_keeps_its_place_on_the_screen(chat: Chat) -> None:
    await chat.ask("lines please")
    await chat.is_idle()
    await chat.ask("words please")
    await chat.is_idle()
    await chat.edit("lines again", 1)
    await expect(version(chat, 2, 2)).to_be_visible()
    await chat.previous_button.click()
    await expect(version(chat, 1, 2)).to_be_visible()
    await expect(chat.questions.last).to_contain_text("words please")
    place = (await chat.next_button.bounding_box() or {})["y"]
    await chat.next_button.click()  # to a version that is much longer
    await expect(version(chat, 2, 2)).to_be_visible()
    assert abs((await chat.next_button.bounding_box() or {})["y"] - place) < 2
    await expect(chat.jump_button).to_be_visible()


async def test_a_version_is_not_changed_while_another_device_gets_an_answer(open_chat: Any, chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.regenerate_button.click()
    await expect(version(chat, 2, 2)).to_be_visible()
    other: Chat = await open_chat(chat.page.url, storage_state=await chat.page.context.storage_state())
    await other.ask("hang in the middle")
    await other.has_begun()
    await chat.previous_button.click()
    await expect(chat.note).to_contain_text("An answer is still being written")
    await expect(version(chat, 2, 2)).to_be_visible()
    await chat.edit("markup instead")
    await expect(chat.note).to_contain_text("An answer is still being written")
    await expect(chat.edit_box).to_have_value("markup instead")
    await other.stop_button.click()
    await other.is_idle()
    await chat.previous_button.click()
    await expect(version(chat, 1, 2)).to_be_visible()
    await expect(chat.note).to_have_count(0)


@pytest.mark.parametrize("has_script", [True, False])
async def test_versions_work_on_a_narrow_screen_and_without_javascript(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script, viewport=PHONE)
    await chat.box.fill("words please")
    await chat.send_button.click()
    await expect(chat.text).to_have_text(WORDS)
    await chat.is_idle()
    await chat.regenerate_button.click()
    await expect(version(chat, 2, 2)).to_be_visible()
    first, second = "1/2", "2/2"
    await expect(chat.answer.locator(".chat-branch")).to_have_text(re.compile(second))
    await chat.previous_button.click()
    await expect(chat.answer.locator(".chat-branch")).to_have_text(re.compile(first))
    await chat.edit("unbroken " + "y" * 200)
    await expect(chat.text).to_have_text("x" * 600)
    await expect(chat.questions.locator(".chat-branch")).to_have_text(re.compile(second))
    await chat.edit_button.click()
    for part in ("html", "body", ".chat-log", ".chat-main"):
        assert not await overflows(chat.page.locator(part))
    await expect(chat.edit_box).to_be_focused()
    await chat.page.get_by_role("button", name="Cancel").click()
    await expect(chat.edit_box).to_have_count(0)
    await chat.previous_button.click()
    await expect(chat.text).to_have_text(WORDS)
    await expect(chat.questions.locator(".chat-branch")).to_have_text(re.compile(first))
    await expect(chat.answer.locator(".chat-branch")).to_have_text(re.compile("2/2|1/2"))
