"""The timeline of one answer: when it grew, and when its tools worked. The admin draws it and replays the answer by it.

    [[180, "reasoning", 40], [900, "text", 12], [950, "run", "call_1"], [2950, "result", "call_1"], [3300, "text", 80]]

Each entry has the milliseconds since the start, a kind, and a value: the number of characters for `text` and
`reasoning`, the id of a tool call for `call`, `run` and `result`, and the number of the step for `step`. `call` is the
moment at which the model began to write a call, `run` that at which the site began to execute it.
"""

from __future__ import annotations

from typing import Any

from streaming.protocol import (
    Event,
    ReasoningDelta,
    RefusalDelta,
    StepStarted,
    TextDelta,
    ToolCallStarted,
    ToolResulted,
)
from streaming.settlement import TimelineEntry

GRAIN_MS = 20
"""The time within which deltas are counted as one. The eye does not see less."""

MAX_ENTRIES = 1000
"""The most entries that are stored, about 20 KB. When there are more, the grain doubles."""

KINDS: dict[type[Event], tuple[str, str]] = {
    TextDelta: ("text", "text"),
    RefusalDelta: ("text", "text"),
    ReasoningDelta: ("reasoning", "text"),
    ToolCallStarted: ("call", "id"),
    ToolResulted: ("result", "call_id"),
}
"""The class of an event -> the kind of its entry, and the field that is its value or whose length is."""

GROWING = ("text", "reasoning")


class Timeline:
    """Collects the entries of one answer."""

    def __init__(self) -> None:
        self._entries: list[Any] = []
        self._grain = GRAIN_MS
        self._steps = 1

    @property
    def entries(self) -> list[TimelineEntry]:
        return [tuple(entry) for entry in self._entries]

    def note(self, milliseconds: int, event: Event) -> None:
        """Adds an event, if readers see it."""
        if shape := KINDS.get(type(event)):
            kind, field = shape
            value = getattr(event, field)
            self.mark(milliseconds, kind, len(value) if kind in GROWING else value)
        elif isinstance(event, StepStarted):
            self._steps += 1
            self.mark(milliseconds, "step", self._steps)

    def mark(self, milliseconds: int, kind: str, value: int | str) -> None:
        """Adds an entry, or counts it to the last one."""
        if not _joins(self._entries, milliseconds, kind, value, self._grain):
            self._entries.append([milliseconds, kind, value])
            if len(self._entries) > MAX_ENTRIES:
                self._coarsen()

    def _coarsen(self) -> None:
        """Doubles the grain until half of the places are free, or no two entries can be joined any more."""
        while len(self._entries) > MAX_ENTRIES // 2 and self._grain < 2**20:
            self._grain *= 2
            joined: list[Any] = []
            for entry in self._entries:
                milliseconds, kind, value = entry
                if not _joins(joined, milliseconds, kind, value, self._grain):
                    joined.append(entry)
            self._entries = joined
        del self._entries[MAX_ENTRIES:]


def _joins(entries: list[Any], milliseconds: int, kind: str, value: int | str, grain: int) -> bool:
    """Counts the value to the last entry if both are text of one kind and close in time. Returns True if it did."""
    if not entries or kind not in GROWING:
        return False
    last = entries[-1]
    if last[1] != kind or milliseconds - last[0] >= grain:
        return False
    last[2] += value
    return True
