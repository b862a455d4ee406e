"""A place in an answer's text that may be the beginning of its JSON."""

from __future__ import annotations

import re

from streaming.protocol import JSONScanner, StringDelta

MAX_TAIL = 64
"""The characters before a mistake that are searched for a bracket with which another value begins."""

_BRACKET_BEFORE = re.compile(r'[{\[]\s*"?\s*\Z')


class Candidate:
    """Reads the text from a bracket on, to the end of the value or to the first mistake."""

    def __init__(self) -> None:
        self.scanner = JSONScanner()
        self.is_found = False
        """True if a value inside has begun, or if the whole is complete."""
        self._pieces: list[str] = []  # the text until it is found
        self._length = 0
        self._tail = ""

    def feed(self, text: str) -> tuple[str, list[StringDelta]]:
        """Reads more. Returns the part of `text` that belongs to the JSON, and how strings grew."""
        deltas = self.scanner.feed(text)
        error = self.scanner.error
        kept = text if error is None else text[: max(error.offset - self._length, 0)]
        if not self.is_found:
            self._begin(kept)
        self._length += len(kept)
        return kept, deltas

    def _begin(self, kept: str) -> None:
        # The first bracket is left out: it begins no other value.
        self._tail = (self._tail + (kept if self._length else kept[1:]))[-MAX_TAIL:]
        self._pieces.append(kept)
        self.is_found = bool(self.scanner.snapshot()) or self.is_whole

    @property
    def beginning(self) -> str:
        """The text that was read until the candidate was found."""
        return "".join(self._pieces)

    @property
    def is_whole(self) -> bool:
        """True if the value is complete. There may be text after it."""
        error = self.scanner.error
        return self.scanner.is_complete or (error is not None and error.reason == "trailing_data")

    @property
    def is_empty(self) -> bool:
        return not self.scanner.snapshot()

    @property
    def open_brackets(self) -> int:
        """The number of brackets that a broken value leaves open; 0 if it does not even have a key."""
        return self.scanner.depth if self.is_found or self.scanner.expects_value else 0

    def swallowed(self) -> str:
        """Returns the beginning of another value that this one has read as its key; empty if there is none.

        In `{"not json} {"a": 1}` the second brace is inside the key, and the mistake is at the `a`.
        """
        found = _BRACKET_BEFORE.search(self._tail)
        return found[0] if found else ""
