"""The ticker: every frame reaches the journal once, and time limits hold even if the database hangs."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from typing import Any

import pytest
from django.db import OperationalError

from streaming.database import in_database
from streaming.journal.contract import MAX_FRAMES_PER_READ
from streaming.models import Generation, JournalEntry
from streaming.providers import get_provider
from streaming.settlement import settle
from streaming.supervisor import current, stop
from streaming.supervisor.leases import tick
from streaming.testing import frames_of
from tests.engine import Script, load, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_ticks_continue_after_their_task_was_cancelled(settings: Any, scripted: Script) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.02)
    generation = await submit()
    ticker = current()._ticker
    ticking = ticker._loops[ticker._tick_while_busy]
    ticking.cancel()
    await asyncio.wait([ticking], timeout=30)
    assert ticking.cancelled()
    await in_database(Generation.objects.filter(pk=generation.pk).request_cancel, "user")
    await asyncio.wait_for(current().idle(), 15)
    assert (await load(generation)).status == "cancelled"


async def test_tick_does_not_wait_for_all_runs_that_settle(
    settings: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others would otherwise lose their leases to another process, when hundreds of generations end at once."""
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_MAX_ACTIVE_PER_OWNER = 0.02, 30
    happened: list[str] = []

    def slow(*arguments: Any) -> bool:
        time.sleep(0.02)
        happened.append("settled")
        return settle(*arguments)

    def seen(*arguments: Any) -> Any:
        happened.append("tick")
        return tick(*arguments)

    monkeypatch.setattr("streaming.runner.run.settle", slow)
    monkeypatch.setattr("streaming.supervisor.ticker.tick", seen)
    scripted(text="Hello", hang_after=1)
    for number in range(30):
        await submit(key=f"c{number}")
    await asyncio.sleep(0.1)
    current().cancel_all("user")
    await asyncio.wait_for(current().idle(), 30)
    between = [len(list(some)) for what, some in itertools.groupby(happened) if what == "settled"]
    assert sum(between) == 30
    assert max(between) <= 3, "one that settles, one that waits next, and one during the pause between ticks"


async def _until_stored(generation: Generation, entries: int) -> None:
    """Waits until the ticks have stored so many entries, for at most 30 seconds."""
    async with asyncio.timeout(30):
        while await JournalEntry.objects.filter(generation=generation).acount() < entries:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.journal_rows
async def test_journal_holds_every_frame_once(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.01
    scripted(text="word " * 100_000, delay=0.001)
    generation = await submit()
    await _until_stored(generation, 4)
    await stop(generation.pk)
    frames = await frames_of(generation.pk)
    await current().idle()
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)
    for before, after in itertools.pairwise(entries):
        assert after.first_seq == before.last_seq + 1


@pytest.mark.journal_rows
async def test_burst_is_stored_in_entries_of_at_most_one_read(scripted: Script) -> None:
    scripted(text="word " * 600)
    frames = await frames_of((await submit()).pk)
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)
    assert max(entry.last_seq - entry.first_seq for entry in entries) < MAX_FRAMES_PER_READ


@pytest.mark.journal_rows
async def test_tick_writes_a_limited_number_of_bytes_and_the_next_one_the_rest(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    monkeypatch.setattr("streaming.supervisor.ticker.MAX_BYTES_PER_TICK", 200)
    scripted(text="word " * 300, hang_after=300)
    generation = await submit()
    await _until_stored(generation, 3)
    settings.STREAMING_TICK_SECONDS = 60  # at most one more tick comes
    await stop(generation.pk)
    frames = await frames_of(generation.pk)
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)
    sizes = [len(entry.frames) for entry in entries]
    assert max(sizes[:3]) <= 300 < max(sizes[3:]), "the end writes all that is left"


@pytest.mark.journal_rows
async def test_frame_larger_than_the_limit_of_a_tick_is_written(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    monkeypatch.setattr("streaming.supervisor.ticker.MAX_BYTES_PER_TICK", 10)
    scripted(text="word " * 10, hang_after=8)
    generation = await submit()
    await _until_stored(generation, 6)
    await stop(generation.pk)
    await frames_of(generation.pk)


async def test_time_limit_holds_while_the_database_hangs(
    settings: Any, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    settings.STREAMING_FIRST_DELTA_SECONDS = 0.3
    is_back = threading.Event()
    scripted(text="late", hang_after=0)
    with monkeypatch.context() as patch:
        patch.setattr("streaming.supervisor.ticker.tick", lambda *args: _hang(is_back))
        generation = await submit()
        async with asyncio.timeout(30):
            while not (asked := get_provider()).requests or asked.open_streams:  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await load(generation)).is_active
        is_back.set()
        await frames_of(generation.pk)
    assert (await load(generation)).error_code == "timeout_first_delta"


def _hang(is_back: threading.Event) -> None:
    assert is_back.wait(30)
    raise OperationalError("the server is back, and the connection gone")
