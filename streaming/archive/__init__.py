"""Conversations as files, and their end: export, import, deletion.

`bundles` reads conversations with all their rows. A format of `FORMATS` makes text of them; `read_archive` reads the
format `jsonl` back. `prune` deletes conversations in batches; `delete_conversations` deletes those of an owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from streaming.archive.as_csv import plain_cell, spreadsheet
from streaming.archive.as_jsonl import jsonl
from streaming.archive.as_markdown import markdown
from streaming.archive.bundle import Bundle, bundles
from streaming.archive.errors import BadLine
from streaming.archive.leftovers import forget_expired_shares, forget_old_entries, forget_revoked_links
from streaming.archive.pruning import (
    CONVERSATIONS_PER_DELETION,
    delete_conversations,
    forget_old,
    prune,
    unused_for,
    without_flagged,
)
from streaming.archive.reading import Import, read_archive
from streaming.archive.redaction import redacting
from streaming.archive.shapes import is_shaped
from streaming.archive.staff_access import accesses_before, forget_old_accesses, prune_accesses
from streaming.models import Attachment


class Format(Protocol):
    """Yields the text of an export piece by piece. Calls `on_lost` with each file that the storage does not give."""

    def __call__(self, bundles: Iterable[Bundle], on_lost: Callable[[Attachment], object] = ...) -> Iterator[str]: ...


def _without_files(write: Callable[[Iterable[Bundle]], Iterator[str]]) -> Format:
    """Returns a format that has no bytes of files, so none is lost."""
    return lambda bundles, on_lost=None: write(bundles)


FORMATS: dict[str, Format] = {
    "jsonl": jsonl,
    "markdown": _without_files(markdown),
    "csv": _without_files(spreadsheet),
}
"""The formats of an export by name."""

__all__ = [
    "CONVERSATIONS_PER_DELETION",
    "FORMATS",
    "BadLine",
    "Bundle",
    "Format",
    "Import",
    "accesses_before",
    "bundles",
    "delete_conversations",
    "forget_expired_shares",
    "forget_old",
    "forget_old_accesses",
    "forget_old_entries",
    "forget_revoked_links",
    "is_shaped",
    "plain_cell",
    "prune",
    "prune_accesses",
    "read_archive",
    "redacting",
    "unused_for",
    "without_flagged",
]
