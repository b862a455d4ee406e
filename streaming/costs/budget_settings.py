"""Reads `STREAMING_BUDGETS`: how many tokens and how much money may be spent in a day and in a month.

STREAMING_BUDGETS = {
    "owner": {"day": {"tokens": 200_000}, "month": {"money": 5}},
    "site": {"month": {"money": 300}},
}
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from streaming.conf import settings
from streaming.costs.amounts import amount_of
from streaming.errors import StreamingError

SCOPES = ("owner", "site")
PERIODS = ("day", "month")
UNITS = ("tokens", "money")


class Budget(NamedTuple):
    """The most that may be spent, of one of `UNITS`, in one of `PERIODS`, by one of `SCOPES`."""

    scope: str
    period: str
    unit: str
    limit: Decimal


class BadBudget(StreamingError):
    """`STREAMING_BUDGETS` is wrong. The text says where and why."""


def budgets() -> list[Budget]:
    """Returns the budgets of the setting.

    Raises:
        BadBudget: an entry is wrong.
    """
    return list(_read(settings.BUDGETS))


def _read(value: Any) -> Iterator[Budget]:
    for scope, periods in _entries(value, "STREAMING_BUDGETS", SCOPES):
        for period, units in _entries(periods, f"STREAMING_BUDGETS[{scope!r}]", PERIODS):
            place = f"STREAMING_BUDGETS[{scope!r}][{period!r}]"
            for unit, limit in _entries(units, place, UNITS):
                yield Budget(scope, period, unit, _limit(f"{place}[{unit!r}]", limit))


def _entries(value: Any, place: str, known: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        raise BadBudget(f"{place} must be a dict with some of these keys: {', '.join(known)}.")
    for name in value:
        if name not in known:
            raise BadBudget(f"{place} has an unknown key {name!r}, must be one of: {', '.join(known)}.")
    return value.items()


def _limit(place: str, value: Any) -> Decimal:
    limit = amount_of(value)
    if limit is None:
        raise BadBudget(f"{place} must be a number, 0 or more, not {value!r}.")
    return limit
