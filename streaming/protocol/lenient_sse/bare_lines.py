"""JSON over several lines without field names. Some servers indent it, or send line ends within its strings."""

from __future__ import annotations

import json

import msgspec

from streaming.protocol.lenient_sse.wire_event import DATA, WireEvent, WireEventKind


def is_whole(data: bytes) -> bool:
    """Returns True if `data` is one JSON document or `[DONE]`."""
    if data.strip() == b"[DONE]":
        return True
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def is_object(data: bytes) -> bool:
    return data.startswith(b"{") and is_whole(data)


class BareLines:
    """The lines that follow the first line of a JSON object. They have no field name; the first one may have `data`."""

    def __init__(self) -> None:
        self.kind: WireEventKind | None = None
        """The kind of the object's event; None while there are no such lines."""
        self.size = 0
        self._lines: list[bytes] = []
        self._ended: bytes | None = None
        self._unended: bytes | None = None

    def belongs(self, line: bytes, first: bytes | None) -> bool:
        """Returns True if `line` goes on with the object that `first` begins."""
        if first is None or first is self._ended:
            return False
        if first is not self._unended:
            if not first.startswith(b"{") or is_whole(first):
                self._ended = first
                return False
            self._unended = first
        return not (b'"error"' in line and is_object(line))  # that is an error, appended to what was cut

    def add(self, line: bytes) -> None:
        self.kind = self.kind or DATA
        self._lines.append(line)
        self.size += len(line) + 1

    def take(self, event: bytes, first: bytes, *, is_end: bool = False) -> list[WireEvent]:
        """Returns the object's event. If the lines are no object, each is an event of its own.

        At the end of the stream (`is_end`), data that is no object was cut, so it is no event.
        """
        kind, lines = self.kind, self._lines
        self.kind, self._lines, self.size = None, [], 0
        joined = b"\n".join([first, *lines])
        if _is_object_with_line_ends(joined):
            return [(kind or DATA, event, joined)]
        head = [] if kind is DATA and is_end else [(kind or DATA, event, first)]
        return head + [(WireEventKind.UNKNOWN, b"", line) for line in lines]


def _is_object_with_line_ends(text: bytes) -> bool:
    """Returns True if `text` is one JSON object. Line ends within its strings may be unescaped."""
    try:
        return isinstance(json.loads(text.decode("utf-8", "replace"), strict=False), dict)
    except (ValueError, RecursionError):
        return False
