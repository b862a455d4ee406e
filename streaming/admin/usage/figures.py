"""The figures of the usage page. The database aggregates; a fixed number of queries makes a table of any size."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import chain
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Case, CharField, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, TruncDate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.admin.cells import number
from streaming.costs import percentiles
from streaming.models import FAILURES, METERED

METRICS = ("first_delta_ms", "duration_ms")
MAX_ROWS = 400
SPENT = {"read": Sum("input_tokens"), "written": Sum("output_tokens"), "spent": Sum("cost")}


class Row(NamedTuple):
    """One line of the table. Tokens and cost are also those of side calls; the other figures are of answers.

    Times are milliseconds, None if no answer has one.
    """

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
        return f"{number(100 * self.failed / self.requests, places=1)} %" if self.requests else ""


def _owner() -> Case:
    """The name of the account. Visitors are one group, because each is a new one."""
    account = Cast(f"conversation__user__{get_user_model().USERNAME_FIELD}", CharField())
    return Case(
        When(conversation__user__isnull=False, then=account),
        When(conversation__owner_key__startswith="visitor:", then=Value(gettext("visitors"))),
        default=Value(gettext("the site's code")),
        output_field=CharField(),
    )


Calls = tuple[QuerySet[Any], ...]
"""The rows of answers, and those of each kind of side call."""

DIMENSIONS: dict[str, tuple[Any, Any]] = {
    "day": (_("day"), lambda: TruncDate("created_at")),
    "model": (_("model"), lambda: F("model")),
    "provider": (_("provider"), lambda: F("provider")),
    "user": (_("user"), _owner),
}
"""The name of a grouping -> its title, and the expression of a generation's group."""


def metered_since(since: datetime.datetime) -> Calls:
    return tuple(kind.objects.order_by().filter(created_at__gte=since) for kind in METERED)


def usage_by(metered: Calls, dimension: str) -> list[Row]:
    """Returns a row for each group: days in order, other groups from the one with the most requests."""
    is_day = dimension == "day"
    rows = _rows(metered, DIMENSIONS[dimension][1], "group" if is_day else "-requests")
    return sorted(rows, key=lambda row: row.group) if is_day else rows


def each_day(days: list[Row], first: datetime.date, last: datetime.date) -> list[Row]:
    """Returns a row for each day from `first` to `last`, also for those without a request, so that time has a scale."""
    if any(row.group is None for row in days):  # MySQL without its tables of time zones does not know days
        return days
    known = {row.group: row for row in days}
    every = (first + datetime.timedelta(days=number) for number in range((last - first).days + 1))
    return [known.get(day) or Row(day, 0, 0, 0, 0, None) for day in every]


def total_of(metered: Calls) -> Row | None:
    """Returns the row of everything together, None if there is nothing."""
    return next(iter(_rows(metered, lambda: Value("all"), "group")), None)


def _rows(metered: Calls, group: Callable[[], Any], order: str) -> list[Row]:
    answers, *side_calls = (calls.annotate(group=group()) for calls in metered)
    counts = {"requests": Count("pk"), "failed": Count("pk", filter=Q(status__in=FAILURES))}
    found = answers.values("group").annotate(**counts, **SPENT).order_by(order)[:MAX_ROWS]
    sums = {one["group"]: one for one in found}
    if len(sums) == MAX_ROWS:  # the other groups have no row
        side_calls = [calls.filter(group__in=[*sums]) for calls in side_calls]
    for one in chain.from_iterable(calls.values("group").annotate(**SPENT) for calls in side_calls):
        known = sums.setdefault(one["group"], {"group": one["group"], "requests": 0, "failed": 0})
        known |= {name: _total(known.get(name), one[name]) for name in SPENT}
    places = {metric: percentiles(answers, metric) for metric in METRICS}
    return [_row(one, places) for one in sums.values()]


def _total(*amounts: Any) -> Any:
    """The sum of the amounts that are known, None if none is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _row(one: Mapping[str, Any], places: Mapping[str, Mapping[Any, list[int]]]) -> Row:
    first, duration = (places[metric].get(one["group"], [None, None]) for metric in METRICS)
    read, written = one["read"] or 0, one["written"] or 0
    return Row(one["group"], one["requests"], one["failed"], read, written, one["spent"], *first, *duration)
