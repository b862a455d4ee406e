"""Server-sent events as the WHATWG standard defines them: reading and writing.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, "Parsing an event stream" and "Interpreting
an event stream". Only CR LF, LF and CR end a line. `str.splitlines` also cuts at U+2028, U+0085 and form feeds, which
JSON may contain unescaped. A CR ends its line at once, even if the next chunk may begin with the LF of the same line
end. Otherwise each event of a stream that uses only CR would come one event too late.
"""

from __future__ import annotations

import msgspec

BOM = b"\xef\xbb\xbf"
CR = 0x0D  # a number, because `CR in chunk` is five times as fast with it as with bytes

# One line carries one JSON document. The largest recorded ones hold base64 images of about 100 KB; 4K images reach
# several MB. eventsource-parser and undici have such bounds too, as options.
MAX_LINE_BYTES = 8 * 1024 * 1024
MAX_EVENT_BYTES = 8 * 1024 * 1024

MAX_RETRY_DIGITS = 18  # more milliseconds make no sense, and Python refuses to read thousands of digits


class ServerSentEvent(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event. `id` is the stream's last event id; it stays until a later event sets another."""

    event: str = "message"
    data: str = ""
    id: str = ""


class LineSplitter:
    """Splits bytes, cut anywhere, into complete lines without their line ends. Drops one leading BOM.

    A line longer than `max_line_bytes` sets `has_overflowed`. This line and everything after it are dropped.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self.has_overflowed = False
        self._max = max_line_bytes
        self._pending = bytearray()
        self._head: bytes | None = b""
        """The first bytes, while they may be a BOM that was cut. None after that."""
        self._is_after_cr = False
        self._must_normalise = True
        """True if the next chunk must be normalised even if it has no CR."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Returns the lines that `chunk` completes."""
        if self._must_normalise or CR in chunk:
            chunk = self._normalise(chunk)
        lines = chunk.split(b"\n")
        tail = lines.pop()
        if tail or self._pending or len(chunk) > self._max:
            return self._carry(lines, tail, len(chunk))
        return lines

    def _carry(self, lines: list[bytes], tail: bytes, size: int) -> list[bytes]:
        """Joins the pending bytes to the first line and keeps `tail` for later. `size` is the length of the chunk."""
        is_large = size + len(self._pending) > self._max
        if lines and self._pending:
            lines[0] = bytes(self._pending) + lines[0]
            self._pending.clear()
        self._pending += tail
        return self._within_bounds(lines) if is_large else lines

    def _normalise(self, chunk: bytes) -> bytes:
        """Returns the chunk with LF for each line end and without the BOM; empty bytes after an overflow."""
        if self.has_overflowed:
            return b""
        if self._head is not None:
            chunk = self._begin(self._head + chunk)
        if self._is_after_cr and chunk:
            self._is_after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if CR in chunk:
            self._is_after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._must_normalise = self._is_after_cr or self._head is not None
        return chunk

    def _begin(self, head: bytes) -> bytes:
        """Returns the first bytes without the BOM. If they may be one that was cut, they wait for more bytes."""
        is_cut = len(head) < len(BOM) and BOM.startswith(head)
        self._head = head if is_cut else None
        return b"" if is_cut else head.removeprefix(BOM)

    def flush(self) -> bytes:
        """Returns the unfinished last line, at the end of the stream."""
        line = bytes(self._pending) if self._head is None else self._head
        self._pending.clear()
        return line

    def _within_bounds(self, lines: list[bytes]) -> list[bytes]:
        for at, line in enumerate([*lines, self._pending]):
            if len(line) > self._max:
                self.has_overflowed = self._must_normalise = True
                self._pending.clear()
                return lines[:at]
        return lines


def split_field(line: bytes) -> tuple[bytes, bytes]:
    """Returns the field's name and value. One space after the colon is dropped."""
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


class SSEDecoder:
    """Reads events strictly, as a browser's `EventSource` does.

    Bytes that are no UTF-8 become U+FFFD. Decoding ends if the data of an event, or a line, is longer than
    `max_event_bytes`: then `has_overflowed` is True. Whatever the server sends, reading raises nothing.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.retry: int | None = None
        """The reconnection time in milliseconds, if the server gave one."""
        self.has_overflowed = False
        self._lines = LineSplitter(max_event_bytes)
        self._max = max_event_bytes
        self._event = ""
        self._id = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Returns the events that `chunk` completes.

        It is a list, because a generator that is not read to its end would lose bytes.
        """
        events: list[ServerSentEvent] = []
        for line in self._lines.feed(chunk):
            if self.has_overflowed:
                break
            if line:
                self._read_field(line)
            else:
                self._dispatch(events)
        self.has_overflowed = self.has_overflowed or self._lines.has_overflowed
        return events

    def _read_field(self, line: bytes) -> None:
        name, value = split_field(line)
        if read := FIELDS.get(name):
            read(self, value)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data:
            events.append(ServerSentEvent(self._event or "message", "\n".join(self._data), self._id))
        self._event = ""
        self._data = []
        self._size = 0

    def _read_data(self, value: bytes) -> None:
        self._size += len(value) + 1
        self.has_overflowed = self._size > self._max + 1
        self._data.append(value.decode("utf-8", "replace"))

    def _read_event(self, value: bytes) -> None:
        self._event = value.decode("utf-8", "replace")

    def _read_id(self, value: bytes) -> None:
        if b"\0" not in value:
            self._id = value.decode("utf-8", "replace")

    def _read_retry(self, value: bytes) -> None:
        is_number = value.isdigit() and len(value) <= MAX_RETRY_DIGITS  # `bytes.isdigit` accepts only ASCII digits
        if is_number:
            self.retry = int(value)


FIELDS = {
    b"data": SSEDecoder._read_data,
    b"event": SSEDecoder._read_event,
    b"id": SSEDecoder._read_id,
    b"retry": SSEDecoder._read_retry,
}


def encode_sse(event: ServerSentEvent) -> bytes:
    """Returns the bytes that `SSEDecoder` reads as `event`. Each line end within the data becomes LF."""
    lines = [f"id: {event.id}"] if event.id else []
    if event.event != "message":
        lines.append(f"event: {event.event}")
    data = event.data.replace("\r\n", "\n").replace("\r", "\n")
    lines += [f"data: {line}" for line in data.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()
