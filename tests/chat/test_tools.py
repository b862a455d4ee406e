"""`streaming.chat` with tools: code offers its own tools and decides about their calls."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.chat import chat, go_on, start_chat
from streaming.journal import live_logs
from streaming.models import Generation
from streaming.protocol import ToolApproval
from streaming.testing import frames_of
from tests import sample_tools as tools
from tests.engine import Script, load
from tests.stepwise import MAIL, called, says

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


async def test_code_offers_its_own_tools_and_decides_about_their_calls(settings: Any) -> None:
    settings.STREAMING_TOOLS = []
    says(settings, ("I would write. ", (MAIL,)), ("Sent.", ()))
    own = [tools.send_mail]
    asked = await (await start_chat("Write", tools=own)).result()
    assert [call.name for call in asked.asked] == ["send_mail"]
    decisions = [ToolApproval(call_id=call.id, is_approved=True) for call in asked.asked]
    answer = await go_on(asked, decisions, tools=own)
    assert [text async for text in answer] == ["Sent."]
    assert (await answer.result()).text == "Sent."
    assert tools.CALLS == [("send_mail", {"to": "me", "body": "Hello there"})]


async def test_stopped_answer_has_no_open_questions(settings: Any) -> None:
    says(settings, ("", (MAIL, ("w", "waits", "{}"))))
    answer = await start_chat("Write")
    await called(1)
    await answer.stop()
    result = await answer.result()
    assert (result.status, [call.name for call in result.tool_calls], result.asked) == (
        "cancelled",
        ["send_mail", "waits"],
        [],
    )


async def test_text_goes_to_a_function(scripted: Script) -> None:
    scripted(text="one two three")
    pieces: list[str] = []
    result = await chat("Hi", on_text=pieces.append)
    assert pieces == ["one ", "two ", "three"]
    assert result.text == "one two three"


async def test_usage_has_every_count_of_the_row(scripted: Script) -> None:
    scripted(text="one")
    answer = await start_chat("Hi")
    await answer.result()
    await Generation.objects.aupdate(cached_input_tokens=3, cache_write_tokens=4, reasoning_tokens=5)
    usage = (await answer.result()).usage
    assert (usage.cached_input_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (3, 4, 5)


async def test_text_goes_to_an_async_function_and_waits_for_it(scripted: Script) -> None:
    scripted(text="one two three")
    pieces: list[str] = []

    async def take(text: str) -> None:
        await asyncio.sleep(0)
        pieces.append(text)

    await chat("Hi", on_text=take)
    assert pieces == ["one ", "two ", "three"]


async def _fails(text: str) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("on_text", [lambda text: 1 / 0, _fails], ids=["function", "async function"])
async def test_exception_of_the_function_ends_the_reader_and_not_the_answer(scripted: Script, on_text: Any) -> None:
    scripted(text="one two three", delay=0.02)
    with pytest.raises(ZeroDivisionError):
        await chat("Hi", on_text=on_text)
    generation = await Generation.objects.aget()
    assert [log.readers for log in live_logs().values()] == [0]
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.message.text) == ("finished", "one two three")
