"""`manage.py usage` sums up requests, tokens, cost, errors and times."""

from __future__ import annotations

from argparse import ArgumentParser
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
        answers, *side_calls = (kind.objects.filter(**selected) for kind in METERED)
        rows = usage_by(options["by"], answers, side_calls)
        table = [[options["by"], *COLUMNS[1:]], *([_cell(row[name]) for name in COLUMNS] for row in rows)]
        result = {"by": options["by"], "currency": settings.CURRENCY, "rows": rows}
        self.report(options, result, "\n".join(_aligned(table)))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _aligned(table: list[list[str]]) -> list[str]:
    """Returns the lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in table]
