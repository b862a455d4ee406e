"""Deletes old rows of the log of what staff saw."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.db.models import QuerySet

from streaming.conf import settings
from streaming.database import deletions
from streaming.models import StaffAccess, from_now

ROWS_PER_DELETION = 1_000
"""The number of rows that one transaction deletes."""


def accesses_before(age: datetime.timedelta) -> QuerySet[StaffAccess]:
    """Selects the rows that are older than `age`."""
    return StaffAccess.objects.filter(created_at__lt=from_now(-age.total_seconds()))


def prune_accesses(rows: QuerySet[StaffAccess]) -> Iterator[int]:
    """Deletes the selected rows, oldest first, and yields how many each transaction deleted."""
    return deletions(rows.order_by("created_at", "pk"), ROWS_PER_DELETION)


def forget_old_accesses() -> Iterator[int]:
    """Deletes the rows that are older than the settings allow, and yields how many each transaction deleted."""
    if settings.STAFF_ACCESS_DAYS is not None:
        yield from prune_accesses(accesses_before(datetime.timedelta(days=settings.STAFF_ACCESS_DAYS)))
