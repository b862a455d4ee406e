"""A long conversation in the browser: it opens at its end, and earlier messages come as one scrolls up."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from streaming.views.window import SHOWN
from tests.browser.chat import Chat
from tests.servers import Site

STORE = """
from streaming.context import Sent
from streaming.models import Conversation, Generation, Summary
from tests.long_ones import lengthen
conversation = Conversation.objects.get(key="{key}")
rows = lengthen(conversation, {count})
answer = Generation.objects.get(message=conversation.active_leaf_id)
summary = Summary.objects.create(conversation=conversation, generation=answer, upto=rows[{first} - 1], text="{summary}")
answer.context = Sent(policy="summary", dropped={first}, first=rows[{first}].pk, summary=summary.pk).dumped()
answer.save(update_fields=["context"])
"""
STORED = 2 * SHOWN + 10
FIRST_SENT = SHOWN - 10
"""The first message that the model is sent. It is not among the newest messages."""
SUMMARY = "They spoke of points."


async def long_chat(open_chat: Any, site: Site, **options: Any) -> Chat:
    """A conversation of 112 messages, of which the last two were said on the page."""
    chat: Chat = await open_chat("/", **options)
    await chat.box.fill("markup please")
    await chat.send_button.click()
    await chat.is_idle()
    key = chat.page.url.rstrip("/").rpartition("/")[2]
    site.manage("shell", "-c", STORE.format(key=key, count=STORED, first=FIRST_SENT, summary=SUMMARY))
    await chat.page.goto(f"/chat/{key}/")
    return chat


async def test_earlier_messages_come_as_one_scrolls_up_and_nothing_moves(open_chat: Any, site: Site) -> None:
    chat = await long_chat(open_chat, site)
    await expect(chat.messages).to_have_count(SHOWN)
    assert await chat.distance_from_end() < 2
    await expect(chat.page.locator(".chat-context")).to_have_count(0)
    await chat.messages.first.evaluate("article => { article.dataset.seen = '' }")
    await chat.log.hover()
    await chat.page.mouse.wheel(0, -1_000_000)
    await expect(chat.messages).to_have_count(2 * SHOWN)
    seen = chat.page.locator("[data-seen]")
    await expect(seen).to_be_in_viewport()  # though 50 messages are above it now
    await the_line_of_the_summary_has_come(chat)
    await seen.evaluate("article => article.scrollIntoView({ block: 'end' })")
    everything = chat.page.get_by_role("link", name="Show all")
    await everything.focus()  # this scrolls to it, so that messages are loaded, and it stays focused
    await chat.page.keyboard.press("Enter")
    await expect(chat.messages).to_have_count(STORED + 2)
    await expect(chat.page.locator(".chat-earlier")).to_have_count(0)
    await expect(chat.page.locator(".chat-messages > .chat-context")).to_have_count(1)
    await expect(chat.status).to_have_text("Earlier messages are shown.")
    await expect(chat.log).to_be_focused()
    numbers = [
        text.split("point ")[1].split(",")[0] for text in await chat.questions.all_inner_texts() if "point" in text
    ]
    assert numbers == [str(number) for number in range(0, STORED, 2)]
    await a_version_of_an_old_message_is_shown_in_its_place(chat)


async def the_line_of_the_summary_has_come(chat: Chat) -> None:
    line = chat.page.locator(".chat-messages > .chat-context")
    assert f"point {FIRST_SENT}" in await line.evaluate("el => el.nextElementSibling.textContent")
    await expect(line.locator(".chat-text")).to_be_hidden()
    await line.locator("summary").evaluate("summary => summary.click()")  # where it is, without a scroll
    await expect(line.locator(".chat-text")).to_have_text(SUMMARY)


async def a_version_of_an_old_message_is_shown_in_its_place(chat: Chat) -> None:
    await chat.edit("markup of another kind", number=10)
    await chat.is_idle()
    await expect(chat.messages).to_have_count(22)
    await chat.previous_button.click()
    await expect(chat.messages).to_have_count(STORED + 2)
    await expect(chat.previous_button).to_be_disabled()
    await expect(chat.next_button).to_be_focused()
    await expect(chat.next_button).to_be_in_viewport()
