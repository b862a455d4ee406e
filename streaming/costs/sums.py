"""Sums of what was used, over everything that is metered: answers, side calls and summaries, and what was deleted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum, Value

from streaming.models import METERED, LedgerEntry, Owner

Used = dict[str, Decimal]
"""A unit, `tokens` or `money` -> what was used of it."""


def used_since(owner: Owner | None, begins: Mapping[str, Any]) -> dict[str, Used]:
    """Returns what was used since each of the moments `begins`, by their names. Makes one query.

    The moments are datetimes; a single one may be an expression, for example of the database's clock. An owner of None
    means the whole site. Unknown tokens and costs count as none.
    """
    first, *others = (_summed(kind.objects.all(), owner, begins) for kind in (*METERED, LedgerEntry))
    union = first.union(*others, all=True).order_by()  # Django 6.1 gives a union the order of its first model
    rows: list[dict[str, Any]] = list(union)
    return {
        name: {
            "tokens": Decimal(sum(row[f"{name}_given"] + row[f"{name}_said"] for row in rows)),
            "money": sum((Decimal(row[f"{name}_cost"]) for row in rows), Decimal(0)),
        }
        for name in begins
    }


def _summed(rows: Any, owner: Owner | None, begins: Mapping[str, Any]) -> QuerySet[Any, Any]:
    """Returns a query of one row. A union takes only queries, no aggregates, so the row has a constant, too."""
    sums = {key: one for name, begin in begins.items() for key, one in _sums(name, begin).items()}
    own: Any = rows if owner is None else rows.owned_by(owner)
    made: QuerySet[Any, Any] = own.order_by().filter(created_at__gte=min(begins.values())).values(one=Value(1))
    summed: QuerySet[Any, Any] = made.annotate(**sums)
    return summed


def _sums(name: str, begin: Any) -> dict[str, Sum]:
    since = Q(created_at__gte=begin)
    return {
        f"{name}_given": Sum("input_tokens", filter=since, default=0),
        f"{name}_said": Sum("output_tokens", filter=since, default=0),
        f"{name}_cost": Sum("cost", filter=since, default=Decimal(0)),
    }
