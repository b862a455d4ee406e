"""The journal in the project's database: it stores frames as rows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.constants import OnConflict

from streaming.conf import settings
from streaming.database import alias
from streaming.journal.contract import MAX_FRAMES_PER_READ, Batch, without_gap
from streaming.models import ACTIVE, Generation, JournalEntry, from_now

# The largest size of the frames in one statement, in bytes, unless one entry alone is larger. A driver holds several
# copies while it sends them, and psycopg encodes them in hexadecimal. The frames of a tick with 500 streams fit.
MAX_BYTES_PER_STATEMENT = 250_000
# The limit of a read that has no limit. The number of a frame fits an integer column of every database.
EVERY_FRAME = 2**30
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
    connection = connections[alias()]
    for group in _bounded((pk, piece) for pk, batch in batches.items() for piece in batch.pieces()):
        _store(connection, group)


Piece = tuple[uuid.UUID, Batch]
"""The frames of one entry, with their generation."""

COLUMNS: list[Any] = [JournalEntry._meta.get_field(name) for name in ("generation", "first_seq", "last_seq", "frames")]


def _store(connection: BaseDatabaseWrapper, pieces: list[Piece]) -> None:
    """Stores one entry for each piece.

    It is not `bulk_create`, which makes the statement anew each time.
    """
    generation, _, _, frames = COLUMNS
    rows = [
        (
            generation.get_db_prep_value(pk, connection),
            piece.first_seq,
            piece.last_seq,
            frames.get_db_prep_value(b"".join(piece.frames), connection),
        )
        for pk, piece in pieces
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_upsert(connection), rows)


def _upsert(connection: BaseDatabaseWrapper) -> str:
    """Returns the statement that stores an entry, or replaces the frames of one that is there."""
    operations, names = connection.ops, [field.column for field in COLUMNS]
    quoted = ", ".join(map(operations.quote_name, names))
    replace = operations.on_conflict_suffix_sql(COLUMNS, OnConflict.UPDATE, names[2:], names[:2])
    table = operations.quote_name(JournalEntry._meta.db_table)
    return f"INSERT INTO {table} ({quoted}) VALUES (%s, %s, %s, %s) {replace}"  # noqa: S608  # only names


def _bounded(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Groups pieces: each group has at most `MAX_BYTES_PER_STATEMENT` bytes of frames, or one piece."""
    together: list[Piece] = []
    size = 0
    for piece in pieces:
        size += piece[1].size
        if together and size > MAX_BYTES_PER_STATEMENT:
            yield together
            together, size = [], piece[1].size
        together.append(piece)
    if together:
        yield together


def read_frames(generation_id: uuid.UUID, after: int, limit: int = MAX_FRAMES_PER_READ) -> list[bytes]:
    """Reads frames as `Journal.read` does. The entry that reaches `limit` is returned whole."""
    entries = JournalEntry.objects.filter(generation=generation_id, last_seq__gt=after, first_seq__lte=after + limit)
    rows = entries.order_by("first_seq").values_list("first_seq", "frames")
    return without_gap(((first_seq, bytes(frames)) for first_seq, frames in rows), after, limit)


def read_status(generation_id: uuid.UUID) -> tuple[bool, int]:
    """Returns a pair: True if the generation is active, and the number of its last frame, known once it is settled."""
    status, last_seq = Generation.objects.values_list("status", "last_seq").get(pk=generation_id)
    return status in ACTIVE, last_seq


def prune_frames() -> Iterator[int]:
    """Deletes the frames of generations that were settled before the retention time.

    Yields how many rows each transaction deleted. There are several, so that no other work waits long for locks.
    """
    ended = Generation.objects.exclude(status__in=ACTIVE)
    old = ended.filter(finished_at__lt=from_now(-settings.JOURNAL_RETENTION_SECONDS))
    kept = JournalEntry.objects.filter(generation__in=old).order_by().values_list("generation", flat=True).distinct()
    while generations := list(kept[:MAX_PRUNED]):
        deleted, _ = JournalEntry.objects.filter(generation__in=generations).delete()
        yield deleted
