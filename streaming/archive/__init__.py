"""Conversations as files, and their end: export, import, deletion.

`bundles` reads conversations with all their rows. A format of `FORMATS` makes text of them; `read_archive` reads the
format `jsonl` back. `prune` deletes conversations in batches; `delete_conversations` deletes those of an owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from streaming.archive.as_csv import plain_cell, spreadsheet
from streaming.archive.as_jsonl import jsonl
from streaming.archive.as_markdown import markdown
from streaming.archive.bundle import Bundle, bundles
from streaming.archive.errors import BadLine
from streaming.archive.pruning import (
    CONVERSATIONS_PER_DELETION,
    delete_conversations,
    delete_some,
    delete_unsent,
    forget_expired_shares,
    forget_old,
    forget_revoked_links,
    prune,
    unused_for,
    without_flagged,
)
from streaming.archive.reading import Import, read_archive
from streaming.archive.redaction import redacting
from streaming.archive.staff_access import accesses_before, forget_old_accesses, prune_accesses

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
    "accesses_before",
    "bundles",
    "delete_conversations",
    "delete_some",
    "delete_unsent",
    "forget_expired_shares",
    "forget_old",
    "forget_old_accesses",
    "forget_revoked_links",
    "plain_cell",
    "prune",
    "prune_accesses",
    "read_archive",
    "redacting",
    "unused_for",
    "without_flagged",
]
