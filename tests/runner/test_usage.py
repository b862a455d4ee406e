"""The usage of answers that broke off: it is estimated, it is marked, and it counts in the limits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from streaming.database import in_database
from streaming.errors import TooManyRequests
from streaming.models import Generation
from streaming.settlement import reap
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, frames_of
from tests.engine import Script, leave_for_dead, load, run_until, submit
from tests.stepwise import WEATHER, called, says

pytestmark = pytest.mark.usefixtures("engine")

DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")
WORDS = "four " * 400
HANG = 300
"""The number of chunks after which the model hangs."""
ENOUGH = 1000
"""The number of bytes after which the tests press Stop: a part of what the model says before it hangs."""


async def _stopped(key: str = "c1") -> Generation:
    """Asks, waits for the whole text, and presses Stop."""
    generation = await submit("Tell me!" * 100, key=key)
    await run_until(lambda: _size_of(generation) >= ENOUGH)
    await stop(generation.pk)
    await frames_of(generation.pk)
    return await load(generation)


def _size_of(generation: Generation) -> int:
    run = current().find(generation.pk)
    return 0 if run is None else len(run.draft.transcript.text)


def _estimate(row: Generation) -> int:
    return -(-len(row.message.text) // 4)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_usage_of_a_stopped_answer_is_estimated(scripted: Script, dialect: str) -> None:
    scripted(text=WORDS, hang_after=HANG, dialect=dialect)
    row = await _stopped()
    assert (row.status, row.output_tokens, row.is_usage_estimated) == ("cancelled", _estimate(row), True)
    assert row.input_tokens
    assert row.metadata["usage"]["isEstimated"] is True


async def test_last_chunk_says_that_the_usage_is_estimated(scripted: Script) -> None:
    scripted(text=WORDS, hang_after=HANG)
    row = await _stopped()
    usage = chunks_of(await frames_of(row.pk))[-1]["messageMetadata"]["usage"]
    assert usage == {"inputTokens": row.input_tokens, "outputTokens": row.output_tokens, "isEstimated": True}


async def test_stopped_answers_count_in_the_daily_limit(scripted: Script, settings: Any) -> None:
    scripted(text=WORDS, hang_after=HANG)
    settings.STREAMING_MAX_TOKENS_PER_DAY = 2 * (ENOUGH // 4 + 200)
    await _stopped("c1")
    await _stopped("c2")
    with pytest.raises(TooManyRequests, match="for a day"):
        await submit(key="c3")


async def test_usage_of_a_finished_answer_is_the_providers(scripted: Script) -> None:
    scripted(text=WORDS)
    generation = await submit()
    await frames_of(generation.pk)
    row = await load(generation)
    assert row.output_tokens is not None
    assert row.is_usage_estimated is False
    assert "isEstimated" not in row.metadata["usage"]


async def test_steps_that_finished_keep_their_reports(settings: Any, site_tools: None) -> None:
    says(settings, ("", (WEATHER, ("w", "waits", "{}"))))
    generation = await submit()
    await called(2)
    await stop(generation.pk)
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.input_tokens, row.is_usage_estimated) == ("cancelled", 10, False)


async def test_provider_that_refuses_costs_nothing(scripted: Script, settings: Any) -> None:
    settings.STREAMING_PROVIDER_RETRIES = 0
    scripted(dialect="anthropic-messages", chunks=[OVERLOADED])
    generation = await submit()
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.input_tokens, row.output_tokens, row.is_usage_estimated) == ("failed", None, None, False)


OVERLOADED = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'


def _delta(text: str, **more: Any) -> str:
    return "data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more}) + "\n\n"


@pytest.mark.parametrize(
    ("said", "stored", "is_estimated"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 450}, (7, 450), False),
        ({"prompt_tokens": 7, "completion_tokens": 1}, (7, 500), True),
        ({"prompt_tokens": 0, "completion_tokens": 450}, (1, 450), True),
    ],
    ids=["reported", "placeholder", "unknown input"],
)
async def test_report_in_the_middle_counts_unless_it_is_a_placeholder(
    scripted: Script, said: dict[str, int], stored: tuple[int, int], is_estimated: bool
) -> None:
    scripted(chunks=[_delta(WORDS, usage=said)])
    generation = await submit("Hi")
    await frames_of(generation.pk)
    row = await load(generation)
    assert row.status == "truncated"
    assert (row.input_tokens, row.output_tokens, row.is_usage_estimated) == (*stored, is_estimated)


async def test_usage_of_a_crashed_answer_is_estimated(scripted: Script, settings: Any) -> None:
    settings.STREAMING_LEASE_SECONDS = -1
    scripted(text=WORDS, hang_after=HANG)
    generation = await submit("Tell me!" * 100)
    await run_until(lambda: _size_of(generation) >= ENOUGH)
    run = current().find(generation.pk)
    assert run is not None
    async with asyncio.timeout(30):
        while run.written < run.log.last_seq:  # noqa: ASYNC110  # no event announces a tick
            await asyncio.sleep(0.01)
    leave_for_dead(generation)
    assert await in_database(reap) == 1
    row = await load(generation)
    assert (row.status, row.output_tokens, row.is_usage_estimated) == ("interrupted", _estimate(row), True)
    assert row.input_tokens == 200
    run.fence()
