"""Finds the JSON in an answer's text, piece by piece.

Models write prose around the JSON, or a Markdown fence, even if they are asked not to. The first text that begins as an
object counts: a brace that is followed by a key and the beginning of its value. `{name}` in prose does not.
"""

from __future__ import annotations

import re

from streaming.protocol import JSONScanner, StringDelta

WINDOW = 1024
"""The most characters that are looked at in one go. It bounds the cost of braces that begin nothing."""

OBJECT = re.compile(r'\{(?=\s*(?:["}]|\Z))')
OBJECT_OR_LIST = re.compile(OBJECT.pattern + r'|\[(?=\s*(?:["{\[\]\-0-9tfn]|\Z))')


class JSONText:
    """Takes the text of an answer and returns the JSON in it. Each character is read once.

    `is_list` also accepts a list. `deltas` has how strings grew in the last `feed`.
    """

    def __init__(self, *, is_list: bool = False) -> None:
        self.scanner = JSONScanner()
        self.is_found = False
        self.has_other_text = False
        self.deltas: list[StringDelta] = []
        self._begins = OBJECT_OR_LIST if is_list else OBJECT
        self._candidate: list[str] = []  # the text that may turn out to be the beginning
        self._length = 0

    @property
    def is_begun(self) -> bool:
        """True if the JSON is found, or if the text ends with what may be its beginning."""
        return self.is_found or bool(self._candidate)

    @property
    def is_complete(self) -> bool:
        """True if the JSON is whole. There may be text after it."""
        return self.is_found and self._has_ended

    @property
    def _has_ended(self) -> bool:
        return self.scanner.is_complete or _is_trailing(self.scanner)

    def feed(self, text: str) -> str:
        """Takes the next piece of the text. Returns the new piece of the JSON, up to its end or its first mistake."""
        self.deltas = []
        return "".join(self._feed(text[at : at + WINDOW]) for at in range(0, len(text), WINDOW))

    def _feed(self, text: str) -> str:
        return self._scan(text) if self.is_found else self._search(text)

    def _search(self, text: str) -> str:
        while text:
            text = self._try(text if self._candidate else self._begin(text))
        if not self.is_found:
            return ""
        joined = "".join(self._candidate)
        self._candidate = []
        return joined

    def _begin(self, text: str) -> str:
        """Skips prose. Returns the text from the next place where the JSON may begin; empty if there is none."""
        begin = self._begins.search(text)
        start = begin.start() if begin else len(text)
        self.has_other_text = self.has_other_text or bool(text[:start].strip())
        self.scanner, self._length = JSONScanner(), 0
        return text[start:]

    def _try(self, text: str) -> str:
        """Adds `text` to the candidate. Returns the text from the place where the candidate fails, if it does."""
        if not text:
            return ""
        deltas = self.scanner.feed(text)
        kept = self._kept(text)
        self._candidate.append(kept)
        self.is_found = bool(self.scanner.snapshot()) or self._has_ended
        if self.is_found:
            self.deltas += deltas
            self.has_other_text = self.has_other_text or _is_trailing(self.scanner)
            return ""
        if self.scanner.error is None:
            return ""
        self._candidate = []
        self.has_other_text = True
        return text[len(kept) :]

    def _scan(self, text: str) -> str:
        if self.scanner.error is not None:
            return ""
        self.deltas += self.scanner.feed(text)
        self.has_other_text = self.has_other_text or _is_trailing(self.scanner)
        return self._kept(text)

    def _kept(self, text: str) -> str:
        """Returns the text that the scanner has just read, up to its mistake."""
        error = self.scanner.error
        kept = text if error is None else text[: max(error.offset - self._length, 0)]
        self._length += len(kept)
        return kept


def _is_trailing(scanner: JSONScanner) -> bool:
    return scanner.error is not None and scanner.error.reason == "trailing_data"
