"""The journal in the project's database: frames as rows, leases and cancel requests beside them.

A tick is one transaction for all of a process's generations: renew their leases (which locks their rows, so that nobody
settles them meanwhile), read who was asked to stop, insert the new frames. Three statements, however many tokens.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import transaction

from streaming.conf import settings
from streaming.journal.live import MAX_FRAMES_PER_READ
from streaming.models import Generation, JournalEntry
from streaming.models.generations import ACTIVE, from_now
from streaming.protocol.ui_stream import split_frames


class Batch(NamedTuple):
    """Consecutive frames of one generation, `first_seq` the number of the first."""

    first_seq: int
    frames: Sequence[bytes]

    def entry(self, generation_id: uuid.UUID) -> JournalEntry:
        return JournalEntry(
            generation_id=generation_id,
            first_seq=self.first_seq,
            last_seq=self.first_seq + len(self.frames) - 1,
            frames=b"".join(self.frames),
        )


def tick(worker: str, live: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, str | None]:
    """Write the new frames of `live` generations; give those still held by `worker`, with their cancel reason.

    A generation that is missing from the answer has been settled by somebody else: stop running it.
    """
    with transaction.atomic():
        held = Generation.objects.held_by(worker, live)
        held.update(lease_until=from_now(settings.LEASE_SECONDS))
        reasons = {
            pk: (reason or "user") if requested_at else None
            for pk, requested_at, reason in held.values_list("pk", "cancel_requested_at", "cancel_reason")
        }
        JournalEntry.objects.bulk_create([live[pk].entry(pk) for pk in reasons if live[pk].frames])
    return reasons


def append(generation_id: uuid.UUID, batch: Batch) -> None:
    """Write the last frames of a generation, in the caller's transaction."""
    if batch.frames:
        batch.entry(generation_id).save(force_insert=True)


def read(generation_id: uuid.UUID, after: int, limit: int = MAX_FRAMES_PER_READ) -> list[bytes]:
    """At most about `limit` frames after number `after`; empty when there are none, or when the head is gone.

    Frames are only ever given without a gap: a journal that has lost the frame after `after` gives nothing.
    """
    entries = JournalEntry.objects.filter(generation=generation_id, last_seq__gt=after).order_by("first_seq")
    frames: list[bytes] = []
    for entry in entries.iterator(chunk_size=16):
        if entry.first_seq > after + len(frames) + 1:
            break
        frames += split_frames(bytes(entry.frames))[max(0, after - entry.first_seq + 1) :]
        if len(frames) >= limit:
            break
    return frames


def read_status(generation_id: uuid.UUID) -> tuple[bool, int]:
    """Whether the generation is still active, and the number of its last frame once it is not."""
    status, last_seq = Generation.objects.values_list("status", "last_seq").get(pk=generation_id)
    return status in ACTIVE, last_seq


def prune() -> int:
    """Delete the frames of generations settled longer ago than the retention time; give the number of rows."""
    old = Generation.objects.exclude(status__in=ACTIVE).filter(
        finished_at__lt=from_now(-settings.JOURNAL_RETENTION_SECONDS)
    )
    deleted, _ = JournalEntry.objects.filter(generation__in=old).delete()
    return deleted
