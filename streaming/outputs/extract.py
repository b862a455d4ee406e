"""Finds the JSON in an answer's text, piece by piece.

Models write prose around the JSON, or a Markdown fence, even if they are asked not to. What counts is the first text
that begins as an object: a brace that is followed by a key and the beginning of its value. `{name}` in prose does not.
If that object breaks, or is an empty `{}`, a later one takes its place.
"""

from __future__ import annotations

import re

from streaming.outputs.candidate import Candidate
from streaming.protocol import JSONScanner, StringDelta

WINDOW = 1024
"""The most characters that are looked at in one go. It bounds the cost of braces that begin nothing."""

OBJECT = re.compile(r'\{(?=\s*(?:["}]|\Z))')
OBJECT_OR_LIST = re.compile(OBJECT.pattern + r'|\[(?=\s*(?:["{\[\]\-0-9tfn]|\Z))')
BRACKET = re.compile(r"[{}\[\]]")
STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}


class JSONText:
    """Takes the text of an answer and returns the JSON in it. Each character is read once, or twice near a mistake.

    `is_list` also accepts a list. With `is_final`, the first object stays even if it breaks, for readers that cannot
    take back what they have shown. `scanner` has read the object that counts so far. `deltas` has how its strings grew
    in the last `feed`.
    """

    def __init__(self, *, is_list: bool = False, is_final: bool = False) -> None:
        self.scanner = JSONScanner()
        self.has_other_text = False
        self.deltas: list[StringDelta] = []
        self._begins = OBJECT_OR_LIST if is_list else OBJECT
        self._is_final = is_final
        self._found: Candidate | None = None
        self._candidate: Candidate | None = None  # that is being read
        self._is_over = False
        self._open_brackets = 0  # of objects that broke
        self._before = "\n"  # the character before the text that is looked at
        self._grown: list[str] = []

    @property
    def is_found(self) -> bool:
        return self._found is not None

    @property
    def is_begun(self) -> bool:
        """True if the JSON is found, or if the text ends with what may be its beginning."""
        return self.is_found or self._candidate is not None

    @property
    def is_complete(self) -> bool:
        """True if the JSON is whole. There may be text after it."""
        return self._found is not None and self._found.is_whole

    def feed(self, text: str) -> str:
        """Takes the next piece of the text. Returns the new piece of the JSON, up to its end or its first mistake.

        If an object takes the place of a broken one, the text is that of the new object, from its beginning.
        """
        self.deltas, self._grown = [], []
        for at in range(0, len(text), WINDOW):
            rest = text[at : at + WINDOW]
            while rest and not self._is_over:
                rest = self._read(self._candidate, rest) if self._candidate else self._skip(rest)
        return "".join(self._grown)

    def _skip(self, text: str) -> str:
        """Skips prose. Returns the text from the next place where the JSON may begin; empty if there is none."""
        start = self._beginning(text)
        self.has_other_text = self.has_other_text or bool(text[:start].strip())
        self._before = text[start - 1] if start else self._before
        self._candidate = Candidate() if start < len(text) else None
        return text[start:]

    def _beginning(self, text: str) -> int:
        """Returns where the JSON may begin; the length of the text if nowhere.

        What is inside a broken object is no answer. So a new one begins behind it, or at the start of a line.
        """
        at = -1
        while self._open_brackets:
            bracket = BRACKET.search(text, at + 1)
            if bracket is None:
                return len(text)
            at = bracket.start()
            if (text[at - 1] if at else self._before) == "\n" and self._begins.match(text, at):
                return at
            self._open_brackets += STEPS[bracket[0]]
        begin = self._begins.search(text, at + 1)
        return begin.start() if begin else len(text)

    def _read(self, one: Candidate, text: str) -> str:
        """Gives `text` to the candidate. Returns the text from the place where it ended or failed, if it did."""
        kept, deltas = one.feed(text)
        self._before = kept[-1:] or self._before
        if one.is_found:
            self._show(one, kept, deltas)
        if one.scanner.error is None:
            return ""
        self.has_other_text = True
        self._is_over = one.is_found and (self._is_final or (one.is_whole and not one.is_empty))
        self._candidate = None
        return self._after(one) + text[len(kept) :]

    def _show(self, one: Candidate, kept: str, deltas: list[StringDelta]) -> None:
        """Adds what a found candidate has read. If another object counted so far, this one takes its place."""
        if one is self._found:
            self._grown.append(kept)
            self.deltas += deltas
        else:
            self._found, self.scanner = one, one.scanner
            self._grown, self.deltas = [one.beginning], deltas

    def _after(self, one: Candidate) -> str:
        """Returns what must be read again after a candidate that failed."""
        if one.is_whole:
            return ""
        if self._open_brackets or one.open_brackets:
            self._open_brackets += one.scanner.depth
            return ""
        swallowed = one.swallowed()
        self._before = "" if swallowed else self._before
        return swallowed
