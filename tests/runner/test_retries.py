"""Retries: a provider that fails before the first delta is asked again, within limits."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from streaming.errors import ProviderError
from streaming.models import Generation
from streaming.providers import get_provider
from streaming.supervisor import stop
from streaming.testing import chunks_of, frames_of, text_of
from tests.engine import Script, load, submit

pytestmark = pytest.mark.usefixtures("engine")


HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


REFUSED = b'data: {"choices":[{"index":0,"delta":{"refusal":"I will not."}}]}\n\n'


OVERLOADED = b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


class Flaky:
    """A provider with one given outcome for each call. When these are used up, it answers."""

    dialect = "openai-chat"
    model = "flaky"
    parser_options: ClassVar[dict[str, Any]] = {}
    outcomes: ClassVar[list[Any]] = []
    calls: ClassVar[list[float]] = []

    async def stream(self, request: Any) -> AsyncGenerator[bytes]:
        Flaky.calls.append(time.monotonic())
        outcome = Flaky.outcomes.pop(0) if Flaky.outcomes else HELLO
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome

    async def close(self) -> None: ...

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


@pytest.fixture
def flaky(settings: Any, monkeypatch: pytest.MonkeyPatch) -> type[Flaky]:
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": f"{__name__}.Flaky"}}
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    Flaky.calls, Flaky.outcomes = [], []  # type: ignore[misc]
    return Flaky


async def test_provider_that_fails_after_a_refusal_is_not_asked_again(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(REFUSED + OVERLOADED)
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.attempts, len(flaky.calls)) == ("failed", 1, 1)
    assert "".join(chunk.get("delta", "") for chunk in chunks_of(frames)) == "I will not."
    assert row.message.typed_parts


@pytest.mark.parametrize(
    "outcome",
    [ProviderError("rate_limited"), ProviderError("unreachable"), ProviderError("connection_lost"), OVERLOADED],
)
async def test_provider_that_fails_before_the_first_delta_is_asked_again(flaky: type[Flaky], outcome: Any) -> None:
    flaky.outcomes.append(outcome)
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    assert (row.status, row.attempts, len(flaky.calls), text_of(frames)) == ("finished", 2, 2, "Hello")
    assert [chunk["type"] for chunk in chunks_of(frames)].count("start") == 1


async def test_number_of_retries_is_limited(flaky: type[Flaky], settings: Any) -> None:
    settings.STREAMING_PROVIDER_RETRIES = 2
    flaky.outcomes += [ProviderError("overloaded")] * 9
    await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    assert (row.status, row.error_code, row.attempts, len(flaky.calls)) == ("failed", "overloaded", 3, 3)


async def test_retry_waits_as_long_as_the_provider_asks(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(ProviderError("rate_limited", retry_after=0.3))
    await frames_of((await submit()).pk)
    assert flaky.calls[1] - flaky.calls[0] >= 0.3


async def test_provider_that_asks_for_too_long_a_pause_is_not_asked_again(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(ProviderError("rate_limited", retry_after=3600))
    await frames_of((await submit()).pk)
    assert len(flaky.calls) == 1


@pytest.mark.parametrize("code", ["authentication", "bad_request", "context_length", "model_not_found"])
async def test_permanent_error_is_not_tried_again(flaky: type[Flaky], code: str) -> None:
    flaky.outcomes.append(ProviderError(code))
    await frames_of((await submit()).pk)
    assert len(flaky.calls) == 1


@pytest.mark.parametrize(
    ("word", "code", "tries"),
    [
        ("content_policy_violation", "bad_request", 1),
        ("invalid_prompt", "bad_request", 1),
        ("image_content_policy_violation", "bad_request", 1),
        ("nobody_knows_this", "provider_error", 1),
        ("engine_overloaded", "overloaded", 3),
        ("409", "overloaded", 3),
        ("", "provider_error", 3),
    ],
)
async def test_code_of_an_error_inside_the_stream_decides_how_often_a_provider_is_asked(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch, word: str, code: str, tries: int
) -> None:
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    settings.STREAMING_PROVIDER_RETRIES = 2
    scripted(chunks=[f"data: {json.dumps({'error': {'message': 'no', 'code': word}})}\n\n"])
    await frames_of((await submit()).pk)
    row = await Generation.objects.aget()
    requests = get_provider().requests  # type: ignore[attr-defined]
    assert (row.status, row.error_code, row.attempts, len(requests)) == ("failed", code, tries, tries)


async def test_provider_is_not_asked_again_when_readers_have_seen_a_delta(scripted: Script) -> None:
    scripted(text="one two three four", error="overloaded", fail_after=3)
    await frames_of((await submit()).pk)
    assert (await Generation.objects.aget()).attempts == 1


async def test_stop_ends_the_pause_before_a_retry(flaky: type[Flaky]) -> None:
    flaky.outcomes.append(ProviderError("rate_limited", retry_after=10))
    generation = await submit()
    await asyncio.sleep(0.05)
    await stop(generation.pk)
    await asyncio.wait_for(frames_of(generation.pk), 8)
    assert (await load(generation)).status == "cancelled"
