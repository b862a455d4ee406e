"""What the data of an event says that is no payload: the end of the stream, a sign of life, an error in words."""

from __future__ import annotations

import re
from typing import Any

SIGNS_OF_LIFE = frozenset({"ping", "keepalive", "keep-alive", "heartbeat"})
"""The words that only keep a connection alive, as data, as the type of an event, or as the name of a model."""

EMPTY = frozenset({b"", b"null", b"[]", b'""', *map(str.encode, SIGNS_OF_LIFE)})

FIELD = re.compile(rb"(?:event|id|retry):\s*\S*")
"""Another field of an event, which some relays send as data: they wrap each line of the stream once more."""


def is_empty(data: bytes) -> bool:
    """Returns True for data that some servers send only to keep the connection alive."""
    return data.startswith(b":") or data.lower() in EMPTY or FIELD.fullmatch(data) is not None


DONE = re.compile(r"""["']*(?:\[DONE\](?:["'\s]|data:)*)+""", re.IGNORECASE)


def after_done(wire: Any) -> str | None:
    """Returns what follows the mark `[DONE]`: nothing, or an object; None if `wire` is no mark.

    Relays in a row may each add a mark, or quotes.
    """
    mark = DONE.match(wire.strip()) if isinstance(wire, str) else None
    rest = mark.string[mark.end() :] if mark else None
    return rest if rest is None or not rest or rest.startswith("{") else None


SENTENCE = re.compile(r"[^\W\d_]\W+[^\W\d_]")


def is_sentence(text: str) -> bool:
    """Returns True for words. A single word, a time or broken JSON may be a sign of life or a part of something."""
    return not text.startswith(("{", "[")) and SENTENCE.search(text) is not None


ERROR = re.compile(r"\W*(?:\w{1,20} )?error\b", re.IGNORECASE)


def is_error_text(text: str) -> bool:
    """Returns True for words that begin with "error", perhaps after one other word: `[ERROR] …`, `upstream error`."""
    return ERROR.match(text) is not None and not text.startswith("{")


def is_piece(data: bytes) -> bool:
    """Returns True for the beginning or the end of an object. A line of a log may have quotes, but it is none."""
    return data.lstrip().startswith(b"{") or data.rstrip().endswith(b"}")


def is_payload(wire: Any) -> bool:
    """Returns True for an object with a field that only payloads have."""
    return isinstance(wire, dict) and ("choices" in wire or "type" in wire)
