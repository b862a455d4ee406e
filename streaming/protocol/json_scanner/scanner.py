"""JSONScanner: a state machine that reads one JSON value piece by piece.

It looks at each character once, however the text is cut. The grammar is strictly RFC 8259: what `json.loads` reads,
without `NaN` and `Infinity`. The tables at the end of this file say what may come next, and what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Literal

import msgspec

from streaming.protocol.json_scanner.scalars import LITERALS, number, read_literal, read_number
from streaming.protocol.json_scanner.strings import read_string
from streaming.protocol.json_scanner.tree import Container, JSONTree, Path

MAX_LENGTH = 8 * 1024 * 1024
"""The most characters of one value. Models write up to half a million; a file in base64 has a few million."""

MAX_DEPTH = 16_384
"""The most nested containers, at about 150 bytes each. Real values have tens; more is a model in a loop."""

PATH_ITEMS_PER_CHARACTER = 16
"""The bound on the cost of paths. A path is handed out whole, so many short strings at a great depth could cost the
square of their number. Strings above this average get no deltas and are only in `snapshot()`. Strings of one letter at
depth 64 stay below it."""

Reason = Literal[
    "unexpected_character",
    "control_character",
    "invalid_escape",
    "invalid_number",
    "trailing_data",
    "too_deep",
    "too_long",
]


class StringDelta(msgspec.Struct, frozen=True, gc=False):
    """The string at `path` (keys and indexes from the root) grew by `text`, which is never empty.

    If a key comes twice in one object, both have the same path, and only the later value counts.
    """

    path: Path
    text: str


class JSONError(msgspec.Struct, frozen=True, gc=False):
    """The mistake in the text, `offset` characters from its start."""

    offset: int
    reason: Reason


class JSONScanner:
    """Takes the text of one JSON value in pieces and returns what is known of it so far.

    It never raises on text. After a mistake `error` is set and later text is ignored. Strings are shown at once, except
    for an unfinished escape. A number counts only when the character after it shows that it ended.
    """

    __slots__ = ("_base", "_expected", "_held", "_path", "_path_items", "_reading", "_so_far", "_tree", "error")

    def __init__(self) -> None:
        self.error: JSONError | None = None
        self._tree = JSONTree()
        self._expected: Expected = VALUE
        self._reading: Literal["key", "string"] | None = None
        self._so_far: StringIO | None = None  # earlier pieces of the open string; a list of them would take more memory
        self._path: Path | None = None  # of the open string; None if it gets no deltas
        self._path_items = 0  # that were handed out so far
        self._held = ""  # an unfinished escape, number or literal, to be read again with the next piece
        self._base = 0  # offset of `_held`, or of the next piece if nothing is held

    @property
    def is_complete(self) -> bool:
        """True if the text so far is exactly one JSON value."""
        if self.error is not None or self._tree.depth or self._reading:
            return False
        return self._expected is END or number(self._held) is not None

    @property
    def depth(self) -> int:
        """The number of objects and lists that are open."""
        return self._tree.depth

    @property
    def expects_value(self) -> bool:
        """True if the value of a key must come next, and after a mistake if it should have come there."""
        return self._expected is VALUE and not self._reading and bool(self._tree.depth)

    def snapshot(self) -> object:
        """Returns the value so far as Python values, with the beginning of an unfinished string; None at the start.

        It copies the open containers and the open string, but not the finished values inside. Snapshots share these,
        so do not change them.
        """
        if self._held and self.is_complete:
            return number(self._held)
        if self._reading != "string":
            return self._tree.snapshot()
        return self._tree.snapshot(self._so_far.getvalue() if self._so_far else "")

    def feed(self, text: str) -> list[StringDelta]:
        """Takes the next piece. Returns how strings grew, with at most one delta for each string."""
        deltas: list[StringDelta] = []
        if self.error is not None:
            return deltas
        if self._held:
            text, self._held = self._held + text, ""
        room = MAX_LENGTH - self._base
        self._scan(text[:room], deltas)
        if len(text) > room and self.error is None:
            self._fail(text, room, "too_long")
        self._base += len(text) - len(self._held)
        return deltas

    def _scan(self, text: str, deltas: list[StringDelta]) -> None:
        pos = 0
        while pos < len(text):
            if self._reading:
                pos = self._read_string(text, pos, deltas)
            else:
                pos = self._expected.get(text[pos], _unexpected)(self, text, pos)

    def _read_string(self, text: str, pos: int, deltas: list[StringDelta]) -> int:
        piece, end, status = read_string(text, pos)
        if piece and self._path is not None:
            deltas.append(StringDelta(self._path, piece))
        if status == "closed":
            self._end_string(piece)
            return end
        if piece:
            self._so_far = self._so_far or StringIO()
            self._so_far.write(piece)
        return self._hold(text, end) if status == "open" else self._fail(text, end, status)

    def _end_string(self, piece: str) -> None:
        if self._so_far:
            self._so_far.write(piece)
            piece = self._so_far.getvalue()
        if self._reading == "key":
            self._tree.place[-1] = piece
            self._expected = COLON
        else:
            self._tree.put(piece)
            self._expect_next()
        self._reading = self._so_far = self._path = None

    def _expect_next(self) -> None:
        """Sets what may follow, after a value ended."""
        self._expected = (NEXT_PAIR if self._tree.is_in_object else NEXT_ITEM) if self._tree.depth else END

    def _hold(self, text: str, pos: int) -> int:
        self._held = text[pos:]
        return len(text)

    def _fail(self, text: str, pos: int, reason: Reason) -> int:
        self.error = JSONError(self._base + pos, reason)
        return len(text)


Handler = Callable[[JSONScanner, str, int], int]
"""Reads one character that the grammar allows. Takes the text and the position; returns the next position."""

Expected = dict[str, Handler]


def _skip_space(scanner: JSONScanner, text: str, pos: int) -> int:
    return _SPACE.match(text, pos).end()  # type: ignore[union-attr]  # called at a space


def _open_key(scanner: JSONScanner, text: str, pos: int) -> int:
    scanner._reading = "key"
    return pos + 1


def _open_string(scanner: JSONScanner, text: str, pos: int) -> int:
    scanner._reading = "string"
    depth = scanner._tree.depth
    if scanner._path_items + depth <= PATH_ITEMS_PER_CHARACTER * (scanner._base + pos):
        scanner._path_items += depth
        scanner._path = tuple(scanner._tree.place)
    return pos + 1


def _open(scanner: JSONScanner, text: str, pos: int) -> int:
    if scanner._tree.depth == MAX_DEPTH:
        return scanner._fail(text, pos, "too_deep")
    is_object = text[pos] == "{"
    container: Container = {} if is_object else []
    scanner._tree.open(container)
    scanner._expected = PAIR_OR_END if is_object else ITEM_OR_END
    return pos + 1


def _close(scanner: JSONScanner, text: str, pos: int) -> int:
    scanner._tree.close()
    scanner._expect_next()
    return pos + 1


def _read_scalar(scanner: JSONScanner, text: str, pos: int) -> int:
    value, end, status = (read_literal if text[pos] in LITERALS else read_number)(text, pos)
    if status == "closed":
        scanner._tree.put(value)
        scanner._expect_next()
        return end
    return scanner._hold(text, end) if status == "open" else scanner._fail(text, end, status)


def _expect_value(scanner: JSONScanner, text: str, pos: int) -> int:
    scanner._expected = VALUE
    return pos + 1


def _next_item(scanner: JSONScanner, text: str, pos: int) -> int:
    scanner._tree.place[-1] += 1  # type: ignore[operator]  # in a list it is an index
    return _expect_value(scanner, text, pos)


def _next_pair(scanner: JSONScanner, text: str, pos: int) -> int:
    scanner._expected = PAIR
    return pos + 1


def _unexpected(scanner: JSONScanner, text: str, pos: int) -> int:
    return scanner._fail(text, pos, "trailing_data" if scanner._expected is END else "unexpected_character")


_SPACE = re.compile(r"[ \t\n\r]+")

END: Expected = dict.fromkeys(" \t\n\r", _skip_space)
VALUE = END | dict.fromkeys("-0123456789tfn", _read_scalar) | {'"': _open_string, "{": _open, "[": _open}
PAIR = END | {'"': _open_key}
ITEM_OR_END = VALUE | {"]": _close}
PAIR_OR_END = PAIR | {"}": _close}
COLON = END | {":": _expect_value}
NEXT_ITEM = END | {",": _next_item, "]": _close}
NEXT_PAIR = END | {",": _next_pair, "}": _close}
