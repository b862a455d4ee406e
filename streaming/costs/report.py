"""Sums up what was asked and spent, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from itertools import chain
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

SPENT = {
    "input_tokens": Sum("input_tokens", default=0),
    "output_tokens": Sum("output_tokens", default=0),
    "cost": Sum("cost"),
}
SUMS = {
    "requests": Count("pk"),
    "failed": Count("pk", filter=Q(status__in=(Status.FAILED, Status.TRUNCATED, Status.INTERRUPTED))),
    **SPENT,
}
TIMES = ("first_delta_ms", "duration_ms")
QUANTILES = (50, 95)
MILLIONTH = Decimal("0.000001")


def usage_by(
    group: str,
    generations: QuerySet[Generation],
    side_calls: Iterable[QuerySet[Any]],
    counted: Callable[[Iterable[Any]], Iterable[Any]] = iter,
) -> list[dict[str, Any]]:
    """Returns one dict for each value of `group`, a key of `GROUPS`, with its sums and quantiles.

    `requests`, `failed` and the times are those of answers. Tokens and cost have the side calls, too. `cost` is None if
    no cost is known. Times are in milliseconds. `counted` passes the groups on: each takes some queries.
    """
    grouped = generations.annotate(group=GROUPS[group]).order_by("group")
    summed: Any = grouped.values("group").annotate(**SUMS)
    rows: dict[Any, dict[str, Any]] = {row["group"]: row for row in summed}
    for one in chain.from_iterable(_spent(calls, group) for calls in side_calls):
        row = rows.setdefault(one["group"], {"group": one["group"], "requests": 0, "failed": 0})
        row |= {name: _total(row.get(name), one[name]) for name in SPENT}
    ordered = sorted(rows, key=lambda key: (key is not None, key))
    return [_rounded(rows[key]) | _quantiles(grouped.filter(group=key)) for key in counted(ordered)]


def _spent(calls: QuerySet[Any], group: str) -> Iterable[dict[str, Any]]:
    grouped: Any = calls.annotate(group=GROUPS[group]).order_by("group").values("group")
    spent: Iterable[dict[str, Any]] = grouped.annotate(**SPENT)
    return spent


def _total(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else one + other


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
