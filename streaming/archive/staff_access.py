"""Deletes old rows of the log of what staff saw."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.db.models import QuerySet

from streaming.conf import settings
from streaming.models import StaffAccess, from_now

ROWS_PER_DELETION = 1_000
"""The number of rows that one statement deletes."""


def accesses_before(age: datetime.timedelta) -> QuerySet[StaffAccess]:
    """Selects the rows that are older than `age`."""
    return StaffAccess.objects.filter(created_at__lt=from_now(-age.total_seconds()))


def prune_accesses(rows: QuerySet[StaffAccess]) -> Iterator[int]:
    """Deletes the selected rows, oldest first, and yields how many each statement deleted."""
    ids = rows.order_by("created_at", "pk").values_list("pk", flat=True)
    while some := list(ids[:ROWS_PER_DELETION]):
        StaffAccess.objects.filter(pk__in=some).delete()
        yield len(some)


def forget_old_accesses() -> int:
    """Deletes some of the rows that are older than the settings allow. Returns 0 if there are none left."""
    if settings.STAFF_ACCESS_DAYS is None:
        return 0
    return next(prune_accesses(accesses_before(datetime.timedelta(days=settings.STAFF_ACCESS_DAYS))), 0)
