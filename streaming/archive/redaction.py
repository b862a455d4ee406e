"""Redacts what is exported. The caller brings the functions, because the archive knows no rule of the site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from streaming.archive.bundle import Bundle
from streaming.archive.shapes import SHAPES, is_shaped
from streaming.models import Attachment, Generation, Message, Summary
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
    conversation = bundle.conversation
    for row in (row for rows in bundle.rows.values() for row in rows):
        _leave_out_unreadable(row)
    conversation.title, conversation.system_prompt = text(conversation.title), text(conversation.system_prompt)
    messages: list[Message] = bundle.rows["message"]
    for message in messages:
        message.set_parts(parts(message.typed_parts))
    summaries: list[Summary] = bundle.rows["summary"]
    for summary in summaries:
        summary.text = text(summary.text)
    generations: list[Generation] = bundle.rows["generation"]
    for generation in generations:
        generation.error_detail = text(generation.error_detail)
        tries = tries_of(generation.tried)
        generation.tried = tries and [{**msgspec.to_builtins(one), "detail": text(one.detail)} for one in tries]
    for opinion in bundle.rows["feedback"]:
        opinion.comment = text(opinion.comment)
    for review in bundle.rows["review"]:
        review.note = text(review.note)
    return bundle._replace(rows=bundle.rows | {"attachment": _shown(bundle.rows["attachment"], messages)})


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
