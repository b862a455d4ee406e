"""Events as dicts, in the names of the wire, and how they are written."""

from __future__ import annotations

from typing import Any

import msgspec

Event = dict[str, Any]
"""An event of AG-UI. Its `type` says which."""

PROTOCOL_VERSION = "1.0"
ENDS = ("RUN_FINISHED", "RUN_ERROR")

_encode = msgspec.json.Encoder().encode


def sse(event: Event, cursor: str = "") -> bytes:
    """Returns the server-sent event. The protocol's client reads no ids, so the cursor is its `rawEvent`, too."""
    if not cursor:
        return b"data: %b\n\n" % _encode(event)
    return b"id: %b\ndata: %b\n\n" % (cursor.encode(), _encode({**event, "rawEvent": cursor}))


def is_end(event: Event) -> bool:
    """Returns True for an event that ends a run."""
    return event["type"] in ENDS


def run_started(thread_id: str, run_id: str) -> Event:
    """Returns the event that begins each stream."""
    ids = {"threadId": thread_id, "runId": run_id}
    return {"type": "RUN_STARTED", **ids, "protocolVersion": PROTOCOL_VERSION}


def with_ids(end: Event, thread_id: str, run_id: str) -> Event:
    """Returns the event that ends a run for one reader. An error has no ids."""
    return end if end["type"] == "RUN_ERROR" else {**end, "threadId": thread_id, "runId": run_id}


def messages_snapshot(messages: list[dict[str, Any]]) -> Event:
    """Returns the event with all messages of a thread. A client replaces its own by them."""
    return {"type": "MESSAGES_SNAPSHOT", "messages": messages}


def run_error(text: str, code: str) -> Event:
    """Returns the event of an error. `text` is for people, and `code` for programs."""
    return {"type": "RUN_ERROR", "message": text, "code": code}


def as_text(value: Any) -> str:
    """Returns a tool's output as text. AG-UI knows no other kind."""
    return value if isinstance(value, str) else _encode(value).decode()
