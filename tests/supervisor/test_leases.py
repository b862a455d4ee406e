"""Leases are renewed even if frames cannot be stored, and a generation that was settled elsewhere stops."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from django.db import DataError, connections
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from streaming.database import alias
from streaming.intake import Sender, Submission, accept
from streaming.journal import Batch
from streaming.models import Generation, JournalEntry
from streaming.supervisor import current
from streaming.supervisor.leases import Tick, tick
from streaming.testing import chunks_of, frames_of
from tests.engine import ALICE, Script, load, run_until, submit

pytestmark = pytest.mark.usefixtures("engine")


@pytest.mark.journal_rows
async def test_lease_is_renewed_and_stop_is_read_even_if_frames_cannot_be_stored(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    with monkeypatch.context() as patch:
        patch.setattr("streaming.supervisor.leases.write_frames", _too_large)
        await asyncio.sleep(0.2)
        row = await load(generation)
        assert (row.status, await JournalEntry.objects.acount()) == ("running", 0)
        await Generation.objects.filter(pk=generation.pk).aupdate(cancel_requested_at=Now())
        await asyncio.sleep(0.2)
    frames = await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.last_seq) == ("cancelled", len(frames))
    entries = [entry async for entry in JournalEntry.objects.order_by("first_seq")]
    assert b"".join(bytes(entry.frames) for entry in entries) == b"".join(frames)


def _too_large(*args: Any, **kwargs: Any) -> None:
    raise DataError("packet too large")


async def test_fenced_generation_stops_and_writes_nothing_more(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    await Generation.objects.filter(pk=generation.pk).aupdate(status="interrupted", active_conversation=None)
    chunks = chunks_of(await frames_of(generation.pk))
    await current().idle()
    assert chunks[-1]["type"] == "error"
    row = await load(generation)
    assert (row.status, row.message.text) == ("interrupted", "")


def _rows(count: int) -> list[uuid.UUID]:
    """Makes generations that run in the process "me"."""
    accepted = [accept(Sender(ALICE, "me"), Submission(key=f"c{number}", prompt="Hi")) for number in range(count)]
    return [one.generation.pk for one in accepted]


def _ticked(live: Mapping[uuid.UUID, Batch], due: Collection[uuid.UUID]) -> tuple[int, Tick]:
    """Ticks, and counts the statements."""
    with CaptureQueriesContext(connections[alias()]) as captured:
        result = tick("me", live, due)
    return len(captured), result


@pytest.mark.parametrize("count", [1, 3])
def test_tick_takes_few_statements_and_renews_only_what_is_due(transactional_db: None, count: int) -> None:
    pks = _rows(count)
    silent = {pk: Batch(1, []) for pk in pks}
    writing = {pk: Batch(1, [b"id: 1\ndata: {}\n\n"]) for pk in pks}
    before = set(Generation.objects.values_list("lease_until", flat=True))
    assert _ticked(silent, ()) == (1, Tick(dict.fromkeys(pks), has_written=True))
    assert _ticked(writing, ()) == (4, Tick(dict.fromkeys(pks), has_written=True))
    assert set(Generation.objects.values_list("status", "lease_until")) == {("pending", at) for at in before}
    assert _ticked(writing, pks)[0] == 7
    assert JournalEntry.objects.count() == count
    assert not before & set(Generation.objects.filter(status="running").values_list("lease_until", flat=True))


@pytest.mark.parametrize("due", [True, False])
def test_tick_writes_nothing_for_a_generation_that_was_settled_elsewhere(transactional_db: None, *, due: bool) -> None:
    mine, lost = _rows(2)
    Generation.objects.filter(pk=lost).update(status="interrupted", active_conversation=None)
    live = {pk: Batch(1, [b"id: 1\ndata: {}\n\n"]) for pk in (mine, lost)}
    assert tick("me", live, [mine, lost] if due else ()).held == {mine: None}
    assert [entry.generation_id for entry in JournalEntry.objects.all()] == [mine]


async def test_lease_is_renewed_in_time_and_not_at_each_tick(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS, settings.STREAMING_LEASE_SECONDS = 0.01, 1
    renewed: list[bool] = []

    def note(worker: str, live: Any, due: Collection[uuid.UUID]) -> Tick:
        renewed.append(bool(due))
        return tick(worker, live, due)

    monkeypatch.setattr("streaming.supervisor.ticker.tick", note)
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    began = time.monotonic()
    await run_until(lambda: sum(renewed) == 3)
    took = time.monotonic() - began
    current().cancel_all("user")
    await frames_of(generation.pk)
    assert renewed[0]
    assert sum(renewed[1:]) < len(renewed) / 2, "it is renewed at each tick"
    assert took > 0.4, "it is renewed long before it is due"
