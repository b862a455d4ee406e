"""Leases are renewed even if frames cannot be stored, and a generation that was settled elsewhere stops."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import DataError
from django.db.models.functions import Now

from streaming.models import Generation, JournalEntry
from streaming.supervisor import current
from streaming.testing import chunks_of, frames_of
from tests.engine import Script, load, submit

pytestmark = pytest.mark.usefixtures("engine")


@pytest.mark.journal_rows
async def test_lease_is_renewed_and_stop_is_read_even_if_frames_cannot_be_stored(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    with monkeypatch.context() as patch:
        patch.setattr("streaming.journal.database.JournalEntry.objects.bulk_create", _too_large)
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
