"""Frames: what a model's server meant to send as events, read from the lines it did send.

Strict framing (`sse`) loses data on many servers, so this reading is lenient where `Leniency` says so. It finds the
same events however the bytes are cut, because it only ever looks at complete lines.
"""

from __future__ import annotations

import enum

import msgspec

from streaming.protocol.sse import BOM, MAX_EVENT_BYTES, MAX_LINE_BYTES, LineSplitter, split_field

# What is kept of a body that is not framed at all: error bodies and HTML pages are a few KB, the largest recorded
# non-streamed completions about 30 KB.
MAX_BODY_BYTES = 64 * 1024

GZIP_MAGIC = b"\x1f\x8b"


class WireEventKind(enum.Enum):
    """What a frame is."""

    DATA = "data"
    """An event; `event` is its name or empty."""
    ERROR = "error"
    """The value of a field named `error`."""
    COMMENT = "comment"
    UNKNOWN = "unknown"
    """A line whose field name nobody knows."""
    BODY = "body"
    """The whole stream, in which no event was found."""
    TOO_LARGE = "too_large"
    COMPRESSED = "compressed"
    END = "end"


DATA = WireEventKind.DATA
WireEvent = tuple[WireEventKind, bytes, bytes]
"""Kind, event name, payload. A tuple because one is made for each event on the hot path."""


class Leniency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Departures from the WHATWG text, each on by default; and the bounds."""

    flush_at_eof: bool = True
    """Read a last event that no blank line follows, if it is complete JSON or `[DONE]`."""
    split_joined_data: bool = True
    """Read `data` lines without blank lines between them as several events where they are not one JSON document."""
    read_error_field: bool = True
    """Read a field `error:` as an error."""
    read_unframed_body: bool = True
    """Read a body that is not an event stream (a JSON error, a whole answer, HTML) at its end."""
    skip_empty_data: bool = True
    """Pass over `data` that is empty, `null`, `[]`, or begins with a colon."""
    max_line_bytes: int = MAX_LINE_BYTES
    max_event_bytes: int = MAX_EVENT_BYTES
    """Of an event whose data is several lines."""


def is_whole(data: bytes) -> bool:
    """Whether `data` is by itself one JSON document or the `[DONE]` sign."""
    if data.strip() == b"[DONE]":
        return True
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _is_body(unframed: bytes) -> bool:
    """Whether lines that are no fields make a body. The beginning of a stream cut in its first line does not."""
    return bool(unframed) and not any(start.startswith(unframed) for start in (BOM, *FIELDS))


class LenientDecoder:
    """Bytes to found."""

    def __init__(self, leniency: Leniency) -> None:
        self._leniency = leniency
        self._lines = LineSplitter(leniency.max_line_bytes)
        self._head = b""
        self._is_new = True
        self._event = b""
        self._data: bytes | None = None
        self._more: list[bytes] = []
        self._more_bytes = 0
        self._has_events = False
        self._is_plain = False
        """Whether a blank line simply dispatches `_data`: an event was seen, and no second data line is waiting."""
        self._unframed = bytearray()

    def feed(self, chunk: bytes) -> list[WireEvent]:
        """The events that `chunk` completes."""
        events: list[WireEvent] = []
        if self._is_new and self._is_compressed(chunk):
            return [(WireEventKind.COMPRESSED, b"", b"")]
        event, data = self._event, self._data
        for line in self._lines.feed(chunk):
            # Written out for the lines that streams are made of: this loop is the cost of framing.
            if not line and data is not None and self._is_plain:
                events.append((DATA, event, data))
                event, data = b"", None
            elif data is None and line[:6] == b"data: ":
                data = line[6:]
            elif line[:7] == b"event: ":
                event = line[7:]
            else:
                self._event, self._data = event, data
                self._read_line(line, events)
                event, data = self._event, self._data
        self._event, self._data = event, data
        if self._lines.has_overflowed:
            events.append((WireEventKind.TOO_LARGE, b"", b""))
        return events

    def close(self) -> list[WireEvent]:
        """What the end of the stream leaves."""
        events: list[WireEvent] = []
        self._read_last_line(self._lines.flush(), events)
        if self._leniency.flush_at_eof and self._has_whole_data():
            self._dispatch(events)
        is_bare = self._data is None or self._unframed.startswith(b"<")  # a page may have a line that looks like data
        if not self._has_events and is_bare and _is_body(bytes(self._unframed).strip()):
            events.append((WireEventKind.BODY, b"", bytes(self._unframed)))
        events.append((WireEventKind.END, b"", b""))
        return events

    def _read_last_line(self, line: bytes, events: list[WireEvent]) -> None:
        """A line that nothing ended. It may be cut: an error counts only if whole, an unknown field not at all."""
        name, value = split_field(line)
        if name not in FIELDS:
            self._read_last_unframed(line, events)
        elif line and self._leniency.flush_at_eof and (name != b"error" or is_whole(value)):
            self._read_field(line, events)

    def _read_last_unframed(self, line: bytes, events: list[WireEvent]) -> None:
        if not self._leniency.read_unframed_body:
            return
        if not self._has_events:
            self._unframed += line[:MAX_BODY_BYTES]
        elif is_whole(line):
            self._read_unknown(line, events)

    def _has_whole_data(self) -> bool:
        return self._data is not None and is_whole(b"\n".join([self._data, *self._more]))

    def _is_compressed(self, chunk: bytes) -> bool:
        self._head += chunk[: len(GZIP_MAGIC)]
        self._is_new = len(self._head) < len(GZIP_MAGIC)
        return self._head.startswith(GZIP_MAGIC)

    def _read_line(self, line: bytes, events: list[WireEvent]) -> None:
        if line:
            self._read_field(line, events)
        else:
            self._dispatch(events)

    def _read_field(self, line: bytes, events: list[WireEvent]) -> None:
        name, value = split_field(line)
        read = FIELDS.get(name, LenientDecoder._read_unknown)
        read(self, line if read is LenientDecoder._read_unknown else value, events)

    def _dispatch(self, events: list[WireEvent]) -> None:
        if self._data is None:
            self._event = b""
            return
        if self._more:
            self._dispatch_joined(events)
        else:
            self._append(self._data, events)
        self._event = b""
        self._data = None

    def _append(self, data: bytes, events: list[WireEvent]) -> None:
        if self._unframed:
            events.append((WireEventKind.UNKNOWN, b"", bytes(self._unframed)))
            self._unframed.clear()
        self._has_events = self._is_plain = True
        events.append((DATA, self._event, data))

    def _dispatch_joined(self, events: list[WireEvent]) -> None:
        """The specification's way first; each line for itself where that is no JSON document."""
        lines = [self._data or b"", *self._more]
        self._more = []
        self._more_bytes = 0
        joined = b"\n".join(lines)
        if self._leniency.split_joined_data and not is_whole(joined):
            for line in lines:
                self._append(line, events)
        else:
            self._append(joined, events)

    def _read_data(self, value: bytes, events: list[WireEvent]) -> None:
        if self._data is None:
            self._data = value
        elif self._leniency.split_joined_data and not self._more and value and is_whole(self._data):
            # A complete document cannot go on: show it now instead of at a blank line that may come much later.
            self._append(self._data, events)
            self._data = value
        else:
            self._more.append(value)
            self._is_plain = False
            self._more_bytes += len(value) + 1
            if len(self._data) + self._more_bytes > self._leniency.max_event_bytes:
                events.append((WireEventKind.TOO_LARGE, b"", b""))

    def _read_event(self, value: bytes, _events: list[WireEvent]) -> None:
        self._event = value

    def _read_comment(self, value: bytes, events: list[WireEvent]) -> None:
        events.append((WireEventKind.COMMENT, b"", value))

    def _read_error(self, value: bytes, events: list[WireEvent]) -> None:
        self._has_events = True
        kind = WireEventKind.ERROR if self._leniency.read_error_field else WireEventKind.UNKNOWN
        events.append((kind, b"", value))

    def _read_unknown(self, line: bytes, events: list[WireEvent]) -> None:
        if self._has_events or not self._leniency.read_unframed_body:
            events.append((WireEventKind.UNKNOWN, b"", line))
        elif len(self._unframed) < MAX_BODY_BYTES:
            self._unframed += line[:MAX_BODY_BYTES] + b"\n"

    def _ignore(self, _value: bytes, _events: list[WireEvent]) -> None:
        """`id` and `retry` serve reconnection, which no model's server offers."""


FIELDS = {
    b"data": LenientDecoder._read_data,
    b"event": LenientDecoder._read_event,
    b"": LenientDecoder._read_comment,
    b"error": LenientDecoder._read_error,
    b"id": LenientDecoder._ignore,
    b"retry": LenientDecoder._ignore,
}
