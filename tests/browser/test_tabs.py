"""A page shows what other tabs and devices do in its conversation."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from playwright.async_api import Response, Route, expect

from tests.browser.by_prompt import WORDS
from tests.browser.chat import Chat

HIDE = "hidden => Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })"
LOOK = "() => document.dispatchEvent(new Event('visibilitychange'))"


async def test_a_second_tab_follows_what_the_first_one_says(chat: Chat) -> None:
    await chat.ask("markup first")
    await chat.is_idle()
    other = Chat(await chat.page.context.new_page())
    await other.page.goto(chat.page.url)
    third = Chat(await chat.page.context.new_page())
    await third.page.goto("/")
    await other.box.fill("A draft")
    await chat.ask("steady second")
    await other.has_begun()
    await expect(other.stop_button).to_be_visible()
    await expect(third.page.get_by_role("img", name="Is being answered")).to_be_visible()
    await other.is_idle()
    await expect(other.text).to_have_text(WORDS)
    await expect(other.messages).to_have_count(4)
    await expect(other.box).to_have_value("A draft")
    await expect(third.page.get_by_role("img", name="Is being answered")).to_have_count(0)
    await chat.edit("markup changed")
    await expect(other.questions.last).to_contain_text("markup changed")
    await expect(other.messages).to_have_count(2)


async def test_a_page_asks_when_it_is_seen_again_and_not_while_it_is_hidden(open_chat: Any, chat: Chat) -> None:
    await chat.ask("markup first")
    await chat.is_idle()
    cookies = await chat.page.context.storage_state()
    elsewhere: Chat = await open_chat(chat.page.url, storage_state=cookies)
    asked: list[Response] = []
    await elsewhere.page.clock.install()
    await elsewhere.page.evaluate(HIDE, True)
    elsewhere.page.on("response", lambda response: "/static/" in response.url or asked.append(response))
    await elsewhere.page.evaluate(LOOK)
    await chat.ask("markup second")
    await expect(chat.messages).to_have_count(4)
    await chat.is_idle()
    assert asked == []
    await elsewhere.page.evaluate(HIDE, False)
    await elsewhere.page.evaluate(LOOK)
    await expect(elsewhere.messages).to_have_count(4)
    assert asked[0].url.endswith("?limit=1")
    for _ in range(2):
        await elsewhere.page.clock.fast_forward(1100)  # the page asks at most once a second
        async with elsewhere.page.expect_response(re.compile(r"limit=1")) as told:
            await elsewhere.page.evaluate(LOOK)
    assert (await told.value).status == 304


async def test_an_answer_that_was_begun_elsewhere_can_be_stopped_after_a_refusal(open_chat: Any, chat: Chat) -> None:
    await chat.ask("markup first")
    await chat.is_idle()
    cookies = await chat.page.context.storage_state()
    elsewhere: Chat = await open_chat(chat.page.url, storage_state=cookies)
    await chat.ask("hang second")
    await chat.has_begun()
    await elsewhere.ask("markup third")  # refused: an answer is being written
    await expect(elsewhere.questions.last).to_contain_text("hang second")
    await elsewhere.stop_button.click()
    await elsewhere.is_idle()
    await chat.is_idle()


async def test_a_chat_that_is_taken_off_the_page_reads_nothing_more_and_goes_on_when_it_is_put_back(chat: Chat) -> None:
    cut: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    chat.page.on("requestfailed", lambda request: cut.done() or cut.set_result(request.url))
    await chat.ask("slow answer")
    await chat.has_begun()
    await chat.page.evaluate("""() => {
        window.taken = document.querySelector("streaming-chat");
        window.place = taken.parentElement;
        taken.remove();
    }""")
    assert await asyncio.wait_for(cut, 30)
    assert await chat.page.locator("streaming-chat").count() == 0
    await chat.page.evaluate("place.append(taken)")
    await expect(chat.stop_button).to_be_visible()
    await chat.is_idle()
    await expect(chat.text).to_have_text(WORDS)
    await expect(chat.messages).to_have_count(2)


async def elsewhere_after_a_change(open_chat: Any, chat: Chat) -> Chat:
    """The conversation on another device, which has not seen yet that an answer is being written."""
    await chat.ask("markup first")
    await chat.is_idle()
    elsewhere: Chat = await open_chat(chat.page.url, storage_state=await chat.page.context.storage_state())
    await chat.ask("hang second")
    await chat.has_begun()
    return elsewhere


async def test_a_chat_that_is_taken_off_the_page_while_it_loads_follows_the_answer_once_it_is_back(
    open_chat: Any, chat: Chat
) -> None:
    elsewhere = await elsewhere_after_a_change(open_chat, chat)
    page = elsewhere.page
    await page.evaluate("() => { window.taken = document.querySelector('streaming-chat'); }")
    await page.evaluate("() => { window.place = taken.parentElement; }")

    async def take(route: Route) -> None:
        await page.evaluate("taken.remove()")
        await route.continue_()

    await page.route("**/?from=*", take)
    async with page.expect_event("requestfinished", lambda request: "?from=" in request.url):
        await page.evaluate(LOOK)
    await page.evaluate("() => new Promise((done) => setTimeout(done, 100))")  # the page has read the response
    await page.unroute_all()
    await page.evaluate("place.append(taken)")
    await expect(elsewhere.messages).to_have_count(4)
    await elsewhere.stop_button.click()
    await elsewhere.is_idle()


async def test_a_page_that_was_refused_the_new_messages_asks_for_them_again(open_chat: Any, chat: Chat) -> None:
    elsewhere = await elsewhere_after_a_change(open_chat, chat)
    page = elsewhere.page
    await page.clock.install()
    await page.route("**/?from=*", lambda route: route.fulfill(status=200, content_type="text/html", body="a proxy"))
    async with page.expect_event("requestfinished", lambda request: "?from=" in request.url):
        await page.evaluate(LOOK)
    await page.unroute_all()
    await page.clock.fast_forward(1100)  # the page asks at most once a second
    await page.evaluate(LOOK)
    await expect(elsewhere.messages).to_have_count(4)
    await elsewhere.stop_button.click()
    await elsewhere.is_idle()
