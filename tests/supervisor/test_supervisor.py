"""The supervisor completes what was submitted, and its generations count as alive."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from streaming.database import in_database
from streaming.database.threads import _with_fresh_connection
from streaming.models import Generation
from streaming.settlement import reap
from streaming.supervisor import current
from tests.engine import Script, load, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_generation_is_alive_before_a_busy_loop_learns_of_it(scripted: Script, settings: Any) -> None:
    settings.STREAMING_LEASE_SECONDS = 0.1
    scripted(text="Hello")
    submitting = asyncio.create_task(submit())
    with ThreadPoolExecutor(1) as sweeper:
        while not submitting.done():
            await asyncio.sleep(0)
            time.sleep(0.3)  # noqa: ASYNC251  # a loop that is blocked for 0.3 s
            assert sweeper.submit(_with_fresh_connection, reap).result() == 0
    generation = await submitting
    await current().idle()
    assert (await load(generation)).status == "finished"


async def test_submission_is_completed_even_if_its_caller_is_cancelled(scripted: Script) -> None:
    scripted(text="done anyway")
    waiting = asyncio.create_task(submit())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await current().idle()
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.message.text) == ("finished", "done anyway")


async def test_generation_that_cannot_be_started_is_settled_by_the_reaper(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its conversation would be busy until the process ends."""
    settings.STREAMING_LEASE_SECONDS = -1
    monkeypatch.setattr("streaming.supervisor.supervisor.Run", None)
    with pytest.raises(TypeError):
        await submit()
    await in_database(reap)
    assert (await Generation.objects.aget()).status == "interrupted"
