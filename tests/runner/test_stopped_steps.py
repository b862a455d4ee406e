"""Answers of several requests that end early: what was counted and spent before is kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any, ClassVar

import pytest

from streaming.database import in_database
from streaming.errors import ProviderError
from streaming.models import Status, Summary
from streaming.protocol import GenerationRequest, ToolResult
from streaming.protocol.requests import tokens_sent
from streaming.providers import get_provider
from streaming.providers.scripted import Scripted
from streaming.supervisor import current, stop
from streaming.testing import frames_of
from tests.engine import run_until, submit
from tests.runner.test_fitting import WORDS, Configure, Model, ask, is_for_summary, model, size, talk
from tests.stepwise import requests

__all__ = ["model"]

pytestmark = pytest.mark.usefixtures("engine")

BODY = Model._body


def _fails_after_results(model: Model, request: GenerationRequest) -> Iterator[bytes]:
    if isinstance(request.turns[-1].parts[-1], ToolResult):
        raise ProviderError("authentication")
    return BODY(model, request)


async def test_count_of_a_step_is_kept_if_the_next_step_fails(model: Configure, settings: Any) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    calls = (("c", "get_weather", ('{"city": "Oslo"}',)),)
    model({"window": 2_000, "reserve": 200}, factor=2, calls=calls, _body=_fails_after_results)
    row = await ask(f"q {WORDS}")
    assert (row.status, len(requests())) == ("failed", 2)
    assert row.context["counted"] == 2 * size(requests()[0])
    first, second = map(tokens_sent, requests())
    assert row.context["estimated"] == pytest.approx(first, abs=2)
    assert second > first + 2


async def test_summary_that_is_stopped_twice_is_stored_though_the_database_is_busy(
    model: Configure, settings: Any
) -> None:
    settings.STREAMING_DATABASE_THREADS = 1
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary=None)
    await talk(*range(7))
    generation = await submit(f"q7 {WORDS}")
    await run_until(lambda: is_for_summary(requests()[-1]))
    run, may_go_on = current().find(generation.pk), threading.Event()
    assert run is not None
    busy = asyncio.create_task(in_database(may_go_on.wait, 5))
    await asyncio.sleep(0)
    run.cancel("user")
    await asyncio.sleep(0.02)
    run.interrupt()
    await asyncio.sleep(0.02)
    may_go_on.set()
    await busy
    await frames_of(generation.pk)
    await in_database(bool)  # after everything that waited for the thread
    assert (await Summary.objects.aget()).status == Status.CANCELLED


class SlowToClose(Scripted):
    """A provider whose connection closes more slowly than a tick comes."""

    closed: ClassVar[list[bool]] = []

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        try:
            async for chunk in super().stream(request):
                yield chunk
        finally:
            await asyncio.sleep(0.1)
            self.closed.append(True)


@pytest.mark.parametrize("is_late", [True, False])
async def test_stopped_provider_has_time_to_close(settings: Any, *, is_late: bool) -> None:
    """Each tick reads the same request to stop, and finds the same time limit passed."""
    SlowToClose.closed.clear()
    settings.STREAMING_TICK_SECONDS = 0.01
    settings.STREAMING_STALL_SECONDS = 0.05 if is_late else 60
    entry = {"BACKEND": f"{__name__}.SlowToClose", "OPTIONS": {"text": "one two", "hang_after": 3}}
    settings.STREAMING_PROVIDERS = {"default": entry}
    generation = await submit()
    if not is_late:
        await run_until(lambda: get_provider("default").open_streams == 1)  # type: ignore[attr-defined]
        await stop(generation.pk)
    await frames_of(generation.pk)
    assert SlowToClose.closed == [True]
