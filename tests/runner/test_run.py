"""A run: readers see the same as the row stores, and the answer leaves memory when it has ended."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
from django.db import DataError

from streaming.models import Generation, Message
from streaming.protocol import ToolCall
from streaming.protocol.ui_stream import chunk_of, fold_chunks
from streaming.runner import Run
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, frames_of, seqs_of, text_of
from tests.engine import Script, run_until, submit

pytestmark = pytest.mark.usefixtures("engine")


HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


async def test_stream_and_row_have_the_same_text(scripted: Script) -> None:
    scripted(text="Grüße, 世界! 🎈 " * 20, reasoning="let me think")
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert row.status == "finished"
    assert row.finish_reason == "stop"
    assert row.message.text == text_of(frames) == "Grüße, 世界! 🎈 " * 20
    assert [part.__class__.__name__ for part in row.message.typed_parts] == ["ReasoningPart", "TextPart"]
    assert seqs_of(frames) == list(range(1, row.last_seq + 1))
    assert row.active_conversation_id is None
    assert row.input_tokens is not None
    assert row.output_tokens is not None
    assert row.first_delta_ms is not None
    assert row.duration_ms is not None
    assert row.duration_ms >= row.first_delta_ms


async def test_chunks_come_in_the_order_that_clients_require(scripted: Script) -> None:
    scripted(text="Hello", reasoning="hm")
    types = [chunk["type"] for chunk in chunks_of(await frames_of((await submit()).pk))]
    assert types == [
        "start",
        "start-step",
        "reasoning-start",
        "reasoning-delta",
        "reasoning-end",
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ]


async def test_last_chunk_has_the_metadata_of_the_row(scripted: Script) -> None:
    scripted(text="Hello")
    last = chunks_of(await frames_of((await submit()).pk))[-1]
    row = await Generation.objects.aget()
    assert last["messageMetadata"] == row.metadata
    assert row.metadata["status"] == "finished"


async def test_parallel_tool_calls_are_streamed_and_stored(scripted: Script) -> None:
    scripted(text="", tool_calls=[{"name": "f", "arguments": {"city": "Rome"}}, {"name": "g", "arguments": '{"a": '}])
    chunks = chunks_of(await frames_of((await submit()).pk))
    message = await Message.objects.aget(role="assistant")
    whole, half = [part for part in message.typed_parts if isinstance(part, ToolCall)]
    assert (whole.name, whole.arguments, whole.is_complete) == ("f", {"city": "Rome"}, True)
    assert (half.name, half.arguments, half.is_complete, half.error) == ("g", None, False, "truncated")
    for call in (whole, half):
        deltas = [c["inputTextDelta"] for c in chunks if c["type"] == "tool-input-delta" and c["toolCallId"] == call.id]
        assert "".join(deltas) == call.raw_arguments
        assert len(deltas) > 0
    assert [c["input"] for c in chunks if c["type"] == "tool-input-available"] == [{"city": "Rome"}]
    assert [c["toolCallId"] for c in chunks if c["type"] == "tool-input-error"] == [half.id]


NUL_CALL = {"index": 0, "id": "c\0", "function": {"name": "look", "arguments": '{"city": "Ro\\u0000me"}'}}
NUL_WIRE = "".join(
    f"data: {json.dumps({'choices': [{'delta': delta, 'finish_reason': end}]})}\n\n"
    for delta, end in (
        ({"reasoning_content": "r\0"}, None),
        ({"content": "a\0b\ud83d"}, None),
        (
            {
                "content": "",
                "annotations": [{"type": "url_citation", "url_citation": {"url": "http://x/", "title": "t\0"}}],
            },
            None,
        ),
        ({"tool_calls": [NUL_CALL]}, None),
        ({}, "tool_calls"),
    )
)


async def test_answer_with_characters_that_no_database_holds_is_stored_as_it_was_streamed(scripted: Script) -> None:
    scripted(chunks=[NUL_WIRE + "data: [DONE]\n\n"])
    frames = await frames_of((await submit("what\0is this")).pk)
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text, text_of(frames)) == ("finished", "a\ufffdb\ufffd", "a\ufffdb\ufffd")
    assert b"u0000" not in b"".join(frames).replace(rb"\\u0000", b"")  # an escape inside raw arguments is kept
    assert fold_chunks(map(chunk_of, frames)) == row.message.typed_parts
    (call,) = (part for part in row.message.typed_parts if isinstance(part, ToolCall))
    assert (call.id, call.arguments) == ("c\ufffd", {"city": "Ro\ufffdme"})


async def test_arguments_that_are_nested_deep_are_stored_on_every_database(scripted: Script) -> None:
    arguments = '{"a":' * 90 + "1" + "}" * 90
    call = {"index": 0, "id": "c1", "function": {"name": "look", "arguments": arguments}}
    scripted(
        chunks=[
            f"data: {json.dumps({'choices': [{'delta': {'tool_calls': [call]}, 'finish_reason': 'tool_calls'}]})}\n\n"
        ]
    )
    await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    (stored,) = row.message.typed_parts
    assert isinstance(stored, ToolCall)
    assert (row.status, stored.raw_arguments, stored.is_complete) == ("finished", arguments, True)


@pytest.mark.parametrize("count", [-5, 10**12, 10**30])
async def test_impossible_token_count_is_unknown_and_the_answer_is_kept(scripted: Script, count: int) -> None:
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": count}})
    scripted(chunks=[HELLO.decode().replace("data: [DONE]", f"data: {usage}\n\ndata: [DONE]")])
    await asyncio.wait_for(frames_of((await submit()).pk), 30)
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text) == ("finished", "Hello")
    assert (row.input_tokens, row.output_tokens) == (3, None)


async def test_readers_get_an_end_even_if_settling_fails(
    scripted: Script, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any) -> bool:
        raise OverflowError

    scripted(text="Hello")
    monkeypatch.setattr("streaming.runner.run.settle", broken)
    chunks = chunks_of(await frames_of((await submit()).pk))
    assert chunks[-1]["type"] == "error"
    assert "could not be settled" in caplog.text


async def test_row_is_given_up_if_the_database_refuses_it_and_not_while_the_database_is_away(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More tries may help while the database does not answer. They do not help if it answers and refuses the row."""
    scripted(text="Hello")
    is_away, tries = True, 0

    def settle(*args: Any) -> bool:
        nonlocal tries
        tries += 1
        raise DataError("too large")

    async def is_there(run: Run) -> bool:
        return not is_away

    monkeypatch.setattr("streaming.runner.run.SETTLE_RETRIES", (0.01, 0.01))
    monkeypatch.setattr("streaming.runner.run.settle", settle)
    monkeypatch.setattr(Run, "_is_database_there", is_there)
    generation = await submit()
    await run_until(lambda: tries > 10)
    is_away = False
    assert chunks_of(await asyncio.wait_for(frames_of(generation.pk), 30))[-1]["type"] == "error"
    await current().idle()


def _texts_in_memory(generation: Generation) -> list[str]:
    rows = [one for one in gc.get_objects() if type(one) is Message and one.pk == generation.message_id]
    return [row.text for row in rows if row.text]


@pytest.mark.parametrize(
    "options", [{}, {"fail_after": 20}, {"error": "overloaded", "fail_after": 20}, {"hang_after": 20}]
)
async def test_answer_that_has_ended_leaves_memory_at_once(scripted: Script, options: dict[str, Any]) -> None:
    """It does not wait for the garbage collector, which knows nothing of the size of a log."""
    scripted(text="word " * 100, delay=0.001, **options)
    gc.disable()
    try:
        generation = await submit()
        run = current().find(generation.pk)
        assert run is not None
        remains = [weakref.ref(run), weakref.ref(run.log), weakref.ref(run.draft)]
        del run
        if "hang_after" in options:
            await stop(generation.pk)
        await frames_of(generation.pk)
        await current().idle()
        await run_until(lambda: not any(remain() for remain in remains))
        await run_until(lambda: not _texts_in_memory(generation))
    finally:
        gc.enable()
