"""The list of conversations: rename, pin, search, delete, and what is being answered."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.browser.chat import Chat


def listed(chat: Chat, title: str) -> Locator:
    return chat.page.locator(".chat-listed").filter(has=chat.page.get_by_role("link", name=title, exact=True))


async def options(chat: Chat, title: str) -> Locator:
    """Opens the options of a conversation and returns its place in the list."""
    item = listed(chat, title)
    await item.hover()
    await item.locator("[name=options]").click()
    return item


async def two(chat: Chat) -> None:
    """Makes two conversations, the second of which is shown."""
    await chat.ask("words about Rome")
    await chat.is_idle()
    await chat.page.get_by_role("link", name="New conversation").click()
    await chat.ask("markup about Oslo")
    await chat.is_idle()
    await expect(chat.page.locator(".chat-listed > a")).to_have_text(["markup about Oslo", "words about Rome"])


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_conversation_is_renamed_pinned_and_deleted(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script)
    for prompt in ("words about Rome", "markup about Oslo"):
        await chat.page.goto("/")
        await chat.box.fill(prompt)
        await chat.send_button.click()
        await chat.is_idle()
    item = await options(chat, "markup about Oslo")
    await item.get_by_label("Title").fill("Up  north")
    await item.get_by_role("button", name="Rename").click()
    await expect(chat.page.locator(".chat-listed > a")).to_have_text(["Up north", "words about Rome"])
    await expect(chat.page.get_by_role("heading", level=1)).to_have_text("Up north")
    await expect(chat.page).to_have_title(re.compile("^Up north"))
    item = await options(chat, "words about Rome")
    await item.get_by_role("button", name="Pin", exact=True).click()
    await expect(chat.page.locator(".chat-heading").first).to_have_text("Pinned")
    await expect(chat.page.locator(".chat-listed > a")).to_have_text(["words about Rome", "Up north"])
    current = chat.page.locator(".chat-listed > [aria-current]")
    if has_script:
        await expect(current).to_have_text("Up north")
    item = await options(chat, "words about Rome")
    await item.get_by_text("Delete…").click()
    await item.get_by_role("button", name="Delete for good").click()
    await expect(chat.page.locator(".chat-listed > a")).to_have_text(["Up north"])


async def test_a_title_that_one_types_outlives_a_change_of_the_list(chat: Chat) -> None:
    await chat.ask("words about Rome")
    await chat.has_begun()
    item = await options(chat, "words about Rome")
    title = item.get_by_label("Title")
    await title.fill("All ro")
    await chat.page.evaluate("document.querySelector('.chat-listed').dataset.old = ''")
    await chat.is_idle()
    await expect(chat.page.locator("[data-old]")).to_have_count(0)  # it is another list now
    await expect(title).to_be_focused()
    await title.press_sequentially("ads")
    await title.press("Enter")
    await expect(chat.page.locator(".chat-listed > a")).to_have_text(["All roads"])
    await expect(title).to_have_count(0)


async def test_deleting_the_conversation_that_is_shown_leads_to_a_new_one(chat: Chat) -> None:
    await two(chat)
    item = await options(chat, "markup about Oslo")
    await item.get_by_text("Delete…").click()
    await item.get_by_role("button", name="Delete for good").click()
    await expect(chat.page).to_have_url(re.compile(r"//[^/]+/$"))
    await expect(chat.page.locator(".chat-listed > a")).to_have_text(["words about Rome"])


async def test_titles_and_messages_are_searched_while_one_types(chat: Chat) -> None:
    await two(chat)
    search = chat.page.get_by_label("Search conversations")
    links = chat.page.locator(".chat-listed > a")
    await search.press_sequentially("rom")
    await expect(links).to_have_text(["words about Rome"])
    await search.fill("word17")
    await expect(links).to_have_text(["words about Rome"])
    await search.fill("nowhere")
    await expect(chat.page.get_by_text("Nothing found.")).to_be_visible()
    await search.fill("")
    await expect(links).to_have_count(2)
    await expect(chat.page.locator(".chat-listed > [aria-current]")).to_have_text("markup about Oslo")


MANY = """async () => {
    for (let number = 0; number < 42; number++) {
        const body = JSON.stringify({ prompt: `limited ${number}` });
        await (await fetch("/api/chat", { method: "POST", body })).text();
    }
}"""


async def test_a_change_does_not_turn_the_pages_of_the_list(chat: Chat) -> None:
    await chat.page.evaluate(MANY)
    await chat.page.goto("/?page=2")
    links = chat.page.locator(".chat-listed > a")
    await expect(links).to_have_text(["limited 1", "limited 0"])
    item = await options(chat, "limited 0")
    await item.get_by_text("Delete…").click()
    await item.get_by_role("button", name="Delete for good").click()
    await expect(links).to_have_text(["limited 1"])
    search = chat.page.get_by_label("Search conversations")
    await search.fill("limited")
    await expect(links).to_have_count(40)
    await search.fill("")
    await chat.page.goto("/?page=2")
    await chat.ask("limited by now")
    await expect(links.first).to_have_text("limited by now")


async def test_the_list_shows_what_is_being_answered_and_stops_and_deletes_it(chat: Chat) -> None:
    await chat.ask("hang please")
    await chat.has_begun()
    await expect(listed(chat, "hang please").get_by_role("img", name="Is being answered")).to_be_visible()
    item = await options(chat, "hang please")
    await item.get_by_text("Delete…").click()
    await item.get_by_role("button", name="Delete for good").click()
    await expect(chat.page).to_have_url(re.compile(r"//[^/]+/$"))
    await expect(chat.page.locator(".chat-listed")).to_have_count(0)


async def test_all_conversations_are_deleted_at_once_also_one_that_is_being_answered(open_chat: Any) -> None:
    other: Chat = await open_chat("/")
    await other.ask("markup of somebody else")
    await other.is_idle()
    chat: Chat = await open_chat("/")
    menu = chat.page.locator(".chat-manage > summary")
    await expect(menu).to_be_hidden()  # there are none
    await chat.ask("markup about Oslo")
    await chat.is_idle()
    await chat.page.get_by_role("link", name="New conversation").click()
    await chat.ask("hang please")
    await chat.has_begun()
    for_good = chat.page.get_by_role("button", name="Delete all for good")
    await expect(for_good).to_be_hidden()
    await menu.click()
    await chat.page.get_by_text("Delete all conversations…").click()
    await for_good.click()
    await expect(chat.page).to_have_url(re.compile(r"//[^/]+/$"))
    await expect(chat.page.locator(".chat-listed")).to_have_count(0)
    await expect(menu).to_be_hidden()
    await other.page.reload()
    await expect(other.page.locator(".chat-listed > a")).to_have_text(["markup of somebody else"])


async def test_an_unreachable_site_is_told_without_a_word_about_a_message(open_chat: Any) -> None:
    chat: Chat = await open_chat("/")
    await two(chat)
    await chat.page.context.set_offline(True)
    item = await options(chat, "words about Rome")
    await item.get_by_role("button", name="Pin", exact=True).click()
    await expect(chat.page.locator(".chat-list-note")).to_have_text("The site could not be reached. Try again.")


async def test_the_focus_stays_in_the_list_when_a_conversation_is_deleted(chat: Chat) -> None:
    await two(chat)
    for title, focused in (("words about Rome", "markup about Oslo"), ("markup about Oslo", None)):
        if focused is None:
            await chat.page.get_by_role("link", name="New conversation").click()
            await expect(chat.messages).to_have_count(0)
        item = await options(chat, title)
        await item.get_by_text("Delete…").press("Enter")
        await item.get_by_role("button", name="Delete for good").press("Enter")
        await expect(chat.page.get_by_role("link", name=focused or "New conversation")).to_be_focused()


async def test_a_lost_connection_is_told_once_and_not_by_the_list_too(chat: Chat) -> None:
    await chat.ask("markup about Rome")
    await chat.is_idle()
    await expect(chat.page.locator(".chat-listed")).to_have_count(1)
    await chat.page.context.set_offline(True)
    async with chat.page.expect_event("requestfailed", lambda request: request.method == "GET"):
        await chat.ask("markup about Oslo")
    await expect(chat.page.locator(".chat-note p")).to_contain_text("The site could not be reached.")
    await expect(chat.page.locator(".chat-list-note")).to_be_empty()


@pytest.mark.parametrize("has_script", [True, False])
async def test_all_conversations_are_deleted_from_the_menu_at_the_foot(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script)
    menu = chat.page.locator(".chat-manage > summary")
    await expect(menu).to_be_hidden()
    await chat.box.fill("markup about Rome")
    await chat.send_button.click()
    await chat.is_idle()
    everything = chat.page.get_by_text("Delete all conversations…")
    await expect(everything).to_be_hidden()
    await menu.press("Enter")
    await expect(everything).to_be_visible()
    if has_script:
        await everything.press("Escape")
        await expect(everything).to_be_hidden()
        await expect(menu).to_be_focused()
        await menu.press("Enter")
    await everything.click()
    await chat.page.get_by_role("button", name="Delete all for good").click()
    await expect(chat.page.locator(".chat-listed")).to_have_count(0)
    await expect(menu).to_be_hidden()
