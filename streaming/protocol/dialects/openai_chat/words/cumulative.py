"""Detects servers that send the whole text so far: with each chunk (some DashScope paths), or in the last one."""

from __future__ import annotations

from collections.abc import Callable

# The beginning of the text that a repetition is compared with. Beyond it the length decides: no model writes as much
# as the whole text so far in one chunk that begins with the same words.
HEAD_CHARS = 256
# Shorter texts repeat by chance ("ha", then "ha"): one chunk that equals another one, or several earlier ones.
MIN_REPEATED_CHUNK = 12
MIN_REPEATED_TEXT = 4
MIN_LETTERS = 4


class CumulativeFilter:
    """Passes on only the new text of each chunk.

    Ordinary streams pass unchanged. If the second chunk begins with the whole first chunk, it is held back. If the
    third begins with the whole second, the server accumulates. If not, it was chance, and the held text is written.
    Each state replaces `feed`, so an ordinary stream costs nothing once `HEAD_CHARS` have come.

    The caller counts `size`, and calls `feed_same_size` instead of `feed` for a chunk of just this size: it may be the
    whole text once more. It is held back until more text shows that it was not, or until `drop` at the answer's end.
    """

    __slots__ = (
        "_feed_before",
        "_has_joined",
        "_head",
        "_held",
        "_repeated",
        "_so_far",
        "_write",
        "feed",
        "is_late",
        "size",
    )

    def __init__(self, write: Callable[[str], None]) -> None:
        self.feed: Callable[[str], None] = self._first
        self.size = 0
        self.is_late = False
        """True after the finish reason: then a chunk that equals the text is a repetition, however short."""
        self._write = write
        self._head = ""
        """The beginning of the text, up to `HEAD_CHARS`."""
        self._has_joined = False
        """True if the text came in several chunks."""
        self._so_far = ""
        """The whole text so far, as long as the server may accumulate."""
        self._held = ""
        """The second chunk, if it begins with the first."""
        self._repeated = ""
        """The text once more, as one chunk."""
        self._feed_before: Callable[[str], None] = self._first
        """The state before that chunk."""

    def take(self, text: str) -> None:
        """Counts `text`, and feeds it."""
        if len(text) == self.size:
            self.feed_same_size(text)
        elif text:
            self.size += len(text)
            self.feed(text)

    def feed_same_size(self, text: str) -> None:
        """Reads a chunk that is as long as all text before it."""
        if self._repeated == text or not text:
            return
        if self._is_repetition(text):
            self._repeated = text
            self._feed_before = self.feed
            self.feed = self._after_repetition
        else:
            self.size += len(text)
            self.feed(text)

    def drop(self) -> None:
        """Forgets the repetition that is held back: the answer ended with it."""
        if self._repeated:
            self._repeated = ""
            self.feed = self._feed_before

    def settle(self) -> None:
        """Writes the text that is still held back, because something else follows."""
        self._keep_repetition()
        held, self._held = self._held, ""
        if held:
            self.feed = self._write
            self._write(held)

    def _is_repetition(self, text: str) -> bool:
        least = MIN_REPEATED_TEXT if self._has_joined else MIN_REPEATED_CHUNK
        is_known = len(self._head) >= min(self.size, HEAD_CHARS) and text.startswith(self._head)
        if self.is_late:
            return is_known
        return is_known and len(text) >= least and len(set(self._head)) >= MIN_LETTERS

    def _after_repetition(self, text: str) -> None:
        self._keep_repetition()
        self.feed(text)

    def _keep_repetition(self) -> None:
        repeated, self._repeated = self._repeated, ""
        if repeated:
            self.feed = self._feed_before
            self.size += len(repeated)
            self.feed(repeated)

    def _first(self, text: str) -> None:
        self._so_far = self._head = text
        self.feed = self._second
        self._write(text)

    def _second(self, text: str) -> None:
        if text.startswith(self._so_far) and _is_telling(self._so_far, text):
            self._held = text
            self.feed = self._third
        else:
            self.feed = self._filling
            self._filling(text)

    def _filling(self, text: str) -> None:
        self._has_joined = True
        self._head += text
        if len(self._head) >= HEAD_CHARS:
            self._head = self._head[:HEAD_CHARS]
            self.feed = self._write
        self._write(text)

    def _third(self, text: str) -> None:
        if not text.startswith(self._held):
            self.settle()
            self._write(text)
            return
        first, self._so_far, self._held = self._so_far, self._held, ""
        self._write(self._so_far[len(first) :])
        self.feed = self._accumulated
        self._accumulated(text)

    def _accumulated(self, text: str) -> None:
        if text.startswith(self._so_far):
            text, self._so_far = text[len(self._so_far) :], text
        else:
            self.feed = self._write  # the server has stopped accumulating
        if text:
            self._write(text)


def _is_telling(first: str, second: str) -> bool:
    """Returns False if the repetition may be chance: "1", then "10"; "ha", then "haha"."""
    return any(map(str.isalpha, first)) and not set(second).issubset(first)
