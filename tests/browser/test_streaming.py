"""The page while an answer is written: the answer grows, stops, and goes on after a reload or a cut."""

from __future__ import annotations

import itertools
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.chat import Chat
from tests.cable import Cable
from tests.live import rows
from tests.servers import Site, serve

on_both_servers = pytest.mark.parametrize("site", ["uvicorn", "daphne"], indirect=True)


@on_both_servers
async def test_an_answer_grows_as_text(chat: Chat) -> None:
    await chat.ask("words please")
    seen = await chat.growth()
    assert len(seen) > 5
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))
    assert await chat.written() == WORDS
    await expect(chat.page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/$"))
    await expect(chat.page).to_have_title(re.compile("^words please"))
    await expect(chat.page.get_by_role("link", name="words please")).to_have_attribute("aria-current", "page")
    await expect(chat.box).to_be_focused()


async def test_an_answer_is_the_same_after_a_reload(chat: Chat) -> None:
    await chat.ask("think about it")
    await chat.is_idle()
    live = await chat.page.locator(".chat-messages").inner_text()
    await chat.page.reload()
    assert await chat.page.locator(".chat-messages").inner_text() == live


@on_both_servers
async def test_stop_keeps_what_was_written(chat: Chat) -> None:
    await chat.ask("hang in the middle")
    await chat.has_begun()
    await chat.stop_button.click()
    await chat.is_idle()
    kept = await chat.written()
    assert WORDS.startswith(kept.strip())
    assert 0 < len(kept) < len(WORDS)
    await expect(chat.note).to_have_text("Stopped.")
    await chat.page.reload()
    assert await chat.written() == kept
    await expect(chat.note).to_have_text("Stopped.")


async def test_escape_in_the_composer_stops(chat: Chat) -> None:
    await chat.ask("hang in the middle")
    await chat.has_begun()
    await chat.box.press("Escape")
    await expect(chat.note).to_have_text("Stopped.")


async def test_a_failed_stop_says_so(chat: Chat) -> None:
    await chat.ask("hang in the middle")
    await chat.has_begun()
    await chat.page.route("**/stop", lambda route: route.abort(), times=1)
    await chat.stop_button.click()
    await expect(chat.note).to_have_text("The answer could not be stopped. Try again.")
    await chat.stop_button.click()
    await expect(chat.note).to_have_text("Stopped.")


async def test_a_stop_that_comes_late_does_not_end_another_tabs_answer(chat: Chat) -> None:
    """The stop request arrives after the answer has ended and another tab has started the next one."""
    other = Chat(await chat.page.context.new_page())

    async def late(route: Route) -> None:
        await chat.is_idle()
        await other.page.goto(chat.page.url)
        await other.ask("slow please")
        await other.has_begun()
        await route.continue_()

    await chat.page.route("**/stop", late)
    await chat.ask("steady please")
    await chat.has_begun()
    async with chat.page.expect_response("**/stop") as told:
        await chat.box.press("Escape")
    assert await (await told.value).json() == {"status": "not_running"}
    await expect(other.text).to_have_text(WORDS)


@on_both_servers
async def test_a_reload_in_the_middle_of_an_answer_goes_on(chat: Chat) -> None:
    await chat.ask("slow please")
    await chat.has_begun()
    before = await chat.written()
    await chat.page.reload()
    seen = await chat.growth()
    # The page may show a journal that is one tick old. The stream then adds the rest at once.
    assert seen[0].startswith(before) or before.startswith(seen[0])
    assert len(seen) > 5
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))
    assert seen[-1] == WORDS
    assert await chat.messages.count() == 2


async def test_a_second_tab_sees_the_same_answer_grow_and_stops_it(chat: Chat) -> None:
    await chat.ask("slow please")
    await chat.has_begun()
    other = Chat(await chat.page.context.new_page())
    await other.page.goto(chat.page.url)
    await other.has_begun("word8")
    await other.stop_button.click()
    await expect(chat.note).to_have_text("Stopped.")
    await expect(other.note).to_have_text("Stopped.")
    await other.is_idle()
    assert await chat.written() == await other.written()


async def test_back_and_forward_show_the_list_and_the_conversation(chat: Chat) -> None:
    await chat.ask("words please")
    await chat.is_idle()
    await chat.page.go_back()
    await expect(chat.page.get_by_text("What would you like to know?")).to_be_visible()
    await chat.page.go_forward()
    await expect(chat.text).to_have_text(WORDS)


@pytest.mark.fault("F30")
async def test_markup_stays_text(chat: Chat) -> None:
    await chat.ask("markup <i>here</i>")
    await chat.is_idle()
    assert await chat.written() == MARKUP
    await expect(chat.questions).to_contain_text("<i>here</i>")
    await chat.page.reload()
    assert await chat.written() == MARKUP
    assert await chat.messages.locator("b, i, img, script").count() == 0


async def test_reasoning_and_tool_calls_are_cards(chat: Chat) -> None:
    await chat.ask("think about it")
    await chat.is_idle()
    reasoning = chat.answer.locator("details.chat-reasoning")
    await expect(reasoning).not_to_have_attribute("open", "")
    await reasoning.get_by_text("Reasoning").click()
    await expect(reasoning.locator(".chat-text")).to_have_text("First this, then that.")
    tool = chat.answer.locator("details.chat-tool")
    await expect(tool.locator("summary")).to_have_text(re.compile("Get weather.*Rome · 3", re.DOTALL))
    await tool.locator("summary").click()
    await expect(tool.locator("tr")).to_have_text([re.compile("city *Rome"), re.compile("days *3")])
    await expect(chat.text).to_have_text("So it is.")


async def test_text_that_turns_out_to_be_reasoning_moves_into_its_fold(chat: Chat) -> None:
    await chat.ask("untagged please")
    await expect(chat.text).to_have_text("So it is.")
    await chat.is_idle()
    reasoning = chat.answer.locator(".chat-parts > details.chat-reasoning:first-child")
    live = await chat.answer.locator(".chat-parts").inner_html()
    await expect(reasoning.locator(".chat-text")).to_have_text("I **weigh** it.")
    await chat.page.reload()
    await expect(reasoning.locator(".chat-text")).to_have_text("I **weigh** it.")
    texts = chat.answer.locator(".chat-parts .chat-text")
    assert await texts.all_inner_texts() == ["", "So it is."], live


async def test_a_lost_connection_is_restored(open_chat: Any, site: Site) -> None:
    async with Cable(site) as cable:
        chat: Chat = await open_chat("/", base=cable.url)
        await chat.ask("slow please")
        await chat.has_begun("word8")
        cable.cut()
        await expect(chat.note).to_have_text("Connection lost. Reconnecting…")
        before = await chat.written()
        cable.mend()
        seen = await chat.growth()
        assert seen[0].startswith(before)
        assert seen[-1] == WORDS
        await expect(chat.note).to_have_count(0)
        assert await chat.messages.count() == 2


async def test_an_answer_that_ended_during_a_cut_is_shown(open_chat: Any, site: Site) -> None:
    async with Cable(site) as cable:
        chat: Chat = await open_chat("/", base=cable.url)
        await chat.ask("words please")
        await chat.has_begun()
        cable.cut()
        key = await chat.page.locator("streaming-chat").get_attribute("data-conversation")
        await rows.settled(site, str(key), within=30)
        cable.mend()
        await expect(chat.text).to_have_text(WORDS)
        await chat.is_idle()
        await expect(chat.note).to_have_count(0)
        assert await chat.messages.count() == 2


async def test_a_message_that_could_not_be_sent_stays_in_the_box(open_chat: Any, site: Site) -> None:
    async with Cable(site) as cable:
        chat: Chat = await open_chat("/", base=cable.url)
        cable.cut()
        await chat.ask("words please")
        await expect(chat.note).to_contain_text("could not be reached")
        await expect(chat.box).to_have_value("words please")
        await expect(chat.questions).to_have_count(0)
        cable.mend()
        await chat.box.press("Enter")
        await chat.is_idle()
        assert await chat.written() == WORDS
        assert await chat.messages.count() == 2


@pytest.mark.slow
async def test_an_answer_of_a_killed_server_is_kept(open_chat: Any, tmp_path: Path) -> None:
    with serve("uvicorn", tmp_path, settings="tests.browser.settings") as first:
        chat: Chat = await open_chat("/", base=first.url)
        await chat.ask("slow please")
        await chat.has_begun("word8")
        first.send_signal(signal.SIGKILL)
        await expect(chat.note).to_have_text("Connection lost. Reconnecting…")
        with serve("uvicorn", tmp_path, settings="tests.browser.settings", instead_of=first):
            await expect(chat.note).to_have_text("The server stopped while answering. What arrived is kept.")
            kept = await chat.written()
            assert "word3" in kept
            assert WORDS.startswith(kept.strip())
            await chat.retry_button.click()
            await chat.has_begun()


async def test_people_sign_in_and_out(open_chat: Any, site: Site) -> None:
    site.manage(
        "shell", "-c", "from django.contrib.auth.models import User; User.objects.create_user('ada', password='lace')"
    )
    chat: Chat = await open_chat("/login/")
    await chat.page.get_by_label("Username").fill("ada")
    await chat.page.get_by_label("Password").fill("wrong")
    await chat.page.get_by_role("button", name="Sign in").click()
    await expect(chat.page.locator(".errorlist").first).to_be_visible()
    await chat.page.get_by_label("Password").fill("lace")
    await chat.page.get_by_role("button", name="Sign in").click()
    await chat.ask("words please")
    await chat.is_idle()
    await chat.page.get_by_role("button", name="Sign out").click()
    await expect(chat.page.get_by_role("link", name="words please")).to_have_count(0)
    await expect(chat.page.get_by_role("link", name="Sign in")).to_be_visible()
