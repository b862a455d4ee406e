"""Detects servers that send the whole text so far with each chunk (some DashScope paths)."""

from __future__ import annotations

from collections.abc import Callable


class CumulativeFilter:
    """Passes on only the new text of each chunk.

    Ordinary streams pass unchanged. If the second chunk begins with the whole first chunk, it is held back. If the
    third begins with the whole second, the server accumulates. If not, it was chance, and the held text is written.
    Each state replaces `feed`, so an ordinary stream costs nothing from the third chunk on.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self.feed: Callable[[str], None] = self._first
        self._write = write
        self._sofar = ""
        self._held = ""

    def settle(self) -> None:
        """Writes the text that is still held back, because something else follows."""
        held, self._held = self._held, ""
        if held:
            self.feed = self._write
            self._write(held)

    def _first(self, text: str) -> None:
        self._sofar = text
        self.feed = self._second
        self._write(text)

    def _second(self, text: str) -> None:
        if text.startswith(self._sofar) and _is_telling(self._sofar, text):
            self._held = text
            self.feed = self._third
        else:
            self.feed = self._write
            self._write(text)

    def _third(self, text: str) -> None:
        if not text.startswith(self._held):
            self.settle()
            self._write(text)
            return
        first, self._sofar, self._held = self._sofar, self._held, ""
        self._write(self._sofar[len(first) :])
        self.feed = self._accumulated
        self._accumulated(text)

    def _accumulated(self, text: str) -> None:
        if text.startswith(self._sofar):
            text, self._sofar = text[len(self._sofar) :], text
        else:
            self.feed = self._write  # the server has stopped accumulating
        if text:
            self._write(text)


def _is_telling(sofar: str, text: str) -> bool:
    """Returns False if the repetition may be chance: "1", then "10"; "ha", then "haha"."""
    return any(map(str.isalpha, sofar)) and not set(text).issubset(sofar)
