"""Messages that are sent while an answer is written wait for its end."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Route, expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.chat import Chat, overflows


async def test_messages_wait_for_the_end_of_the_answer_and_survive_a_reload(chat: Chat) -> None:
    queued = chat.page.locator(".chat-queued-text")
    await chat.ask("steady please")
    await chat.has_begun()
    await chat.ask("markup one")
    await chat.ask("to be removed")
    await chat.ask("markup three, with a slip")
    await expect(chat.status).to_have_text("The message will be sent after this answer.")
    await expect(queued).to_have_text(["markup one", "to be removed", "markup three, with a slip"])
    await chat.page.reload()
    await expect(queued).to_have_count(3)
    await chat.page.get_by_role("button", name="Remove the queued message").nth(1).click()
    await chat.box.press("ArrowUp")
    await expect(chat.box).to_have_value("markup three, with a slip")
    await chat.ask("markup three")
    await expect(queued).to_have_text(["markup one", "markup three"])
    await expect(chat.questions).to_have_count(3)
    await chat.is_idle()
    await expect(queued).to_have_count(0)
    said = [line async for line in _said(chat)]
    assert said == ["steady please", WORDS, "markup one", MARKUP, "markup three", MARKUP]
    await chat.page.reload()
    assert [line async for line in _said(chat)] == said


async def _said(chat: Chat) -> Any:
    for message in await chat.messages.locator(".chat-parts").all():
        yield await message.inner_text()


async def test_a_queued_message_can_be_read_on_a_phone(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport={"width": 360, "height": 700})
    await chat.ask("hang on")
    await chat.has_begun()
    await chat.ask("words about the weather in Rome")
    text = chat.page.locator(".chat-queued-text")
    await expect(text).to_be_visible()
    assert not await overflows(text)


async def test_after_a_stop_they_wait_for_the_person_and_stop_and_send_does_not(chat: Chat) -> None:
    queued = chat.page.locator(".chat-queued-text")
    await chat.ask("hang please")
    await chat.has_begun()
    await chat.ask("hang again")
    await chat.ask("markup last" + " and long" * 40)
    await expect(chat.page.get_by_role("button", name="Remove the queued message").last).to_be_in_viewport(ratio=1)
    await chat.stop_button.click()
    await chat.is_idle()
    await expect(queued).to_have_count(2)
    await chat.page.reload()
    await expect(queued).to_have_count(2)
    await expect(chat.questions).to_have_count(1)
    await chat.page.locator(".chat-queue").get_by_role("button", name="Send now").click()
    await expect(queued).to_have_text(["markup last" + " and long" * 40])
    await chat.has_begun()
    await chat.page.get_by_role("button", name="Stop and send").click()
    await expect(queued).to_have_count(0)
    await chat.is_idle()
    await expect(chat.text).to_have_text(MARKUP)
    await expect(chat.questions.locator(".chat-parts")).to_have_text(
        ["hang please", "hang again", "markup last" + " and long" * 40]
    )


async def test_a_queued_message_is_sent_once_and_an_earlier_stop_does_not_hold_it(chat: Chat) -> None:
    async def try_to_take_it_back(route: Route) -> None:
        await expect(chat.page.locator(".chat-queued")).to_be_hidden()
        await chat.box.press("ArrowUp")
        await route.continue_()

    await chat.ask("hang please")
    await chat.has_begun()
    await chat.stop_button.click()
    await chat.is_idle()
    await chat.ask("steady please")
    await chat.has_begun()
    await chat.page.route("**/api/chat?html=1", try_to_take_it_back)
    await chat.ask("markup queued")
    await expect(chat.text).to_have_text(MARKUP)
    await chat.is_idle()
    await expect(chat.box).to_have_value("")
    await expect(chat.questions).to_have_count(3)


async def test_a_message_whose_response_was_lost_is_not_sent_again(chat: Chat) -> None:
    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await chat.ask("steady please")
    await chat.has_begun()
    await chat.page.route("**/api/chat?html=1", lose)
    await chat.ask("markup queued")
    await expect(chat.text).to_have_text(MARKUP)
    await chat.is_idle()
    await expect(chat.page.locator(".chat-queued")).to_have_count(0)
    await expect(chat.questions).to_have_count(2)


async def test_a_queued_message_that_another_tab_forestalls_is_sent_after_its_answer(chat: Chat) -> None:
    """Both tabs wait for the same answer. The server takes one message, and the other tab waits for its answer."""
    await chat.ask("steady please")
    await chat.has_begun()
    other = Chat(await chat.page.context.new_page())
    await other.page.goto(chat.page.url)
    await other.has_begun()
    await chat.ask("markup of the first tab")
    await other.ask("markup of the second tab")
    for tab in (chat, other):
        await expect(tab.questions).to_have_count(3)
        await tab.is_idle()
        await expect(tab.page.locator(".chat-queued")).to_have_count(0)
        await expect(tab.messages).to_have_count(6)
