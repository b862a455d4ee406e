"""Sums up what was asked and spent. The database aggregates, in as many queries for many groups as for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from streaming.costs.percentiles import percentiles
from streaming.models import FAILURES

GROUPS: dict[str, Any] = {
    "day": TruncDate("created_at"),
    "model": F("model"),
    "provider": F("provider"),
    "status": F("status"),
    "owner": F("conversation__owner_key"),
}
"""The names by which rows are grouped -> the expression in the database."""

COUNTS = {"requests": Count("pk"), "failed": Count("pk", filter=Q(status__in=FAILURES))}
SPENT = {name: Sum(name) for name in ("input_tokens", "output_tokens", "cost")}
TIMES = ("first_delta_ms", "duration_ms")


class Usage(NamedTuple):
    """What one group has used. Tokens and cost are also those of side calls; the other figures are of answers.

    `cost` is None if no cost is known. Times are milliseconds, None if no answer has one.
    """

    group: Any
    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    first_p50: int | None = None
    first_p95: int | None = None
    duration_p50: int | None = None
    duration_p95: int | None = None


def usage_by(group: Any, metered: Sequence[QuerySet[Any]], most: int | None = None) -> list[Usage]:
    """Returns the usage of each group, in their order; with `most`, of those with the most requests, from the first.

    `metered` are the answers, and further rows of `METERED`. `group` is the expression of a row's group.
    """
    answers, *side_calls = (rows.order_by().annotate(group=group) for rows in metered)
    order = "group" if most is None else "-requests"
    found: Any = answers.values("group").annotate(**COUNTS, **SPENT).order_by(order)[:most]
    sums: dict[Any, dict[str, Any]] = {one["group"]: one for one in found}
    if len(sums) == most:  # the other groups have no row
        side_calls = [calls.filter(group__in=[*sums]) for calls in side_calls]
    spent: Any = chain.from_iterable(calls.values("group").annotate(**SPENT) for calls in side_calls)
    for one in spent:
        known = sums.setdefault(one["group"], {"group": one["group"], "requests": 0, "failed": 0})
        known |= {name: _total(known.get(name), one[name]) for name in SPENT}
    times = [percentiles(answers, name) for name in TIMES]
    rows = [_usage(one, times) for one in sums.values()]
    return rows if most is not None else sorted(rows, key=lambda row: (row.group is not None, row.group))


def _total(one: Any, other: Any) -> Any:
    """Returns the sum of the amounts that are known; None if none is."""
    return other if one is None else one if other is None else one + other


def _usage(sums: Mapping[str, Any], times: Sequence[Mapping[Any, list[int]]]) -> Usage:
    first, duration = (found.get(sums["group"], (None, None)) for found in times)
    tokens = (sums["input_tokens"] or 0, sums["output_tokens"] or 0)
    return Usage(sums["group"], sums["requests"], sums["failed"], *tokens, sums["cost"], *first, *duration)
