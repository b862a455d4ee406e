"""Splits reasoning in `<think>` tags from the text while it streams. Some servers leave it in the text."""

from __future__ import annotations

import re
from collections.abc import Callable

OPENING = ("<think>", "<thinking>")
CLOSING = ("</think>", "</thinking>")
TAG = {
    False: re.compile("|".join(OPENING)),
    True: re.compile("|".join(CLOSING)),
}
TAGS = {False: OPENING, True: CLOSING}
LONGEST = max(map(len, CLOSING))


class ThinkTags:
    """Takes text with tags, cut anywhere, and passes on text and reasoning.

    Only a tail that may be the beginning of a tag is held back, at most `LONGEST` - 1 characters. `a < b` passes.
    """

    def __init__(self, text: Callable[[str], None], reasoning: Callable[[str], None]) -> None:
        self._sinks = {False: text, True: reasoning}
        self._is_thinking = False
        self._held = ""

    def feed(self, text: str) -> None:
        text = self._held + text
        at = 0
        while match := TAG[self._is_thinking].search(text, at):
            self._pass(text[at : match.start()])
            self._is_thinking = not self._is_thinking
            at = match.end()
        keep = self._held_back(text[at:])
        self._held = text[len(text) - keep :]
        self._pass(text[at : len(text) - keep])

    def flush(self) -> None:
        """Passes on what was held back: the text ended, so it was not the beginning of a tag."""
        held, self._held = self._held, ""
        self._pass(held)

    def _pass(self, text: str) -> None:
        if text:
            self._sinks[self._is_thinking](text)

    def _held_back(self, rest: str) -> int:
        """Returns the length of the tail of `rest` that may be the beginning of a tag."""
        start = rest.rfind("<", max(0, len(rest) - LONGEST + 1))
        if start < 0:
            return 0
        tail = rest[start:]
        return len(tail) if any(tag.startswith(tail) for tag in TAGS[self._is_thinking]) else 0
