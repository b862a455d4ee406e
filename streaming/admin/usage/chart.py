"""The drawings of the usage page: requests as bars with their failures, and times as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from streaming.admin.cells import number
from streaming.costs import Usage

WIDTH, HEIGHT, ROOM = 1000.0, 160.0, 24.0
"""The view box. `ROOM` is below the axis, for the labels."""

MAX_LABELS = 10
LETTER = 8.0
LEAST_LETTERS = 13
"""What even a label of many has room for, because then not each column has one."""

MAX_COLUMN = 60.0
"""The widest column. A single one would otherwise fill the page."""


class Column(NamedTuple):
    x: float
    width: float
    y: float
    height: float
    failed_height: float
    label: str
    title: str


class Chart(NamedTuple):
    """The columns of one chart. `lines` are polylines by their name; `most` is the value at the top."""

    columns: list[Column]
    lines: dict[str, str]
    most: int
    slowest: str

    @property
    def size(self) -> tuple[int, int]:
        return int(WIDTH), int(HEIGHT + ROOM)


def chart_of(rows: Sequence[Usage], *, is_series: bool = False) -> Chart:
    """Draws the rows. Only a series has lines: between two models or people there is nothing."""
    most = max((row.requests for row in rows), default=0)
    step = WIDTH / max(1, len(rows))
    every = max(1, -(-len(rows) // MAX_LABELS))
    columns = [_column(row, at * step, step, most, has_label=at % every == 0) for at, row in enumerate(rows)]
    slowest = max((row.first_p95 or 0 for row in rows), default=0)
    lines = {name: _line([getattr(row, name) for row in rows], step, slowest) for name in ("first_p50", "first_p95")}
    return Chart(columns, lines if is_series and len(rows) > 1 and slowest else {}, most, f"{number(slowest)} ms")


def _column(row: Usage, x: float, step: float, most: int, *, has_label: bool) -> Column:
    scale = HEIGHT / most if most else 0
    height = row.requests * scale
    counts = {"requests": number(row.requests), "failed": number(row.failed)}
    title = f"{row.group}: " + _("%(requests)s (%(failed)s failed)") % counts
    width = min(step * 0.8, MAX_COLUMN)
    room = (step + width) / 2 // LETTER  # from the left of the column to the next one
    label = Truncator(str(row.group)).chars(int(max(LEAST_LETTERS, room))) if has_label else ""
    return Column(x + (step - width) / 2, width, HEIGHT - height, height, row.failed * scale, label, title)


def _line(values: Sequence[int | None], step: float, most: int) -> str:
    """The points of a polyline, without the groups that have no value."""
    scale = (HEIGHT - 10) / most if most else 0
    points = [(at * step + step / 2, HEIGHT - value * scale) for at, value in enumerate(values) if value is not None]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
