"""The annotations of the text parts of a message."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.events import Cited

# How many annotations wait for their part. Each takes memory.
MAX_WAITING = 100

# How many annotations are remembered, to find those that only the end has. Answers have a few dozen.
MAX_KNOWN = 1_000

Index = int | None


class Annotations:
    """Cites each annotation once. One that comes before the first words of its part waits for them."""

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._waiting: list[tuple[Index, Any]] = []
        """The annotations that wait, with the index of their part."""
        self._cited: Counter[Index] = Counter()
        """The number of annotations of each part."""
        self._known: set[int] = set()
        """The hashes of these annotations."""

    @property
    def first_index(self) -> Index:
        """The index of the part for which an annotation has waited longest."""
        return self._waiting[0][0]

    def __bool__(self) -> bool:
        """True while annotations wait."""
        return bool(self._waiting)

    def wait(self, index: Index, annotation: Any) -> bool:
        """Keeps an annotation until its part has words. Returns False if too many wait already."""
        has_room = len(self._waiting) < MAX_WAITING
        if has_room:
            self._waiting.append((index, annotation))
        return has_room

    def cite(self, index: Index, prose: Prose, annotation: Any) -> None:
        if isinstance(annotation, dict):
            self._cited[index] += 1
            if len(self._known) < MAX_KNOWN:
                self._known.add(_hash_of(annotation))
            self._writer.emit(Cited(prose.place(), annotation))

    def cite_waiting(self, index: Index, prose: Prose, *, is_last: bool = False) -> None:
        """Cites what waited for a part, or all that waits on the last part."""
        waiting, self._waiting = self._waiting, []
        for at, annotation in waiting:
            if is_last or at == index:
                self.cite(index, prose, annotation)
            else:
                self._waiting.append((at, annotation))

    def cite_rest(self, index: Index, prose: Prose, part: dict[str, Any]) -> None:
        """Cites what a whole part has more than the events: some servers send only the first ones as events."""
        whole = part.get("annotations")
        if isinstance(whole, list) and len(whole) > self._cited[index] and len(self._known) < MAX_KNOWN:
            for annotation in [each for each in whole if _hash_of(each) not in self._known]:
                self.cite(index, prose, annotation)


def _hash_of(annotation: Any) -> int:
    return hash(msgspec.json.encode(annotation))
