"""The journal in the project's database: frames as rows, a tick's worth in each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Mapping

from django.db import connections

from streaming.conf import settings
from streaming.database import alias
from streaming.journal.contract import MAX_FRAMES_PER_READ, Batch, without_gap
from streaming.models import ACTIVE, Generation, JournalEntry, from_now

# Bytes of frames in one statement, or a single entry's. A driver has them several times over while it sends them, and
# psycopg writes them out in hexadecimal; a tick of 500 streams fits.
MAX_BYTES_PER_STATEMENT = 250_000
# Generations whose frames are deleted in one transaction.
MAX_PRUNED = 100


class Polling:
    """A watch without wake-ups: the database calls nobody, so the reader looks again after a pause."""

    async def wait(self, after: int, seconds: float) -> None:
        await asyncio.sleep(min(settings.POLL_SECONDS, seconds))

    def close(self) -> None:
        """Nothing is held."""


def write_frames(batches: Mapping[uuid.UUID, Batch]) -> None:
    """Store frames, in the caller's transaction if there is one.

    A batch may come twice, the second time longer: its commit was lost on the way back. The longer one replaces the
    shorter, which begins with the same frames.
    """
    # MySQL finds out by itself which unique key a row offends, and may not be told.
    names_its_target = connections[alias()].features.supports_update_conflicts_with_target
    entries = (_entry(pk, piece) for pk, batch in batches.items() for piece in batch.pieces())
    for statement in _statements(entries):
        JournalEntry.objects.bulk_create(
            statement,
            update_conflicts=True,
            update_fields=("last_seq", "frames"),
            unique_fields=("generation", "first_seq") if names_its_target else None,
        )


def _statements(entries: Iterable[JournalEntry]) -> Iterator[list[JournalEntry]]:
    """Entries together, as far as one statement takes them."""
    together: list[JournalEntry] = []
    size = 0
    for entry in entries:
        size += len(entry.frames)
        if together and size > MAX_BYTES_PER_STATEMENT:
            yield together
            together, size = [], len(entry.frames)
        together.append(entry)
    if together:
        yield together


def _entry(generation_id: uuid.UUID, batch: Batch) -> JournalEntry:
    return JournalEntry(
        generation_id=generation_id,
        first_seq=batch.first_seq,
        last_seq=batch.last_seq,
        frames=b"".join(batch.frames),
    )


def read_frames(generation_id: uuid.UUID, after: int, limit: int = MAX_FRAMES_PER_READ) -> list[bytes]:
    """As `Journal.read`; the entry that passes `limit` is given whole."""
    entries = JournalEntry.objects.filter(generation=generation_id, last_seq__gt=after, first_seq__lte=after + limit)
    rows = entries.order_by("first_seq").values_list("first_seq", "frames")
    return without_gap(((first_seq, bytes(frames)) for first_seq, frames in rows), after, limit)


def read_status(generation_id: uuid.UUID) -> tuple[bool, int]:
    """Whether the generation is still active, and the number of its last frame once it is not."""
    status, last_seq = Generation.objects.values_list("status", "last_seq").get(pk=generation_id)
    return status in ACTIVE, last_seq


def prune_frames() -> int:
    """Delete the frames of generations settled longer ago than the retention time; give the number of rows.

    A few generations at a time, so that nobody waits long for the rows' locks.
    """
    ended = Generation.objects.exclude(status__in=ACTIVE)
    old = ended.filter(finished_at__lt=from_now(-settings.JOURNAL_RETENTION_SECONDS))
    kept = JournalEntry.objects.filter(generation__in=old).order_by().values_list("generation", flat=True).distinct()
    rows = 0
    while generations := list(kept[:MAX_PRUNED]):
        deleted, _ = JournalEntry.objects.filter(generation__in=generations).delete()
        rows += deleted
    return rows
