"""Approval of tool calls on the page: with a click, after a reload, and without JavaScript."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, expect

from tests.browser.chat import Chat, overflows

# What a card shows, without the line ends between its elements.
CONTENT = "card => card.innerHTML.split('<fieldset')[0].replaceAll(/>\\s+/g, '>').replaceAll(/\\s+</g, '<')"


def card(chat: Chat, at: int) -> Locator:
    return chat.answer.locator("details.chat-tool").nth(at)


async def decide(chat: Chat, at: int, choice: str) -> None:
    await card(chat, at).get_by_role("button", name=choice).click()


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
    await expect(chat.status).to_have_text("The assistant waits for your decision.")
    await decide(chat, 0, "Allow")
    await asks(chat)
    await decide(chat, 1, "Refuse")
    await is_decided(chat)
    await expect(chat.status).to_have_text("The answer is complete.")
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
    await expect(card(chat, 0)).to_contain_text("Waits for you", use_inner_text=True)
    await chat.ask("words please")
    await chat.is_idle()
    summary = chat.messages.nth(1).locator(".chat-tool > summary").first
    await expect(summary).not_to_contain_text("Waits for you", use_inner_text=True)
    await expect(summary).to_contain_text("Not called", use_inner_text=True)
    await expect(chat.messages.nth(1).get_by_role("group", name="May this be done?")).to_have_count(0)


async def answered(chat: Chat) -> None:
    """Loads the page, which has no script, until its answer has ended."""
    await expect(chat.page).to_have_url(re.compile(r"/chat/[^/]+/$"))
    await chat.page.wait_for_load_state()  # Chromium does not reload a page that is being replaced
    for _ in range(50):
        if await chat.send_button.is_visible():
            break
        await chat.page.reload()


async def test_approvals_work_without_javascript(open_chat: Any) -> None:
    chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("mail to us")
    await chat.send_button.click()
    await answered(chat)
    await asks(chat)
    await card(chat, 0).get_by_label("Allow").check()
    await card(chat, 1).get_by_label("Refuse").check()
    await card(chat, 0).get_by_role("button", name="Go on").click()
    await answered(chat)
    await is_decided(chat)


async def test_a_refusal_can_have_a_reason(chat: Chat) -> None:
    await chat.ask("mail to us")
    await chat.is_idle()
    await decide(chat, 0, "Allow")
    await card(chat, 1).get_by_label("Reason (optional)").fill("Not to all.")
    await card(chat, 1).get_by_label("Reason (optional)").press("Enter")
    await expect(chat.messages).to_have_count(2)
    async with chat.page.expect_request("**/api/chat?html=1") as sent:
        await decide(chat, 1, "Refuse")
    parts = (await sent.value).post_data_json["messages"][0]["parts"]
    assert [part["approval"].get("reason") for part in parts] == [None, "Not to all."]
    await is_decided(chat)


async def test_a_card_looks_the_same_while_it_streams_and_after_a_reload(chat: Chat) -> None:
    await chat.ask("peek please")
    await chat.is_idle()
    await card(chat, 0).locator("summary").click()
    summary = card(chat, 0).locator("summary")
    await expect(summary).to_contain_text("Look up")
    await expect(summary).to_contain_text("cities")
    await expect(card(chat, 0).locator("[data-duration]")).to_have_text("1 s")
    await expect(card(chat, 0).get_by_role("columnheader")).to_have_text(["city", "people"])
    live = await card(chat, 0).evaluate(CONTENT)
    await chat.page.reload()
    await expect(card(chat, 0)).to_have_count(1)
    assert await card(chat, 0).evaluate(CONTENT) == live


async def test_reasoning_says_how_long_it_took(chat: Chat) -> None:
    await chat.ask("ponder it")
    label = chat.answer.locator(".chat-reasoning > summary")
    await expect(label).to_contain_text("Thinking… 1 s")
    await chat.is_idle()
    for _ in range(2):
        await expect(label.locator(".chat-when-written")).to_have_text(re.compile(r"^Thought for [1-4] s$"))
        await expect(label.locator(".chat-while-writing")).to_be_hidden()
        await chat.page.reload()
