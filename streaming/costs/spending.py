"""Checks that no budget is spent. Days and months are those of the site's time zone."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from decimal import Decimal

from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from streaming.conf import settings
from streaming.costs.budget_settings import Budget, budgets
from streaming.costs.sums import Used, used_since
from streaming.errors import OverBudget
from streaming.models import Owner, site_time

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
    asked, sums = budgets(), dict[str, dict[str, Used]]()
    for budget in asked:
        if budget.scope not in sums:
            begins = {one.period: _bounds(one.period)[0] for one in asked if one.scope == budget.scope}
            sums[budget.scope] = _used(owner if budget.scope == "owner" else None, begins)
        begin, end = _bounds(budget.period)
        used = sums[budget.scope][budget.period][budget.unit]
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
    return BOUNDS[period](site_time(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0, fold=0))


def _seconds_until(end: datetime.datetime) -> int:
    return max(1, round((end - timezone.now()).total_seconds()))


Begins = dict[str, datetime.datetime]

_site_sums: dict[tuple[datetime.datetime, ...], tuple[float, dict[str, Used]]] = {}


def _used(owner: Owner | None, begins: Begins) -> dict[str, Used]:
    """Returns what was used since each moment. The sums of the whole site may be `SITE_SECONDS` old."""
    if owner is not None:
        return used_since(owner, begins)
    key = tuple(begins.values())
    summed_at, used = _site_sums.get(key, (0.0, {}))
    if not used or time.monotonic() - summed_at > SITE_SECONDS:
        used = used_since(None, begins)
        _site_sums.clear()  # the others are of earlier days
        _site_sums[key] = (time.monotonic(), used)
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
