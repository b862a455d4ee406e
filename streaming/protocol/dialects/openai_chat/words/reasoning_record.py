"""The record of the reasoning of one choice, which may come twice."""

from __future__ import annotations

from io import SEEK_END, StringIO

# How many characters of white space may stand before a thought in one of its two places.
MAX_WHITE_CHARS = 16


class ReasoningRecord:
    """Keeps what two sources say: a field of the delta, and tags within its text. MiniMax sends the thoughts in both.

    The source that is behind says nothing new as long as it repeats the other. If it differs, its words since it began
    to repeat were only alike by chance, and are new after all.
    """

    def __init__(self) -> None:
        self._said = StringIO()
        self._at = {True: 0, False: 0}
        self._began = {True: 0, False: 0}

    def new(self, text: str, *, is_tagged: bool) -> str:
        """Returns the part of `text` that is new."""
        at, began = self._at[is_tagged], self._began[is_tagged]
        if at == began:
            at, text = self.skip_white(at, text)
        known = self.said(at, len(text))
        if not text.startswith(known):
            text, known = self.said(began, at - began) + text, ""
            at = self._said.seek(0, SEEK_END)
        self._said.seek(0, SEEK_END)
        self._said.write(text[len(known) :])
        self._at[is_tagged] = at = at + len(text)
        if at == self._said.tell():
            self._began[is_tagged] = at  # what comes next repeats nothing
        return text[len(known) :]

    def skip_white(self, at: int, text: str) -> tuple[int, str]:
        """Leaves out white space before a thought in both places."""
        ahead = self.said(at, MAX_WHITE_CHARS)
        return (at + len(ahead) - len(ahead.lstrip()), text.lstrip()) if ahead else (at, text)

    def said(self, at: int, size: int) -> str:
        """Returns what has been said, from the position `at`."""
        self._said.seek(at)
        return self._said.read(size)
