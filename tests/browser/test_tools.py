"""Approval of tool calls on the page: with a click, after a reload, and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, expect

from tests.browser.chat import Chat, overflows


def card(chat: Chat, at: int) -> Locator:
    return chat.answer.locator("details.chat-tool").nth(at)


async def decide(chat: Chat, at: int, choice: str) -> None:
    await card(chat, at).get_by_label(choice).check()


async def asks(chat: Chat) -> None:
    for at in (0, 1):
        await expect(card(chat, at)).to_have_attribute("data-state", "approval-requested")
    await expect(card(chat, 0)).to_contain_text("Waits for you")
    await expect(card(chat, 0).get_by_role("group", name="May this be done?")).to_be_visible()


async def is_decided(chat: Chat) -> None:
    await expect(card(chat, 0)).to_have_attribute("data-state", "output-available")
    await expect(card(chat, 0).locator("[data-output]")).to_have_text("sent")
    await expect(card(chat, 1)).to_have_attribute("data-state", "output-denied")
    await expect(card(chat, 1)).to_contain_text("Refused")
    await expect(chat.text).to_have_count(2)
    await expect(chat.messages).to_have_count(2)


async def test_a_person_decides_about_calls(chat: Chat) -> None:
    await chat.ask("mail to us")
    await chat.is_idle()
    await asks(chat)
    await decide(chat, 0, "Allow")
    await asks(chat)
    await decide(chat, 1, "Refuse")
    await is_decided(chat)
    await chat.page.reload()
    await is_decided(chat)
    await expect(card(chat, 0).get_by_role("group", name="May this be done?")).to_be_hidden()


async def test_a_decision_during_another_call_takes_effect_after_it(chat: Chat) -> None:
    await chat.ask("both at once")
    await expect(card(chat, 0)).to_have_attribute("data-state", "approval-requested")
    await decide(chat, 0, "Allow")
    await expect(card(chat, 1)).to_have_attribute("data-state", "input-available")
    await expect(card(chat, 1).locator("[data-output]")).to_have_text("seen")
    await expect(card(chat, 0).locator("[data-output]")).to_have_text("sent")
    await expect(chat.text).to_have_text(["So be it.", "So be it."])
    await chat.is_idle()


async def test_approvals_work_after_a_reload_and_on_a_narrow_screen(open_chat: Any) -> None:
    chat = await open_chat("/", viewport={"width": 320, "height": 640})
    await chat.ask("mail to us")
    await chat.is_idle()
    await chat.page.reload()
    await asks(chat)
    assert not await overflows(chat.log)
    await decide(chat, 0, "Allow")
    await decide(chat, 1, "Refuse")
    await is_decided(chat)


async def test_approval_is_not_asked_for_once_the_conversation_goes_on(chat: Chat) -> None:
    await chat.ask("mail to us")
    await chat.is_idle()
    await chat.ask("words please")
    await chat.is_idle()
    await expect(chat.messages.nth(1).get_by_role("group", name="May this be done?")).to_have_count(0)


async def test_approvals_work_without_javascript(open_chat: Any) -> None:
    chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("mail to us")
    await chat.send_button.click()
    for _ in range(50):
        await chat.page.reload()
        if await chat.send_button.is_visible():
            break
    await asks(chat)
    await decide(chat, 0, "Allow")
    await decide(chat, 1, "Refuse")
    await card(chat, 0).get_by_role("button", name="Go on").click()
    await expect(chat.page).to_have_url(re.compile(r"/chat/[^/]+/$"))
    for _ in range(50):
        await chat.page.reload()
        if await chat.send_button.is_visible():
            break
    await is_decided(chat)
