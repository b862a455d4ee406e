"""The timeline of an answer as a drawing: when text came, where nothing came, what the tools did.

All lengths are in the units of the drawing's view box, which is `WIDTH` wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from streaming.admin.cells import number

WIDTH = 1000.0
THINNEST = 1.5
GAP_SHARE = 0.02
"""A silence is a gap if it takes more than this share of the time, and more than `GAP_MS`."""

GAP_MS = 500
TICKS = 5


class Bar(NamedTuple):
    """One bar. `kind` is `text`, `reasoning`, `tool` or `gap`; `name` is what it stands for."""

    kind: str
    x: float
    width: float
    begins: int
    ends: int
    name: str = ""

    @property
    def took(self) -> int:
        return self.ends - self.begins


class Drawing(NamedTuple):
    """The bars of one answer; `first` is where its first text came, None if there was none."""

    bars: list[Bar]
    first: float | None
    ticks: list[tuple[float, str]]
    total: int

    @property
    def gaps(self) -> list[Bar]:
        return [bar for bar in self.bars if bar.kind == "gap"]

    @property
    def tools(self) -> list[Bar]:
        return [bar for bar in self.bars if bar.kind == "tool"]


def drawing_of(timeline: Sequence[Sequence[Any]], duration: int | None, names: dict[str, str]) -> Drawing:
    """Draws a timeline. `names` are the names of the called tools by the id of the call."""
    total = max([duration or 0, 1, *(entry[0] for entry in timeline)])
    scale = WIDTH / total
    growth = [(entry[0], entry[1]) for entry in timeline if entry[1] in ("text", "reasoning")]
    spans = [(begins, ends, names.get(call, call)) for call, begins, ends in calls_of(timeline)]
    pieces = [*_runs(growth, total), *(("tool", begins, ends, name) for begins, ends, name in spans)]
    pieces += [("gap", begins, ends, "") for begins, ends in _silences(pieces, total)]
    bars = [Bar(kind, a * scale, max(THINNEST, (b - a) * scale), a, b, name) for kind, a, b, name in pieces]
    ticks = [(WIDTH * at / TICKS, f"{number(total * at / TICKS / 1000, places=1)} s") for at in range(TICKS + 1)]
    return Drawing(bars, growth[0][0] * scale if growth else None, ticks, total)


def _runs(growth: Iterable[tuple[int, str]], total: int) -> list[tuple[str, int, int, str]]:
    """Joins deltas of one kind that follow each other without a gap."""
    runs: list[tuple[str, int, int, str]] = []
    for at, kind in growth:
        if runs and runs[-1][0] == kind and not _is_gap(at - runs[-1][2], total):
            runs[-1] = (kind, runs[-1][1], at, "")
        else:
            runs.append((kind, at, at, ""))
    return runs


def calls_of(timeline: Sequence[Sequence[Any]]) -> list[tuple[str, int, int]]:
    """Returns the id, begin and end of each call that has a result. A call begins when it is executed."""
    began: dict[str, int] = {}
    found = []
    for at, kind, value in timeline:
        if kind in ("call", "run"):
            began[value] = at
        elif kind == "result" and value in began:
            found.append((value, began[value], at))
    return found


def _silences(pieces: Iterable[tuple[str, int, int, str]], total: int) -> list[tuple[int, int]]:
    """The times in which nothing came and no tool worked, long enough to be seen."""
    found, reached = [], 0
    for _kind, begins, ends, _name in sorted(pieces, key=lambda piece: piece[1]):
        if _is_gap(begins - reached, total):
            found.append((reached, begins))
        reached = max(reached, ends)
    return [*found, (reached, total)] if _is_gap(total - reached, total) else found


def _is_gap(milliseconds: int, total: int) -> bool:
    return milliseconds > max(GAP_MS, GAP_SHARE * total)
