"""`manage.py usage` sums up requests, tokens, cost, errors and times."""

from __future__ import annotations

from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.utils import timezone

from streaming.conf import settings
from streaming.costs import GROUPS, usage_by
from streaming.management.progress import ReportingCommand
from streaming.management.selection import add_owner_arguments, age, of_owner
from streaming.models import METERED, Conversation

COLUMNS = (
    "group", "requests", "failed", "input_tokens", "output_tokens", "cost",
    "first_delta_p50", "first_delta_p95", "duration_p50", "duration_p95",
)  # fmt: skip
"""The names of the fields of `Usage` in the output."""

MILLIONTH = Decimal("0.000001")


class Command(ReportingCommand):
    help = "Sum up requests, failures, tokens, cost and times (milliseconds; the median and the 95th percentile)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--by", choices=GROUPS, default="day", help="What the rows are; by default days.")
        parser.add_argument("--since", type=age, metavar="AGE", help="Only what was asked since then, for example 30d.")
        add_owner_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        selected: dict[str, Any] = {}
        if options["user"] is not None or options["owner"] is not None:
            selected["conversation__in"] = of_owner(Conversation.objects.all(), options)
        if options["since"]:
            selected["created_at__gte"] = timezone.now() - options["since"]
        found = usage_by(GROUPS[options["by"]], [kind.objects.filter(**selected) for kind in METERED])
        rows = [row._replace(cost=_rounded(row.cost)) for row in found]
        table = [[options["by"], *COLUMNS[1:]], *(list(map(_cell, row)) for row in rows)]
        named = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        result = {"by": options["by"], "currency": settings.CURRENCY, "rows": named}
        self.report(options, result, "\n".join(_aligned(table)))


def _rounded(cost: Decimal | None) -> Decimal | None:
    """Rounds a cost to a millionth: SQLite sums up with floats."""
    return None if cost is None else cost.quantize(MILLIONTH)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _aligned(table: list[list[str]]) -> list[str]:
    """Returns the lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]
