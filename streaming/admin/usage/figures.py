"""The figures of the usage page: what `streaming.costs.usage_by` finds, by the groups that the page offers."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, CharField, QuerySet, Value, When
from django.db.models.functions import Cast
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.costs import GROUPS, Usage, usage_by
from streaming.models import METERED, OwnerKind

MAX_ROWS = 400


def _owner() -> Case:
    """The name of the account. Visitors are one group, because each is a new one."""
    account = Cast(f"conversation__user__{get_user_model().USERNAME_FIELD}", CharField())
    return Case(
        When(conversation__user__isnull=False, then=account),
        When(conversation__owner_key__startswith=OwnerKind.VISITOR.prefix, then=Value(gettext("visitors"))),
        default=Value(gettext("the site's code")),
        output_field=CharField(),
    )


Calls = tuple[QuerySet[Any], ...]
"""The rows of answers, and those of each kind of side call."""

DIMENSIONS: dict[str, tuple[Any, Any]] = {
    "day": (_("day"), lambda: GROUPS["day"]),
    "model": (_("model"), lambda: GROUPS["model"]),
    "provider": (_("provider"), lambda: GROUPS["provider"]),
    "user": (_("user"), _owner),
}
"""The name of a grouping -> its title, and the function that returns the expression of a row's group."""


def metered_since(since: datetime.datetime) -> Calls:
    return tuple(kind.objects.filter(created_at__gte=since) for kind in METERED)


def rows_by(dimension: str, metered: Calls) -> list[Usage]:
    """Returns a row for each group: days in order, other groups from the one with the most requests."""
    return usage_by(DIMENSIONS[dimension][1](), metered, None if dimension == "day" else MAX_ROWS)


def each_day(days: list[Usage], first: datetime.date, last: datetime.date) -> list[Usage]:
    """Returns a row for each day from `first` to `last`, also for those without a request, so that time has a scale."""
    if any(row.group is None for row in days):  # MySQL without its tables of time zones does not know days
        return days
    known = {row.group: row for row in days}
    every = (first + datetime.timedelta(days=number) for number in range((last - first).days + 1))
    return [known.get(day) or Usage(day) for day in every]


def total_of(metered: Calls) -> Usage | None:
    """Returns the row of everything together, None if there is nothing."""
    return next(iter(usage_by(Value("all"), metered)), None)
