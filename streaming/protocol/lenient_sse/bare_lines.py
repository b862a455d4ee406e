"""JSON over several lines without field names. Some servers indent it, or send line ends within its strings."""

from __future__ import annotations

from streaming.protocol.lenient_sse.documents import is_object, is_object_with_line_ends, is_whole
from streaming.protocol.lenient_sse.wire_event import DATA, WireEvent, WireEventKind


class BareLines:
    """The lines that follow the first line of a JSON object. They have no field name; the first one may have `data`."""

    def __init__(self) -> None:
        self.kind: WireEventKind | None = None
        """The kind of the object's event; None while there are no such lines."""
        self.size = 0
        self._lines: list[bytes] = []
        self._first: bytes | None = None
        self._may_go_on = False
        """True if `_first`, the first line that was looked at last, begins an object and does not end it."""

    def __bool__(self) -> bool:
        return self.kind is not None

    def belongs(self, line: bytes, first: bytes | None) -> bool:
        """Returns True if `line` goes on with the object that `first` begins."""
        if first is None:
            return False
        if first is not self._first:
            self._first, self._may_go_on = first, first.startswith(b"{") and not is_whole(first)
        return self._may_go_on and not (b'"error"' in line and is_object(line))  # an error, appended to what was cut

    def add(self, line: bytes) -> None:
        self.kind = self.kind or DATA
        self._lines.append(line)
        self.size += len(line) + 1

    def take(self, event: bytes, first: bytes, *, is_end: bool = False) -> list[WireEvent]:
        """Returns the object's event. If the lines are no object, each is an event of its own.

        At the end of the stream (`is_end`), data that is no object was cut, so it is no event.
        """
        kind = self.kind or DATA
        if self.is_object(first):
            lines = self._take_lines()
            return [(kind, event, b"\n".join([first, *lines]))]
        head = [] if kind is DATA and is_end else [(kind, event, first)]
        return head + self.give_up()

    def is_object(self, first: bytes) -> bool:
        return is_object_with_line_ends(b"\n".join([first, *self._lines]))

    def give_up(self) -> list[WireEvent]:
        """Returns the lines as events of their own, or as one if they are an object without the first line."""
        lines = self._take_lines()
        joined = b"\n".join(lines)
        return [
            (WireEventKind.UNKNOWN, b"", line) for line in ([joined] if is_object_with_line_ends(joined) else lines)
        ]

    def _take_lines(self) -> list[bytes]:
        lines, self.kind, self._lines, self.size = self._lines, None, [], 0
        return lines
