"""Sums up what was asked and spent, in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from streaming.costs.percentiles import percentiles
from streaming.models import FAILURES, Generation

GROUPS: dict[str, Any] = {
    "day": TruncDate("created_at"),
    "model": F("model"),
    "provider": F("provider"),
    "status": F("status"),
    "owner": F("conversation__owner_key"),
}
"""The names by which rows are grouped -> the expression in the database."""

SPENT = {
    "input_tokens": Sum("input_tokens", default=0),
    "output_tokens": Sum("output_tokens", default=0),
    "cost": Sum("cost"),
}
SUMS = {
    "requests": Count("pk"),
    "failed": Count("pk", filter=Q(status__in=FAILURES)),
    **SPENT,
}
TIMES = ("first_delta_ms", "duration_ms")
MILLIONTH = Decimal("0.000001")


def usage_by(
    group: str,
    generations: QuerySet[Generation],
    side_calls: Iterable[QuerySet[Any]],
) -> list[dict[str, Any]]:
    """Returns one dict for each value of `group`, a key of `GROUPS`, with its sums and percentiles.

    `requests`, `failed` and the times are those of answers. Tokens and cost have the side calls, too. `cost` is None if
    no cost is known. Times are in milliseconds. The number of queries does not depend on that of the groups.
    """
    grouped = generations.annotate(group=GROUPS[group]).order_by("group")
    summed: Any = grouped.values("group").annotate(**SUMS)
    rows: dict[Any, dict[str, Any]] = {row["group"]: row for row in summed}
    for one in chain.from_iterable(_spent(calls, group) for calls in side_calls):
        row = rows.setdefault(one["group"], {"group": one["group"], "requests": 0, "failed": 0})
        row |= {name: _total(row.get(name), one[name]) for name in SPENT}
    ordered = sorted(rows, key=lambda key: (key is not None, key))
    times = {name.removesuffix("_ms"): percentiles(grouped.order_by(), name) for name in TIMES}
    return [_rounded(rows[key]) | _times_of(key, times) for key in ordered]


def _times_of(key: Any, times: Mapping[str, Mapping[Any, list[int]]]) -> dict[str, int | None]:
    """Returns the percentiles of one group by the names of the columns, such as `duration_p95`."""
    return {
        f"{name}_{part}": value
        for name, found in times.items()
        for part, value in zip(("p50", "p95"), found.get(key, (None, None)), strict=True)
    }


def _spent(calls: QuerySet[Any], group: str) -> Iterable[dict[str, Any]]:
    grouped: Any = calls.annotate(group=GROUPS[group]).order_by("group").values("group")
    spent: Iterable[dict[str, Any]] = grouped.annotate(**SPENT)
    return spent


def _total(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else one + other


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Rounds the cost to a millionth: SQLite sums up with floats."""
    return row if row["cost"] is None else row | {"cost": row["cost"].quantize(MILLIONTH)}
