"""Frames: what a model's server meant to send as events, read from the lines it did send.

Strict framing (`sse`) loses data on many servers, so this reading is lenient where `Leniency` says so. It finds the
same frames however the bytes are cut, because it only ever looks at complete lines.
"""

from __future__ import annotations

import enum

import msgspec

from streaming.protocol.sse import BOM, MAX_EVENT_BYTES, MAX_LINE_BYTES, LineSplitter, split_field

# What is kept of a body that is not framed at all: error bodies and HTML pages are a few KB, the largest recorded
# non-streamed completions about 30 KB.
MAX_BODY_BYTES = 64 * 1024

GZIP_MAGIC = b"\x1f\x8b"


class Kind(enum.Enum):
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


DATA = Kind.DATA
Frame = tuple[Kind, bytes, bytes]
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


def _is_body(stray: bytes) -> bool:
    """Whether lines that are no fields make a body. The beginning of a stream cut in its first line does not."""
    return bool(stray) and not any(start.startswith(stray) for start in (BOM, *FIELDS))


class Framer:
    """Bytes to frames."""

    def __init__(self, leniency: Leniency) -> None:
        self._leniency = leniency
        self._lines = LineSplitter(leniency.max_line_bytes)
        self._head = b""
        self._is_new = True
        self._event = b""
        self._data: bytes | None = None
        self._more: list[bytes] = []
        self._more_bytes = 0
        self._has_frames = False
        self._is_plain = False
        """Whether a blank line simply dispatches `_data`: an event was seen, and no second data line is waiting."""
        self._stray = bytearray()

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        frames: list[Frame] = []
        if self._is_new and self._is_compressed(chunk):
            return [(Kind.COMPRESSED, b"", b"")]
        event, data = self._event, self._data
        for line in self._lines.feed(chunk):
            # Written out for the lines that streams are made of: this loop is the cost of framing.
            if not line and data is not None and self._is_plain:
                frames.append((DATA, event, data))
                event, data = b"", None
            elif data is None and line[:6] == b"data: ":
                data = line[6:]
            elif line[:7] == b"event: ":
                event = line[7:]
            else:
                self._event, self._data = event, data
                self._read_line(line, frames)
                event, data = self._event, self._data
        self._event, self._data = event, data
        if self._lines.has_overflowed:
            frames.append((Kind.TOO_LARGE, b"", b""))
        return frames

    def close(self) -> list[Frame]:
        """What the end of the stream leaves."""
        frames: list[Frame] = []
        self._read_last_line(self._lines.flush(), frames)
        if self._leniency.flush_at_eof and self._has_whole_data():
            self._dispatch(frames)
        is_bare = self._data is None or self._stray.startswith(b"<")  # a page may have a line that looks like data
        if not self._has_frames and is_bare and _is_body(bytes(self._stray).strip()):
            frames.append((Kind.BODY, b"", bytes(self._stray)))
        frames.append((Kind.END, b"", b""))
        return frames

    def _read_last_line(self, line: bytes, frames: list[Frame]) -> None:
        """A line that nothing ended. It may be cut: an error counts only if whole, an unknown field not at all."""
        name, value = split_field(line)
        if name not in FIELDS:
            self._read_last_stray(line, frames)
        elif line and self._leniency.flush_at_eof and (name != b"error" or is_whole(value)):
            self._read_field(line, frames)

    def _read_last_stray(self, line: bytes, frames: list[Frame]) -> None:
        if not self._leniency.read_unframed_body:
            return
        if not self._has_frames:
            self._stray += line[:MAX_BODY_BYTES]
        elif is_whole(line):
            self._read_unknown(line, frames)

    def _has_whole_data(self) -> bool:
        return self._data is not None and is_whole(b"\n".join([self._data, *self._more]))

    def _is_compressed(self, chunk: bytes) -> bool:
        self._head += chunk[: len(GZIP_MAGIC)]
        self._is_new = len(self._head) < len(GZIP_MAGIC)
        return self._head.startswith(GZIP_MAGIC)

    def _read_line(self, line: bytes, frames: list[Frame]) -> None:
        if line:
            self._read_field(line, frames)
        else:
            self._dispatch(frames)

    def _read_field(self, line: bytes, frames: list[Frame]) -> None:
        name, value = split_field(line)
        read = FIELDS.get(name, Framer._read_unknown)
        read(self, line if read is Framer._read_unknown else value, frames)

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._data is None:
            self._event = b""
            return
        if self._more:
            self._dispatch_joined(frames)
        else:
            self._append(self._data, frames)
        self._event = b""
        self._data = None

    def _append(self, data: bytes, frames: list[Frame]) -> None:
        if self._stray:
            frames.append((Kind.UNKNOWN, b"", bytes(self._stray)))
            self._stray.clear()
        self._has_frames = self._is_plain = True
        frames.append((DATA, self._event, data))

    def _dispatch_joined(self, frames: list[Frame]) -> None:
        """The specification's way first; each line for itself where that is no JSON document."""
        lines = [self._data or b"", *self._more]
        self._more = []
        self._more_bytes = 0
        joined = b"\n".join(lines)
        if self._leniency.split_joined_data and not is_whole(joined):
            for line in lines:
                self._append(line, frames)
        else:
            self._append(joined, frames)

    def _read_data(self, value: bytes, frames: list[Frame]) -> None:
        if self._data is None:
            self._data = value
        elif self._leniency.split_joined_data and not self._more and value and is_whole(self._data):
            # A complete document cannot go on: show it now instead of at a blank line that may come much later.
            self._append(self._data, frames)
            self._data = value
        else:
            self._more.append(value)
            self._is_plain = False
            self._more_bytes += len(value) + 1
            if len(self._data) + self._more_bytes > self._leniency.max_event_bytes:
                frames.append((Kind.TOO_LARGE, b"", b""))

    def _read_event(self, value: bytes, _frames: list[Frame]) -> None:
        self._event = value

    def _read_comment(self, value: bytes, frames: list[Frame]) -> None:
        frames.append((Kind.COMMENT, b"", value))

    def _read_error(self, value: bytes, frames: list[Frame]) -> None:
        self._has_frames = True
        kind = Kind.ERROR if self._leniency.read_error_field else Kind.UNKNOWN
        frames.append((kind, b"", value))

    def _read_unknown(self, line: bytes, frames: list[Frame]) -> None:
        if self._has_frames or not self._leniency.read_unframed_body:
            frames.append((Kind.UNKNOWN, b"", line))
        elif len(self._stray) < MAX_BODY_BYTES:
            self._stray += line[:MAX_BODY_BYTES] + b"\n"

    def _ignore(self, _value: bytes, _frames: list[Frame]) -> None:
        """`id` and `retry` serve reconnection, which no model's server offers."""


FIELDS = {
    b"data": Framer._read_data,
    b"event": Framer._read_event,
    b"": Framer._read_comment,
    b"error": Framer._read_error,
    b"id": Framer._ignore,
    b"retry": Framer._ignore,
}
