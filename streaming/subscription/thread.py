"""A conversation as a thread of AG-UI: its messages, as a client has them that followed all of its answers."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from streaming.agui import Event, Fold, Translator, is_end
from streaming.journal import Opening
from streaming.models import Conversation, History, Role, contributions, parts_of
from streaming.models import Message as Row
from streaming.protocol import FilePart, Part, TextPart

Message = dict[str, Any]
KINDS = ("image", "audio", "video")
"""The types of files that have a part of their own. All others are documents."""


class Thread(NamedTuple):
    """The messages of the path that is shown, without those of an answer that is being written.

    `end` is the event that ended the last run, `state` the one for a reader who has not followed it.
    Both are None if the last message is no answer that has ended.
    """

    messages: list[Message]
    end: Event | None = None
    state: Event | None = None


NO_THREAD = Thread([])


def thread_of(conversation: Conversation, without: uuid.UUID | None = None) -> Thread:
    """Reads a conversation, without the messages of the generation `without`. Makes one query."""
    history = History.read(conversation)
    thread = NO_THREAD
    for rows in contributions(history.path(history.leaf)):
        more = _asked(rows[0]) if rows[0].role == Role.USER else _answered(rows, without)
        thread = more._replace(messages=thread.messages + more.messages)
    return thread


def _asked(row: Row) -> Thread:
    """The user's message. Its files have the URLs of rows."""
    shown = [_shown(part) for part in row.typed_parts if isinstance(part, TextPart | FilePart)]
    texts = [part["text"] for part in shown if part["type"] == "text"]
    content = "".join(texts) if len(texts) == len(shown) else shown
    return Thread([{"id": row.public_id, "role": "user", "content": content}])


def _shown(part: Part) -> Message:
    if isinstance(part, FilePart):
        kind = part.media_type.partition("/")[0]
        source = {"type": "url", "value": part.url, "mimeType": part.media_type}
        return {"type": kind if kind in KINDS else "document", "source": source}
    return {"type": "text", "text": part.text if isinstance(part, TextPart) else ""}


def _answered(rows: list[Row], without: uuid.UUID | None) -> Thread:
    """The messages of an answer, made of the chunks that a reader gets; none while it is being written."""
    generation = rows[-1].generation_if_any
    if generation is not None and (generation.is_active or generation.pk == without):
        return NO_THREAD
    opening = Opening(rows[0].public_id, own=parts_of(rows))
    chunks = opening.all_chunks() + (opening.encoder.finish(generation.outcome) if generation else [])
    translator, fold = Translator(), Fold()
    events = [event for chunk in chunks for event in translator.translate(chunk)]
    fold.add(events)
    end = next((event for event in events if is_end(event)), None)
    return Thread(fold.messages, end, translator.state() if end else None)
