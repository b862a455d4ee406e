"""The `data` lines of an event after the first."""

from __future__ import annotations

from streaming.protocol.lenient_sse.documents import is_object_with_line_ends, is_whole


class LaterLines:
    """Keeps the lines until the event ends."""

    def __init__(self) -> None:
        self.size = 0
        self._lines: list[bytes] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self.size += len(line) + 1

    def joined(self, first: bytes) -> bytes:
        """Returns the data of the event as the standard says: `first` and these lines, with line ends between them."""
        return b"\n".join([first, *self._lines])

    def take(self, first: bytes, *, splits: bool) -> list[bytes]:
        """Returns the data of the event, and begins anew.

        If `splits`, and the joined lines are no JSON document, each line is an event of its own. A line end within a
        string makes no other document of it: some servers do not escape it.
        """
        joined = self.joined(first)
        lines, self._lines, self.size = self._lines, [], 0
        return [first, *lines] if splits and not (is_whole(joined) or is_object_with_line_ends(joined)) else [joined]
