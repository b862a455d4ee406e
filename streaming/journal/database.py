"""The journal in the project's database: it stores frames as rows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Mapping

from django.db import connections

from streaming.conf import settings
from streaming.database import alias
from streaming.journal.contract import MAX_FRAMES_PER_READ, Batch, without_gap
from streaming.models import ACTIVE, Generation, JournalEntry, from_now

# The largest size of the frames in one statement, in bytes, unless one entry alone is larger. A driver holds several
# copies while it sends them, and psycopg encodes them in hexadecimal. The frames of a tick with 500 streams fit.
MAX_BYTES_PER_STATEMENT = 250_000
# The number of generations whose frames are deleted in one transaction.
MAX_PRUNED = 100


class Polling:
    """A watch that polls: the database sends no wake-ups, so the reader reads again after a pause."""

    async def wait(self, after: int, seconds: float) -> None:
        await asyncio.sleep(min(settings.POLL_SECONDS, seconds))

    def close(self) -> None:
        """Does nothing, because a polling watch holds nothing."""


def write_frames(batches: Mapping[uuid.UUID, Batch]) -> None:
    """Stores frames, in the caller's transaction if there is one.

    A batch may come again with more frames, if the answer to its commit was lost. Then the longer batch replaces the
    shorter one. Both begin with the same frames.
    """
    # MySQL finds the violated unique key itself; Django refuses `unique_fields` there.
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
    """Groups entries by statement: each group has at most `MAX_BYTES_PER_STATEMENT` bytes, or one entry."""
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
    """Reads frames as `Journal.read` does. The entry that reaches `limit` is returned whole."""
    entries = JournalEntry.objects.filter(generation=generation_id, last_seq__gt=after, first_seq__lte=after + limit)
    rows = entries.order_by("first_seq").values_list("first_seq", "frames")
    return without_gap(((first_seq, bytes(frames)) for first_seq, frames in rows), after, limit)


def read_status(generation_id: uuid.UUID) -> tuple[bool, int]:
    """Returns a pair: True if the generation is active, and the number of its last frame, known once it is settled."""
    status, last_seq = Generation.objects.values_list("status", "last_seq").get(pk=generation_id)
    return status in ACTIVE, last_seq


def prune_frames() -> int:
    """Deletes the frames of generations that were settled before the retention time. Returns the number of rows.

    It deletes in several transactions, so that no other work waits long for the rows' locks.
    """
    ended = Generation.objects.exclude(status__in=ACTIVE)
    old = ended.filter(finished_at__lt=from_now(-settings.JOURNAL_RETENTION_SECONDS))
    kept = JournalEntry.objects.filter(generation__in=old).order_by().values_list("generation", flat=True).distinct()
    rows = 0
    while generations := list(kept[:MAX_PRUNED]):
        deleted, _ = JournalEntry.objects.filter(generation__in=generations).delete()
        rows += deleted
    return rows
