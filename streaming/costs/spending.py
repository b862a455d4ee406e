"""Checks that no budget is spent. Days and months are those of the site's time zone."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.conf import settings
from streaming.costs.budget_settings import Budget, budgets
from streaming.errors import OverBudget
from streaming.models import METERED, Owner

logger = logging.getLogger(__name__)

WARNS_AT = Decimal("0.8")
"""The part of a budget at which the site is warned."""

SITE_SECONDS = 5.0
"""Seconds for which a process does not sum up the whole site again."""

MOST_WARNINGS = 10_000
"""The number of warnings that a process remembers, so that it gives each only once."""

budget_warning = Signal()
"""Sent when 80 % of a budget are spent, once for each process, with `budget`, `used`, and `owner` or None."""


def _month(now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    begin = now.replace(day=1)
    return begin, (begin + datetime.timedelta(days=32)).replace(day=1)


def _day(now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
    return now, now + datetime.timedelta(days=1)


BOUNDS: dict[str, Callable[[datetime.datetime], tuple[datetime.datetime, datetime.datetime]]] = {
    "day": _day,
    "month": _month,
}
"""A period -> its first moment and the first of the next one, for a midnight."""


def check_budgets(owner: Owner) -> None:
    """Checks that neither the owner nor the site has spent a budget.

    Raises:
        OverBudget: one is spent. The text says which, and when there is a new one.
    """
    for budget in budgets():
        begin, end = _bounds(budget.period)
        used = _used(owner if budget.scope == "owner" else None, begin)[budget.unit]
        if used >= budget.limit:
            raise OverBudget(_refusal(budget), retry_after=_seconds_until(end))
        if used >= budget.limit * WARNS_AT:
            _warn(budget, owner, begin, used)


def _refusal(budget: Budget) -> str:
    amount = f"{budget.limit:,}"
    of = gettext("%(count)s tokens") % {"count": amount} if budget.unit == "tokens" else f"{settings.CURRENCY} {amount}"
    return str(REFUSALS[budget.scope, budget.period]) % {"amount": of}


REFUSALS = {
    ("owner", "day"): _("You have used up the budget of %(amount)s for today. There is a new one tomorrow."),
    ("owner", "month"): _("You have used up the budget of %(amount)s for this month. There is a new one next month."),
    ("site", "day"): _("This site has used up the budget of %(amount)s for today. There is a new one tomorrow."),
    ("site", "month"): _(
        "This site has used up the budget of %(amount)s for this month. There is a new one next month."
    ),
}
"""The scope and the period of a budget -> the text that people read when it is spent."""


def _bounds(period: str) -> tuple[datetime.datetime, datetime.datetime]:
    now = timezone.now()
    if timezone.is_aware(now):  # a middleware may have activated the time zone of a person
        now = timezone.localtime(now, timezone.get_default_timezone())
    return BOUNDS[period](now.replace(hour=0, minute=0, second=0, microsecond=0))


def _seconds_until(end: datetime.datetime) -> int:
    return max(1, round((end - timezone.now()).total_seconds()))


_site_sums: dict[datetime.datetime, tuple[float, dict[str, Decimal]]] = {}


def _used(owner: Owner | None, since: datetime.datetime) -> dict[str, Decimal]:
    """Returns what was spent since a moment, by unit. The sum of the whole site may be `SITE_SECONDS` old."""
    if owner is not None:
        return _summed(owner, since)
    summed_at, used = _site_sums.get(since, (0.0, {}))
    if not used or time.monotonic() - summed_at > SITE_SECONDS:
        used = _summed(None, since)
        for ended in [one for one in list(_site_sums) if one < since - datetime.timedelta(days=32)]:
            _site_sums.pop(ended, None)  # another thread may have done it
        _site_sums[since] = (time.monotonic(), used)
    return used


def _summed(owner: Owner | None, since: datetime.datetime) -> dict[str, Decimal]:
    """Returns what answers, side calls and summaries have used since a moment, by unit."""
    used = {"tokens": Decimal(0), "money": Decimal(0)}
    for kind in METERED:
        rows: Any = kind.objects.all() if owner is None else kind.objects.owned_by(owner)
        summed = rows.filter(created_at__gte=since).aggregate(
            given=Sum("input_tokens", default=0),
            said=Sum("output_tokens", default=0),
            money=Sum("cost", default=Decimal(0)),
        )
        used["tokens"] += summed["given"] + summed["said"]
        used["money"] += Decimal(summed["money"])
    return used


_warned: set[tuple[Budget, str, datetime.datetime]] = set()


def _warn(budget: Budget, owner: Owner, since: datetime.datetime, used: Decimal) -> None:
    """Warns the site that most of a budget is spent. A process does that once for each budget and period."""
    whose = owner.key if budget.scope == "owner" else "the site"
    if (budget, whose, since) in _warned:
        return
    if len(_warned) >= MOST_WARNINGS:
        _warned.clear()
    _warned.add((budget, whose, since))
    part, of = round(100 * used / budget.limit), f"{budget.unit} for the {budget.period}"
    logger.warning("%s has spent %d %% of its budget of %s.", whose, part, of)
    budget_warning.send_robust(Budget, budget=budget, owner=owner if budget.scope == "owner" else None, used=used)
