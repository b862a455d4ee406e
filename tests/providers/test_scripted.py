"""The scripted provider: its wire bytes, its sources and its faults."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest, StreamParser, TextPart, ToolResult, Transcript, Turn
from streaming.providers.scripted import Scripted

DIALECTS = ["openai-chat", "openai-responses", "anthropic-messages"]
REQUEST = GenerationRequest(turns=(Turn(role="user", parts=(TextPart(text="Žluť?"),)),))


async def chunks_of(request: GenerationRequest = REQUEST, **options: Any) -> list[bytes]:
    return [chunk async for chunk in Scripted(**options).stream(request)]


def read(dialect: str, chunks: list[bytes]) -> Transcript:
    parser, transcript = StreamParser(dialect), Transcript()
    for event in [event for chunk in chunks for event in parser.feed(chunk)] + parser.close():
        transcript.apply(event)
    return transcript


@pytest.mark.parametrize("dialect", DIALECTS)
class TestWire:
    async def test_text_arrives_with_its_usage(self, dialect: str) -> None:
        script = "You said {prompt}:\n\n* one\n* two 🙂"
        transcript = read(dialect, await chunks_of(dialect=dialect, text=script))
        assert transcript.text == "You said Žluť?:\n\n* one\n* two 🙂"
        assert (transcript.outcome, transcript.finish_reason) == ("finished", "stop")
        assert transcript.usage is not None
        assert (transcript.usage.input_tokens, transcript.usage.output_tokens) == (1, 8)

    async def test_reasoning_is_apart_from_the_text(self, dialect: str) -> None:
        transcript = read(dialect, await chunks_of(dialect=dialect, reasoning="Let me see.", text="Yes."))
        assert (transcript.reasoning, transcript.text) == ("Let me see.", "Yes.")

    async def test_tool_calls_have_ids_of_their_own(self, dialect: str) -> None:
        calls = [{"name": "weather", "arguments": {"city": city}} for city in ("Rome", "Oslo")]
        transcript = read(dialect, await chunks_of(dialect=dialect, tool_calls=calls))
        assert [call.arguments for call in transcript.tool_calls] == [{"city": "Rome"}, {"city": "Oslo"}]
        assert [call.id for call in transcript.tool_calls] == ["call_0", "call_1"]
        assert transcript.finish_reason == "tool_calls"

    async def test_broken_arguments_stay_broken(self, dialect: str) -> None:
        calls = [{"name": "weather", "arguments": '{"city": "Ro'}]
        [call] = read(dialect, await chunks_of(dialect=dialect, tool_calls=calls)).tool_calls
        assert (call.raw_arguments, call.arguments, call.is_complete) == ('{"city": "Ro', None, False)

    async def test_calls_are_not_made_again_after_their_results(self, dialect: str) -> None:
        result = Turn(role="tool", parts=(ToolResult(call_id="call_0", output="sun"),))
        request = GenerationRequest(turns=(*REQUEST.turns, result))
        calls = [{"name": "weather", "arguments": {}}]
        assert read(dialect, await chunks_of(request, dialect=dialect, tool_calls=calls)).tool_calls == []

    async def test_cutting_changes_nothing(self, dialect: str) -> None:
        options = {"dialect": dialect, "text": "Žluťoučký kůň"}
        assert b"".join(await chunks_of(chunk_size=1, **options)) == b"".join(await chunks_of(**options))

    async def test_a_cut_body_is_truncated(self, dialect: str) -> None:
        chunks = await chunks_of(dialect=dialect, text="one two three four")
        assert read(dialect, chunks[:5]).outcome == "truncated"


class TestSource:
    async def test_chunks_are_sent_as_they_are(self) -> None:
        assert await chunks_of(chunks=["data: é\n\n", b"\xff"]) == ["data: é\n\n".encode(), b"\xff"]

    async def test_a_recording_is_sent_event_by_event(self, tmp_path: Path) -> None:
        recording = tmp_path / "body.sse"
        recording.write_bytes(b"event: a\ndata: 1\n\ndata: 2\r\n\r\ndata: 3")
        assert await chunks_of(recording=str(recording)) == [
            b"event: a\ndata: 1\n\n",
            b"data: 2\r\n\r\n",
            b"data: 3",
        ]


class TestFaults:
    async def test_an_error_may_come_before_the_first_chunk(self) -> None:
        with pytest.raises(ProviderError) as raised:
            await chunks_of(error="rate_limited")
        assert raised.value.code == "rate_limited"

    async def test_the_connection_may_be_lost_between_chunks(self) -> None:
        stream = Scripted(chunks=["a", "b", "c"], fail_after=2).stream(REQUEST)
        assert [await anext(stream), await anext(stream)] == [b"a", b"b"]
        with pytest.raises(ProviderError) as raised:
            await anext(stream)
        assert raised.value.code == "connection_lost"

    async def test_it_may_hang_until_it_is_closed(self) -> None:
        provider = Scripted(chunks=["a", "b"], hang_after=1)
        async with aclosing(provider.stream(REQUEST)) as stream:
            assert await anext(stream) == b"a"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.05)
        assert provider.open_streams == 0

    async def test_delay_is_a_pause_before_each_chunk(self) -> None:
        began = time.monotonic()
        await chunks_of(chunks=["a", "b", "c"], delay=0.02)
        assert time.monotonic() - began >= 0.06


async def test_requests_are_kept_for_tests() -> None:
    provider = Scripted(text="Hi")
    stream = provider.stream(REQUEST)
    await anext(stream)
    assert (list(provider.requests), provider.open_streams) == ([REQUEST], 1)
    await stream.aclose()
    assert provider.open_streams == 0
