"""axe-core finds no violation on the page, in any of its states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.async_api import expect

from tests.browser.chat import Chat

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# The rules that are violated, each with the first elements that do so.
RUN = """async () => (await axe.run()).violations.map(({ id, nodes }) =>
    [id, ...nodes.slice(0, 3).map(({ html }) => html.slice(0, 200))])"""
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 780}},
}


async def violations(chat: Chat) -> Any:
    await chat.page.evaluate(AXE)
    return await chat.page.evaluate(RUN)


@pytest.mark.parametrize("look", LOOKS)
async def test_no_state_of_the_page_violates_a_rule(open_chat: Any, look: str) -> None:
    chat: Chat = await open_chat("/", **LOOKS[look])
    found = {"empty": await violations(chat)}
    await chat.ask("slow please")
    await chat.has_begun()
    await chat.ask("queued please")
    found["streaming"] = await violations(chat)
    await chat.page.get_by_role("button", name="Remove the queued message").click()
    await chat.stop_button.click()
    await chat.is_idle()
    await chat.ask("peek please")
    await chat.is_idle()
    await chat.answer.locator(".chat-tool > summary").click()
    found["tool"] = await violations(chat)
    await chat.ask("busy please")
    await expect(chat.retry_button).to_be_visible()
    found["error"] = await violations(chat)
    await chat.ask("mail please")
    await chat.is_idle()
    found["approval"] = await violations(chat)
    await chat.answer.get_by_role("button", name="Bad answer").click()
    await expect(chat.answer.get_by_label("Your comment")).to_be_visible()
    found["thumb"] = await violations(chat)
    await chat.edit_button.first.click()
    found["edit"] = await violations(chat)
    await chat.page.locator(".chat-help").click()
    found["keys"] = await violations(chat)
    await chat.page.keyboard.press("Escape")
    if look == "phone":
        await chat.page.get_by_role("button", name="Conversations").click()
    await chat.page.locator("[name=options]").first.click()
    found["options"] = await violations(chat)
    assert {state: rules for state, rules in found.items() if rules} == {}
