"""A body without SSE's framing: JSON objects one a line, a whole answer, an error, or a page."""

from __future__ import annotations

from streaming.protocol.lenient_sse.documents import is_object
from streaming.protocol.lenient_sse.wire_event import DATA, WireEvent, WireEventKind
from streaming.protocol.sse import BOM

# The bound on a body that has no SSE events. Error bodies and HTML pages are a few KB; the largest recorded
# completions that were not streamed are about 30 KB.
MAX_BODY_BYTES = 64 * 1024


class UnframedBody:
    """The lines without a known field name that come before the first event."""

    def __init__(self) -> None:
        self.has_json_lines = False
        """True for a body of JSON objects, one a line (NDJSON)."""
        self._text = bytearray()
        self._lines = 0

    def __bool__(self) -> bool:
        return bool(self._text)

    @property
    def is_page(self) -> bool:
        """True for a page of HTML. It may have lines that look like `data`."""
        return self._text.startswith(b"<")

    def begins_json_lines(self, line: bytes) -> bool:
        """Returns True if `line` is the second of two lines that are JSON objects."""
        self.has_json_lines = self._lines == 1 and is_object(line) and is_object(bytes(self._text))
        return self.has_json_lines

    def add(self, line: bytes, end: bytes = b"\n") -> None:
        if len(self._text) < MAX_BODY_BYTES:
            self._text += line[:MAX_BODY_BYTES] + end
            self._lines += 1

    def take(self) -> list[WireEvent]:
        """Returns the lines as one event, because an event with a field name follows: a whole answer, then `[DONE]`."""
        text = bytes(self._text)
        self._text.clear()
        kind = DATA if text.startswith(b"{") else WireEventKind.UNKNOWN
        return [(kind, b"", text)] if text else []

    def at_end(self, names: tuple[bytes, ...]) -> list[WireEvent]:
        """Returns the body at its end. The beginning of one of the field names is no body: the stream was cut there."""
        text = bytes(self._text)
        is_cut = any(start.startswith(text.strip()) for start in (BOM, *names))
        return [] if is_cut else [(WireEventKind.BODY, b"", text)]
