"""What has streamed of a text that the server may send whole, at its beginning or at its end."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import text_of

TEXT, REFUSAL = "text", "refusal"
"""The keys of the words of a part."""


class Streamed:
    """Counts the characters of one text. It keeps only the last delta, because the whole text would take memory."""

    __slots__ = ("_last", "_size")

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins to count another text."""
        self._last, self._size = "", 0

    def add(self, delta: str) -> None:
        """Takes the next delta."""
        self._last = delta
        self._size += len(delta)

    def is_all_of(self, whole: Any) -> bool:
        """Returns True if the whole text streamed."""
        return isinstance(whole, str) and len(whole) == self._size > 0 and whole.endswith(self._last)

    def begins(self, whole: Any) -> bool:
        """Returns True if something streamed, and the last delta is at its place in the whole text."""
        at = self._size - len(self._last)
        return isinstance(whole, str) and self._size > 0 and whole.startswith(self._last, at)

    def rest_of(self, whole: Any) -> str:
        """Returns what did not stream of the whole text: what follows the last delta, if that is at its place."""
        return whole[self._size :] if self.begins(whole) else ""


def words_of(value: Any, key: str = "text") -> str:
    """Returns the words of a delta or a section: a text, or an object that has one."""
    text = value.get(key) if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""


WHOLE_KEYS = ("text", "refusal", "arguments", "input", "code")
LIST_KEYS = ("part", "content", "summary")


def whole_of(wire: dict[str, Any]) -> str:
    """Returns the whole text in an item, or in an event that ends one: that of the last section, if it has several."""
    for key in LIST_KEYS:
        sections = wire.get(key)
        last = sections[-1] if isinstance(sections, list) and sections else sections
        if last and isinstance(last, dict | str):
            wire = last if isinstance(last, dict) else {"text": last}
            break
    return next((text_of(wire[key]) for key in WHOLE_KEYS if wire.get(key)), "")


def parts_of(content: Any) -> list[dict[str, Any]]:
    """Returns the parts of a message, of which some servers send only the text."""
    parts = content if isinstance(content, list) else [content]
    return [
        {"type": "output_text", TEXT: part} if isinstance(part, str) else part
        for part in parts
        if isinstance(part, dict | str)
    ]


def kind_of(part: dict[str, Any]) -> str:
    """Returns the key of a part's words."""
    return REFUSAL if isinstance(part.get(REFUSAL), str) and part[REFUSAL] else TEXT
