"""The pieces of a stored answer with the times at which they came."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from streaming.management.tool_lines import ToolLines

WORD = re.compile(r"\s*\S+\s*|\s+")
# The type of a UI chunk -> the kind of its piece.
KINDS = {
    "text-delta": "text",
    "reasoning-delta": "reasoning",
    "tool-input-available": "call",
    "tool-output-available": "result",
    "tool-output-error": "result",
    "tool-output-denied": "result",
}
GROWING = ("text", "reasoning")


class Piece(NamedTuple):
    """A piece that readers saw `ms` milliseconds after the start. `kind` is text, reasoning, call or result."""

    ms: int
    kind: str
    text: str


def pieces_of(chunks: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Returns the kind and the text of each UI chunk that people see."""
    lines = ToolLines()
    shown = [(KINDS[chunk["type"]], chunk) for chunk in chunks if chunk["type"] in KINDS]
    return [(kind, chunk["delta"] if kind in GROWING else lines.line(chunk)) for kind, chunk in shown]


def paced(
    pieces: Sequence[tuple[str, str]], timeline: Sequence[Sequence[Any]] | None, first_ms: int, last_ms: int
) -> Iterator[Piece]:
    """Yields the pieces with their times.

    `timeline` has an entry for each moment: its milliseconds, its kind, and for text its number of characters. Without
    it, the words come evenly between `first_ms` and `last_ms`.
    """
    return _by_timeline(pieces, timeline) if timeline else _evenly(pieces, first_ms, max(first_ms, last_ms))


def _evenly(pieces: Sequence[tuple[str, str]], first_ms: int, last_ms: int) -> Iterator[Piece]:
    total = sum(len(text) for _, text in pieces) or 1
    done = 0
    for kind, text in pieces:
        for word in WORD.findall(text) if kind in GROWING else [text]:
            yield Piece(first_ms + round((last_ms - first_ms) * done / total), kind, word)
            done += len(word)


def _by_timeline(pieces: Sequence[tuple[str, str]], timeline: Sequence[Sequence[Any]]) -> Iterator[Piece]:
    entries, now = deque(timeline), 0
    for kind, text in pieces:
        while text:
            while entries and entries[0][1] != kind:
                entries.popleft()
            now, size = (max(now, entries[0][0]), entries.popleft()[2]) if entries else (now, len(text))
            at = size if kind in GROWING else len(text)
            yield Piece(now, kind, text[:at])
            text = text[at:]
