"""Shared links in the browser: made with different choices, read by strangers, revoked, expired."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from playwright.async_api import Page, expect

from tests.browser.chat import Chat, overflows
from tests.browser.test_list import options
from tests.servers import Site

# For each list: how far its text is from the edge of the page, and how wide its last number is.
ROOM = """lists => lists.map((list) => {
  const number = document.createElement("span");
  const last = list.start + list.children.length - 1;
  number.textContent = `${last}. `;
  number.style.whiteSpace = "pre";
  list.firstChild.firstChild.append(number);
  const { width } = number.getBoundingClientRect();
  number.remove();
  return [list.firstChild.getBoundingClientRect().left, width];
})"""
GONE = "This link does not work, or does not work any more."


async def _made(page: Page, *chosen: str, ends: str = "after 30 days") -> str:
    """Makes a link on the page of shared links, and returns its address."""
    for label in chosen:
        await page.get_by_label(label).check()
    await page.get_by_label("The link ends").select_option(ends)
    await page.get_by_role("button", name="Make a link").click()
    return await page.get_by_label("The new link. It is shown only this once.").input_value()


async def _is_gone(page: Page, link: str) -> None:
    response = await page.goto(link)
    assert response
    assert response.status == 404
    await expect(page.get_by_text(GONE)).to_be_visible()
    await expect(page.locator(".chat-message")).to_have_count(0)


async def test_strangers_read_what_was_chosen_until_the_link_is_revoked_or_ends(open_chat: Any, site: Site) -> None:
    chat: Chat = await open_chat("/")
    await chat.ask("deep look")
    await chat.is_idle()
    item = await options(chat, "deep look")
    await item.get_by_role("link", name="Share…").click()
    owner = chat.page
    plain = await _made(owner)
    whole = await _made(owner, "tool calls with their arguments", "the model’s reasoning", ends="when I revoke it")
    assert plain != whole
    await owner.goto(owner.url)
    await expect(owner.get_by_label("The new link.")).to_have_count(0)
    reader: Page = (await open_chat(plain)).page
    await expect(reader.locator(".chat-message")).to_have_count(2)
    await expect(reader.locator(".chat-message").last).to_contain_text("Seen.")
    await expect(reader.locator("details, form, streaming-chat")).to_have_count(0)
    await expect(reader.locator("body")).not_to_contain_text(re.compile("Oslo|Let me"))
    await _is_whole(reader, whole)
    await reader.goto(plain)
    await owner.goto(owner.url)
    row = owner.get_by_role("listitem").filter(has_text="opened 2 times")
    await expect(row).to_contain_text("ends")
    await row.get_by_role("button", name="Revoke").click()
    await expect(owner.get_by_role("listitem")).to_have_count(1)
    await _is_gone(reader, plain)
    await _is_whole(reader, whole)
    with sqlite3.connect(site.database) as database:
        ended = "UPDATE streaming_share SET expires_at = datetime('now', '-1 second') WHERE expires_at IS NULL"
        assert database.execute(ended).rowcount == 1
    await _is_gone(reader, whole)


async def test_the_pages_of_a_link_fit_a_phone_and_show_lists_as_the_chat_does(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport={"width": 320, "height": 568})
    await chat.ask("rich " + "x" * 300)
    await chat.is_idle()
    looks = "items => items.map(item => [getComputedStyle(item).display, getComputedStyle(item).borderBottomWidth])"
    shown = await chat.text.locator("li").evaluate_all(looks)
    await chat.page.goto(f"{chat.page.url}shares/")
    link = await _made(chat.page)
    for address in (chat.page.url, link):
        await chat.page.goto(address)
        assert not await overflows(chat.page.locator(".chat-page"))
        assert not await overflows(chat.page.locator("html"))
    assert await chat.page.locator(".chat-rich li").evaluate_all(looks) == shown
    assert await chat.page.evaluate("document.documentElement.scrollHeight") == 568


async def test_large_numbers_of_a_list_are_whole_on_a_phone(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport={"width": 360, "height": 700})
    await chat.ask("numbered please")
    await chat.is_idle()
    await chat.page.goto(f"{chat.page.url}shares/")
    link = await _made(chat.page)
    await chat.page.goto(link)
    lists = await chat.page.locator(".chat-rich > ol").evaluate_all(ROOM)
    assert [room > needed for room, needed in lists] == [True] * len(lists)
    assert len(lists) == 3


async def _is_whole(reader: Page, link: str) -> None:
    await reader.goto(link)
    tool, reasoning = reader.locator("details.chat-tool"), reader.locator("details.chat-reasoning").first
    await tool.locator("summary").click()
    await expect(tool).to_contain_text("Oslo")
    await expect(tool).to_contain_text("cities")
    await reasoning.locator("summary").click()
    await expect(reasoning.locator(".chat-text")).to_have_text("Let me look.")
