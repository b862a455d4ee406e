"""`streaming.chat`, as a developer's own code uses it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.chat import chat, start_chat
from streaming.errors import BadRequest, Conflict, GenerationError
from streaming.models import Generation, Message
from tests.live.providers import DIALECTS

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_callback_gets_the_text_that_is_stored(dialect: str) -> None:
    pieces: list[str] = []
    result = await chat("What is the capital of France?", on_text=pieces.append, provider=f"long-{dialect}")
    assert len(pieces) > 1
    assert result.text == "".join(pieces) != ""
    assert (result.status, result.finish_reason, result.error) == ("finished", "stop", "")
    assert result.usage.output_tokens
    message = await Message.objects.select_related("generation").aget(pk=result.message_id)
    assert message.text == result.text
    assert message.generation.pk == result.generation_id


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_loop_gets_the_text_as_it_is_written(dialect: str) -> None:
    answer = await start_chat("What is the capital of France?", provider=f"long-{dialect}")
    pieces, seen_early = [], 0
    async for text in answer:
        pieces.append(text)
        row = await Generation.objects.aget(pk=answer.generation_id)
        seen_early += row.is_active
    assert seen_early > 0, "the loop began only after the end"
    assert (await answer.result()).text == "".join(pieces)


async def test_any_number_of_readers_get_all_of_it() -> None:
    answer = await start_chat("Hello?", provider="words-20")
    texts = await asyncio.gather(*(_read(answer) for _ in range(5)))
    assert texts == ["word " * 20] * 5
    assert await _read(answer) == "word " * 20, "after the end, too"


async def test_leaving_the_loop_does_not_stop_the_answer() -> None:
    answer = await start_chat("Hello?", provider="words-2000")
    async for _ in answer:
        break
    assert (await answer.result()).text == "word " * 2000


async def test_stop_keeps_what_arrived() -> None:
    answer = await start_chat("Hello?", provider="slow")
    pieces = []
    async for text in answer:
        pieces.append(text)
        if len(pieces) == 3:
            assert await answer.stop() == "stopping"
    result = await answer.result()
    assert result.status == "cancelled"
    assert result.text == "".join(pieces)
    assert await answer.stop() == "cancelled"


async def test_conversation_goes_on() -> None:
    first = await chat("Hello?")
    answer = await start_chat("And?", conversation_key=first.conversation_key, provider="slow")
    with pytest.raises(Conflict):
        await start_chat("Too soon?", conversation_key=first.conversation_key)
    await answer.stop()
    await answer.result()
    assert await Message.objects.acount() == 4


async def test_refused_question_leaves_nothing() -> None:
    with pytest.raises(BadRequest, match="Unknown provider 'gpt'"):
        await chat("Hello?", provider="gpt")
    assert not await Message.objects.aexists()


async def test_failure_is_raised_with_what_there_is() -> None:
    with pytest.raises(GenerationError, match="could not be reached") as raised:
        await chat("Hello?", provider="peer-chat")
    assert raised.value.result.status == "failed"
    assert raised.value.result.text == ""


async def _read(answer: Any) -> str:
    return "".join([text async for text in answer])
