"""The figures of the usage page. The database aggregates; four queries make a table of any size.

No common database has a percentile function that Django knows, so the row at the percentile's place is selected.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Case, CharField, Count, Expression, F, FloatField, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import Cast, Ceil, RowNumber, TruncDate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.models import Generation, Status

FAILED = (Status.FAILED, Status.TRUNCATED, Status.INTERRUPTED)
PERCENTILES = (0.5, 0.95)
METRICS = ("first_delta_ms", "duration_ms")
MAX_ROWS = 400


class Row(NamedTuple):
    """One line of the table. Times are milliseconds, None if no answer has one."""

    group: Any
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    first_p50: int | None = None
    first_p95: int | None = None
    duration_p50: int | None = None
    duration_p95: int | None = None

    @property
    def error_percent(self) -> str:
        return f"{100 * self.failed / self.requests:.1f} %" if self.requests else ""


def _owner() -> Case:
    """The name of the account. Visitors are one group, because each is a new one."""
    account = Cast(f"conversation__user__{get_user_model().USERNAME_FIELD}", CharField())
    return Case(
        When(conversation__user__isnull=False, then=account),
        When(conversation__owner_key__startswith="visitor:", then=Value(gettext("visitors"))),
        default=Value(gettext("the site's code")),
        output_field=CharField(),
    )


DIMENSIONS: dict[str, tuple[Any, Any]] = {
    "day": (_("day"), lambda: TruncDate("created_at")),
    "model": (_("model"), lambda: F("model")),
    "provider": (_("provider"), lambda: F("provider")),
    "user": (_("user"), _owner),
}
"""The name of a grouping -> its title, and the expression of a generation's group."""


def generations_since(since: datetime.datetime) -> QuerySet[Generation]:
    return Generation.objects.order_by().filter(created_at__gte=since)


def usage_by(generations: QuerySet[Generation], dimension: str) -> list[Row]:
    """Returns a row for each group: days in order, other groups from the one with the most requests."""
    order = "group" if dimension == "day" else "-requests"
    return _rows(generations.annotate(group=DIMENSIONS[dimension][1]()), order)


def total_of(generations: QuerySet[Generation]) -> Row | None:
    """Returns the row of all generations together, None if there are none."""
    return next(iter(_rows(generations.annotate(group=Value("all")), "group")), None)


def _rows(grouped: QuerySet[Any], order: str) -> list[Row]:
    sums = grouped.values("group").annotate(
        requests=Count("pk"),
        failed=Count("pk", filter=Q(status__in=FAILED)),
        read=Sum("input_tokens"),
        written=Sum("output_tokens"),
        spent=Sum("cost"),
    )
    places = {metric: _percentiles(grouped, metric) for metric in METRICS}
    return [_row(one, places) for one in sums.order_by(order)[:MAX_ROWS]]


def _row(one: Mapping[str, Any], places: Mapping[str, Mapping[Any, list[int]]]) -> Row:
    first, duration = (places[metric].get(one["group"], [None, None]) for metric in METRICS)
    read, written = one["read"] or 0, one["written"] or 0
    return Row(one["group"], one["requests"], one["failed"], read, written, one["spent"], *first, *duration)


def _percentiles(grouped: QuerySet[Any], metric: str) -> dict[Any, list[int]]:
    """Returns, for each group, the values of `metric` at the percentiles."""
    ranked = grouped.filter(**{f"{metric}__isnull": False}).annotate(
        rank=Window(RowNumber(), partition_by=F("group"), order_by=F(metric).asc()),
        size=Window(Count("pk"), partition_by=F("group")),
    )
    wanted = Q(rank=_place(PERCENTILES[0])) | Q(rank=_place(PERCENTILES[1]))
    found: dict[Any, dict[int, int]] = {}
    sizes: dict[Any, int] = {}
    for group, rank, size, value in ranked.filter(wanted).values_list("group", "rank", "size", metric):
        found.setdefault(group, {})[rank] = value
        sizes[group] = size
    return {group: list(_at(values, sizes[group])) for group, values in found.items()}


def _place(percentile: float) -> Expression:
    share = Cast(F("size"), FloatField()) * Value(percentile)
    return Ceil(share, output_field=FloatField())


def _at(values: Mapping[int, int], size: int) -> Iterable[int]:
    return (values[max(1, math.ceil(size * percentile))] for percentile in PERCENTILES)
