"""The real local model in all three dialects, read by the parser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest, StreamParser, Transcript
from streaming.providers.local import LocalModel
from tests.local_model import DIALECTS, RunningModel, asked, weather_question

pytestmark = pytest.mark.local_model

COLOURS = GenerationRequest(turns=(asked("Name three colours."),), temperature=0, max_output_tokens=40)
LONG = GenerationRequest(turns=(asked("Tell me a long story."),), max_output_tokens=2000)


@pytest.fixture(params=DIALECTS)
async def provider(request: pytest.FixtureRequest, local_model: RunningModel) -> AsyncIterator[LocalModel]:
    made = LocalModel(dialect=request.param)
    yield made
    await made.close()


async def transcript_of(provider: LocalModel, request: GenerationRequest) -> Transcript:
    parser, transcript = StreamParser(provider.dialect), Transcript()
    async for chunk in provider.stream(request):
        for event in parser.feed(chunk):
            transcript.apply(event)
    for event in parser.close():
        transcript.apply(event)
    return transcript


async def test_text_streams(provider: LocalModel) -> None:
    async with aclosing(provider.stream(LONG)) as chunks:
        arrivals = [(await anext(chunks), time.monotonic())[1] for _ in range(10)]
    assert len({round(arrival, 3) for arrival in arrivals}) > 5


async def test_an_answer_has_its_usage(provider: LocalModel) -> None:
    transcript = await transcript_of(provider, COLOURS)
    assert transcript.outcome == "finished"
    assert len(transcript.text.split()) > 3
    assert transcript.usage is not None
    assert _input_tokens(transcript) > 5
    assert 3 < (transcript.usage.output_tokens or 0) <= 40


async def test_the_answer_ends_at_the_length_limit(provider: LocalModel) -> None:
    transcript = await transcript_of(provider, GenerationRequest(turns=LONG.turns, max_output_tokens=5))
    # in the Responses dialect this server reports a normal end at the limit
    assert transcript.finish_reason == ("stop" if provider.dialect == "openai-responses" else "length")
    assert transcript.usage is not None
    assert transcript.usage.output_tokens == 5


async def test_the_system_prompt_arrives(provider: LocalModel) -> None:
    bare, told = [
        (await transcript_of(provider, GenerationRequest(turns=COLOURS.turns, system=system, max_output_tokens=1)))
        for system in ("", "Answer in French. " * 10)
    ]
    assert bare.usage is not None
    assert told.usage is not None
    assert _input_tokens(told) > _input_tokens(bare) + 20


def _input_tokens(transcript: Transcript) -> int:
    """Returns all input tokens. In the Messages dialect, `input_tokens` does not include cached ones."""
    usage: Any = transcript.usage
    return int(usage.total_tokens or usage.input_tokens + (usage.cached_input_tokens or 0))


async def test_a_forced_tool_call_streams_its_arguments(provider: LocalModel) -> None:
    transcript = await transcript_of(provider, weather_question())
    [call] = transcript.tool_calls
    assert (call.name, call.arguments, call.is_complete) == ("get_weather", {"city": "Lima", "days": 5}, True)
    assert call.id
    assert transcript.finish_reason == "tool_calls"


async def test_two_tool_calls_stream_in_one_answer(provider: LocalModel) -> None:
    calls = (await transcript_of(provider, weather_question(is_parallel=True))).tool_calls
    assert len(calls) == 2
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.is_complete and call.arguments for call in calls)


async def test_four_answers_stream_at_once(provider: LocalModel) -> None:
    transcripts = await asyncio.gather(*(transcript_of(provider, COLOURS) for _ in range(4)))
    assert {transcript.outcome for transcript in transcripts} == {"finished"}


async def test_closing_the_stream_ends_the_generation(provider: LocalModel) -> None:
    """A closed stream frees its slot. After four, the next request does not wait until their 2000 tokens are done."""
    for _ in range(4):
        async with aclosing(provider.stream(LONG)) as chunks:
            await anext(chunks)
    async with asyncio.timeout(10):
        await transcript_of(provider, COLOURS)


async def test_a_conversation_that_is_too_long_is_an_error(provider: LocalModel) -> None:
    with pytest.raises(ProviderError) as raised:
        await transcript_of(provider, GenerationRequest(turns=(asked("word " * 9000),)))
    assert raised.value.code == "context_length"
