"""Percentiles of a column for each group of rows, in one query.

No common database has a percentile function that Django knows, so the row at the percentile's place is selected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Expression, F, FloatField, Q, QuerySet, Value, Window
from django.db.models.functions import Cast, Ceil, RowNumber

PERCENTILES = (0.5, 0.95)


def percentiles(grouped: QuerySet[Any], column: str) -> dict[Any, list[int]]:
    """Returns the values of the column at `PERCENTILES` for each value of the annotation `group`.

    A group without a value has no entry.
    """
    ranked = grouped.filter(**{f"{column}__isnull": False}).annotate(
        rank=Window(RowNumber(), partition_by=F("group"), order_by=F(column).asc()),
        size=Window(Count("pk"), partition_by=F("group")),
    )
    wanted = Q(rank=_place(PERCENTILES[0])) | Q(rank=_place(PERCENTILES[1]))
    found: dict[Any, dict[int, int]] = {}
    sizes: dict[Any, int] = {}
    for group, rank, size, value in ranked.filter(wanted).values_list("group", "rank", "size", column):
        found.setdefault(group, {})[rank] = value
        sizes[group] = size
    return {group: _at(values, sizes[group]) for group, values in found.items()}


def _place(percentile: float) -> Expression:
    share = Cast(F("size"), FloatField()) * Value(percentile)
    return Ceil(share, output_field=FloatField())


def _at(values: Mapping[int, int], size: int) -> list[int]:
    return [values[max(1, math.ceil(size * percentile))] for percentile in PERCENTILES]
