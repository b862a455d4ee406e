"""The timeline of one answer: when it grew, and when its tools worked. The admin draws it and replays the answer by it.

    [[180, "reasoning", 40], [900, "text", 12], [950, "run", "call_1"], [2950, "result", "call_1"], [3300, "text", 80]]

Each entry has the milliseconds since the start, a kind, and a value: the number of characters for `text` and
`reasoning`, the id of a tool call for `call`, `run` and `result`, and the number of the step for `step`. `call` is the
moment at which the model began to write a call, `run` that at which the site began to execute it.
"""

from __future__ import annotations

from array import array

from streaming.protocol import (
    Event,
    ReasoningDelta,
    RefusalDelta,
    StepStarted,
    TextDelta,
    ToolCallStarted,
    ToolResulted,
)
from streaming.records import TimelineEntry

GRAIN_MS = 20
"""The time within which deltas are counted as one. The eye does not see less."""

MAX_ENTRIES = 1000
"""The most entries that are stored, about 20 KB. When there are more, the grain doubles."""

KINDS = ("text", "reasoning", "step", "call", "run", "result")
GROWING = 2
"""The number of kinds, from the first, that count characters. Their entries are joined if they are close in time."""
NUMBERED = 3
"""The number of kinds, from the first, whose value is a number. The others name a call."""

TEXTS: dict[type[Event], int] = {TextDelta: 0, RefusalDelta: 0, ReasoningDelta: 1}
"""The class of a delta -> the place of its kind in `KINDS`."""

CALLS: dict[type[Event], tuple[str, str]] = {ToolCallStarted: ("call", "id"), ToolResulted: ("result", "call_id")}
"""The class of an event of a call -> its kind, and the field with the id of the call."""


class Timeline:
    """Collects the entries of one answer.

    They stay in memory while the answer grows, so there is an array for each field: 1,000 entries take 9 KB, as tuples
    120 KB. The value of a call's entry is the place of its id in `_ids`.
    """

    def __init__(self) -> None:
        self._columns = self._times, self._kinds, self._values = array("I"), array("B"), array("I")
        self._ids: dict[str, int] = {}
        self._grain = GRAIN_MS
        self._steps = 1

    @property
    def entries(self) -> list[TimelineEntry]:
        ids, columns = tuple(self._ids), zip(*self._columns, strict=True)
        return [(at, KINDS[kind], value if kind < NUMBERED else ids[value]) for at, kind, value in columns]

    def note(self, milliseconds: int, event: Event) -> None:
        """Adds an event, if readers see it."""
        kind = event.__class__
        if kind in TEXTS:
            self._add(milliseconds, TEXTS[kind], len(event.text))  # type: ignore[attr-defined]
        elif kind in CALLS:
            name, field = CALLS[kind]
            self.mark(milliseconds, name, getattr(event, field))
        elif kind is StepStarted:
            self._steps += 1
            self.mark(milliseconds, "step", self._steps)

    def mark(self, milliseconds: int, kind: str, value: int | str) -> None:
        """Adds an entry, or counts it to the last one."""
        if isinstance(value, str):
            value = self._ids.setdefault(value, len(self._ids))
        self._add(milliseconds, KINDS.index(kind), value)

    def _add(self, milliseconds: int, kind: int, value: int) -> None:
        if not self._join(milliseconds, kind, value):
            self._append(milliseconds, kind, value)
            if len(self._times) > MAX_ENTRIES:
                self._coarsen()

    def _join(self, milliseconds: int, kind: int, value: int) -> bool:
        """Counts the value to the last entry if both are text of one kind and close in time."""
        times = self._times
        if not times or milliseconds - times[-1] >= self._grain or kind >= GROWING or kind != self._kinds[-1]:
            return False
        self._values[-1] += value
        return True

    def _append(self, milliseconds: int, kind: int, value: int) -> None:
        self._times.append(milliseconds)
        self._kinds.append(kind)
        self._values.append(value)

    def _coarsen(self) -> None:
        """Doubles the grain until half of the places are free, or no two entries can be joined any more."""
        while len(self._times) > MAX_ENTRIES // 2 and self._grain < 2**20:
            self._grain *= 2
            entries = list(zip(*self._columns, strict=True))
            for column in self._columns:
                del column[:]
            for entry in entries:
                if not self._join(*entry):
                    self._append(*entry)
        for column in self._columns:
            del column[MAX_ENTRIES:]
