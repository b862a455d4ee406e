"""Redacts what is exported. The caller brings the functions, because the archive knows no rule of the site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from streaming.archive.bundle import Bundle
from streaming.archive.shapes import SHAPES, is_shaped
from streaming.models import Attachment, Message
from streaming.protocol import FilePart, Part
from streaming.records import tries_of

OfText = Callable[[str], str]
OfParts = Callable[[tuple[Part, ...]], tuple[Part, ...]]


def redacting(bundles: Iterable[Bundle], *, text: OfText, parts: OfParts) -> Iterator[Bundle]:
    """Yields conversations as the functions let them be seen. Files that are left out of a message go, too.

    The rows are changed in memory, and must not be saved.
    """
    return (_redacted(bundle, text, parts) for bundle in bundles)


def _redacted(bundle: Bundle, text: OfText, parts: OfParts) -> Bundle:
    for row in (row for rows in bundle.rows.values() for row in rows):
        _leave_out_unreadable(row)
    for row, column in ((row, column) for table, column in TEXTS for row in bundle.rows[table]):
        setattr(row, column, text(getattr(row, column)))
    messages: list[Message] = bundle.rows["message"]
    for message in messages:
        message.set_parts(parts(message.typed_parts))
    for generation in bundle.rows["generation"]:
        tries = tries_of(generation.tried)
        generation.tried = tries and [{**msgspec.to_builtins(one), "detail": text(one.detail)} for one in tries]
    return bundle._replace(rows=bundle.rows | {"attachment": _shown(bundle.rows["attachment"], messages)})


TEXTS = (
    ("conversation", "title"),
    ("conversation", "system_prompt"),
    ("generation", "error_detail"),
    ("summary", "text"),
    ("feedback", "comment"),
    ("review", "note"),
)
"""The tables and columns with texts of people, models and providers, beside the parts of messages."""


def _leave_out_unreadable(row: Any) -> None:
    """Empties the JSON columns whose value has another shape, because nobody knows what is in it."""
    for name in SHAPES:
        if getattr(row, name, None) is not None and not is_shaped(name, getattr(row, name)):
            setattr(row, name, None)


def _shown(files: Iterable[Attachment], messages: Iterable[Message]) -> list[Attachment]:
    """Returns the files that the redacted messages still have, with the names that they have there."""
    shown = [part for message in messages for part in message.typed_parts if isinstance(part, FilePart)]
    names = {part.url: part.filename or "" for part in shown}
    found = [one for one in files if f"attachment:{one.pk}" in names]
    for one in found:
        one.name = names[f"attachment:{one.pk}"]
    return found
