"""Conversations as files, and their end: export, import, deletion.

`bundles` reads conversations with all their rows. A format of `FORMATS` makes text of them; `read_archive` reads the
format `jsonl` back. `prune` deletes conversations in batches; `delete_conversations` deletes those of an owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from streaming.archive.bundles import Bundle, bundles
from streaming.archive.errors import BadLine
from streaming.archive.jsonl import jsonl
from streaming.archive.markdown import markdown
from streaming.archive.pruning import (
    CONVERSATIONS_PER_DELETION,
    delete_conversations,
    forget_old,
    prune,
    unused_for,
)
from streaming.archive.reading import Import, read_archive
from streaming.archive.spreadsheet import spreadsheet

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
    "forget_old",
    "prune",
    "read_archive",
    "unused_for",
]
