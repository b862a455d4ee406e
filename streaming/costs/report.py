"""Sums up what was asked and spent, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from streaming.models import Generation, Status

GROUPS: dict[str, Any] = {
    "day": TruncDate("created_at"),
    "model": F("model"),
    "provider": F("provider"),
    "status": F("status"),
    "owner": F("conversation__owner_key"),
}
"""The names by which rows are grouped -> the expression in the database."""

SUMS = {
    "requests": Count("pk"),
    "failed": Count("pk", filter=Q(status__in=(Status.FAILED, Status.TRUNCATED, Status.INTERRUPTED))),
    "input_tokens": Sum("input_tokens", default=0),
    "output_tokens": Sum("output_tokens", default=0),
    "cost": Sum("cost"),
}
TIMES = ("first_delta_ms", "duration_ms")
QUANTILES = (50, 95)
MILLIONTH = Decimal("0.000001")


def usage_by(
    group: str, generations: QuerySet[Generation], counted: Callable[[Iterable[Any]], Iterable[Any]] = iter
) -> list[dict[str, Any]]:
    """Returns one dict for each value of `group`, a key of `GROUPS`, with its sums and quantiles.

    `cost` is None if the cost of no answer is known. Times are in milliseconds. `counted` passes the rows on: each
    takes some queries.
    """
    grouped = generations.annotate(group=GROUPS[group]).order_by("group")
    rows: Any = grouped.values("group").annotate(**SUMS)
    return [_rounded(row) | _quantiles(grouped.filter(group=row["group"])) for row in counted(rows)]


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Rounds the cost to a millionth: SQLite sums up with floats."""
    return row if row["cost"] is None else row | {"cost": row["cost"].quantize(MILLIONTH)}


def _quantiles(generations: QuerySet[Any]) -> dict[str, int | None]:
    return {
        f"{name.removesuffix('_ms')}_p{part}": _quantile(generations, name, part)
        for name in TIMES
        for part in QUANTILES
    }


def _quantile(generations: QuerySet[Any], name: str, part: int) -> int | None:
    """Returns the value below which `part` percent lie, by looking a row up: SQLite and MySQL have no function."""
    known = generations.exclude(**{name: None}).order_by(name).values_list(name, flat=True)
    count = known.count()
    return known[(count - 1) * part // 100] if count else None
