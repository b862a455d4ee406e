"""The decoder: bytes to wire events.

It finds the same events however the bytes are cut, because it looks only at complete lines.
"""

from __future__ import annotations

from streaming.protocol.lenient_sse.bare_lines import BareLines
from streaming.protocol.lenient_sse.documents import begins_whole, is_done, is_whole
from streaming.protocol.lenient_sse.later_lines import LaterLines
from streaming.protocol.lenient_sse.leniency import Leniency
from streaming.protocol.lenient_sse.unframed import UnframedBody
from streaming.protocol.lenient_sse.wire_event import DATA, WireEvent, WireEventKind
from streaming.protocol.sse import BOM, LineSplitter, split_field

GZIP_MAGIC = b"\x1f\x8b"


class LenientDecoder:
    """Reads bytes, cut anywhere, leniently."""

    def __init__(self, leniency: Leniency) -> None:
        self._leniency = leniency
        self._lines = LineSplitter(leniency.max_line_bytes)
        self._head = b""
        self._is_new = True
        self._event = b""
        self._data: bytes | None = None
        self._later = LaterLines()
        self._bare = BareLines()
        self._has_events = False
        self._is_plain = False
        """True if a blank line only has to dispatch `_data`: nothing else waits. `feed` keeps this up to date."""
        self._body = UnframedBody()

    def feed(self, chunk: bytes) -> list[WireEvent]:
        """Returns what `chunk` completes."""
        events: list[WireEvent] = []
        if self._is_new and self._is_compressed(chunk):
            return [(WireEventKind.COMPRESSED, b"", b"")]
        event, data = self._event, self._data
        for line in self._lines.feed(chunk):
            # Inlined for the usual lines: this loop is most of the decoder's cost.
            if not line and data is not None and self._is_plain:
                events.append((DATA, event, data))
                event, data = b"", None
            elif data is None and line[:6] == b"data: ":
                data = line[6:]
            elif line[:7] == b"event: ":
                event = line[7:]
            elif data is None and line[:5] == b"data:":
                data = line[5:]
            else:
                self._event, self._data = event, data
                self._read_line(line, events)
                event, data = self._event, self._data
                self._is_plain = self._has_events and not (self._later or self._bare or self._body)
        self._event, self._data = event, data
        if self._lines.has_overflowed:
            events.append((WireEventKind.TOO_LARGE, b"", b""))
        return events

    def close(self) -> list[WireEvent]:
        """Returns what is left at the end of the stream."""
        events: list[WireEvent] = []
        self._read_last_line(self._lines.flush(), events)
        if self._bare and self._leniency.flush_at_eof:
            self._dispatch_bare(events, is_end=True)
        elif self._leniency.flush_at_eof and self._has_whole_data():
            self._dispatch(events)
        if not self._has_events and (self._data is None or self._body.is_page):
            events += self._body.at_end(tuple(FIELDS))
        events.append((WireEventKind.END, b"", b""))
        return events

    def _read_last_line(self, line: bytes, events: list[WireEvent]) -> None:
        """Reads a last line without a line end. It may be cut, so an error counts only if it is complete JSON."""
        name, value = self._split(line)
        if name not in FIELDS:
            self._read_last_unframed(line, events)
        elif line and self._leniency.flush_at_eof and (name != b"error" or is_whole(value)):
            self._read_field(line, events)

    def _read_last_unframed(self, line: bytes, events: list[WireEvent]) -> None:
        is_read = is_whole(line) and (self._has_events or self._is_event(line))
        if (is_read and self._leniency.read_unframed_body) or self._is_value(line) or self._is_bare(line):
            self._read_unknown(line, events)
        elif self._leniency.read_unframed_body and not self._has_events:
            self._body.add(line, end=b"")

    def _has_whole_data(self) -> bool:
        if self._data is None:
            return False
        data = self._later.joined(self._data)
        return is_whole(data) or (self._leniency.split_joined_data and begins_whole(data))

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
        name, value = self._split(line)
        read = FIELDS.get(name, LenientDecoder._read_unknown)
        read(self, line if read is LenientDecoder._read_unknown else value, events)

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        """Returns the field's name and value. `data` and `event` may have a BOM or spaces around them, and capitals."""
        name, value = split_field(line)
        if name in FIELDS or not self._leniency.read_loose_names or self._body:
            return name, value  # the lines of a page or of a text may look like fields
        plain = name.strip(AROUND_NAMES).lower()
        return (plain if plain in LOOSE_NAMES and not self._is_bare(line) else name), value

    def _is_bare(self, line: bytes) -> bool:
        """Returns True if a line without a known field name goes on with the JSON object of the line before it."""
        return self._leniency.join_bare_lines and not self._later and self._bare.belongs(line, self._data)

    def _add_bare(self, line: bytes, events: list[WireEvent]) -> None:
        self._bare.add(line)
        if self._bare.size > self._leniency.max_event_bytes:
            events.append((WireEventKind.TOO_LARGE, b"", b""))

    def _dispatch_bare(self, events: list[WireEvent], *, is_end: bool = False) -> None:
        for kind, event, data in self._bare.take(self._event, self._data or b"", is_end=is_end):
            if kind is DATA:
                self._append(data, events)
            else:
                events.append((kind, event, data))
        self._data = None

    def _dispatch(self, events: list[WireEvent]) -> None:
        if self._data is None:
            self._event = b""
            return
        if self._bare:
            self._dispatch_bare(events)
        elif self._later:
            for data in self._later.take(self._data, splits=self._leniency.split_joined_data):
                self._append(data, events)
        else:
            self._append(self._data, events)
        self._event = b""
        self._data = None

    def _append(self, data: bytes, events: list[WireEvent]) -> None:
        events += self._body.take()
        self._has_events = True
        events.append((DATA, self._event, data))

    def _read_data(self, value: bytes, events: list[WireEvent]) -> None:
        if self._bare.kind is DATA and not self._bare.is_object(self._data or b""):
            events += self._bare.give_up()  # this line may complete the object, as the standard says
        elif self._bare:
            self._dispatch_bare(events)
        if self._data is None:
            self._data = value
        elif self._leniency.split_joined_data and not self._later and value and is_whole(self._data):
            # A complete document cannot go on, and the blank line may come much later: dispatch it now.
            self._append(self._data, events)
            self._data = value
        else:
            self._later.add(value)
            if len(self._data) + self._later.size > self._leniency.max_event_bytes:
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
        if self._is_value(line):
            self._data = line.lstrip()
        elif self._is_bare(line):
            self._add_bare(line, events)
        elif self._is_event(line):
            self._dispatch(events)
            events.append((DATA, b"", line))
        elif self._begins_bare(line):
            self._data, self._bare.kind = line, WireEventKind.UNKNOWN
        elif self._has_events or not self._leniency.read_unframed_body:
            events.append((WireEventKind.UNKNOWN, b"", line))
        elif self._body.begins_json_lines(line):
            self._append(line, events)
        else:
            self._body.add(line)

    def _is_value(self, line: bytes) -> bool:
        """Returns True if a line is the value of the empty `data` on the line before it."""
        may_fill = self._data is not None and not (self._data.strip() or self._later or self._body)
        return may_fill and self._leniency.join_bare_lines and (line.lstrip().startswith(b"{") or is_done(line))

    def _is_event(self, line: bytes) -> bool:
        """Returns True if a line is an event without a field name: `[DONE]`, or an object in a body of such lines."""
        if is_done(line):
            return self._leniency.read_unframed_body and (self._has_events or self._data is not None)
        return self._body.has_json_lines and line.startswith(b"{")

    def _begins_bare(self, line: bytes) -> bool:
        """Returns True if a line within the stream begins an object over several lines, such as a gateway's error."""
        may_begin = self._has_events and self._data is None and self._leniency.join_bare_lines
        return may_begin and line.startswith(b"{") and not is_whole(line)

    def _ignore(self, _value: bytes, _events: list[WireEvent]) -> None:
        """Ignores `id` and `retry`: they are for reconnection, which no model's server offers."""


FIELDS = {
    b"data": LenientDecoder._read_data,
    b"event": LenientDecoder._read_event,
    b"": LenientDecoder._read_comment,
    b"error": LenientDecoder._read_error,
    b"id": LenientDecoder._ignore,
    b"retry": LenientDecoder._ignore,
}

LOOSE_NAMES = frozenset({b"data", b"event"})
AROUND_NAMES = BOM + b" \t"
