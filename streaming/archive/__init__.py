"""Conversations as files, and their end: export, import, deletion.

`bundles` reads conversations with all their rows. A format of `FORMATS` makes text of them; `read_archive` reads the
format `jsonl` back. `prune` deletes conversations in batches; `delete_conversations` deletes those of an owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from streaming.archive.as_csv import spreadsheet
from streaming.archive.as_jsonl import jsonl
from streaming.archive.as_markdown import markdown
from streaming.archive.bundle import Bundle, bundles
from streaming.archive.errors import BadLine
from streaming.archive.pruning import (
    CONVERSATIONS_PER_DELETION,
    delete_conversations,
    forget_expired_shares,
    forget_old,
    prune,
    unused_for,
    without_flagged,
)
from streaming.archive.reading import Import, read_archive

FORMATS: dict[str, Callable[[Iterable[Bundle]], Iterator[str]]] = {
    "jsonl": jsonl,
    "markdown": markdown,
    "csv": spreadsheet,
}
"""The formats of an export by name. Each yields its text piece by piece."""

__all__ = [
    "CONVERSATIONS_PER_DELETION",
    "FORMATS",
    "BadLine",
    "Bundle",
    "Import",
    "bundles",
    "delete_conversations",
    "forget_expired_shares",
    "forget_old",
    "prune",
    "read_archive",
    "unused_for",
    "without_flagged",
]
