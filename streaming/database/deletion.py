"""Deletes rows one by one, so that a row which the site keeps does not keep the others."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db.models import Model, QuerySet

from streaming.database.transactions import atomic

logger = logging.getLogger(__name__)


def delete_each(rows: QuerySet[Any], at_once: int) -> int:
    """Deletes at most `at_once` of the rows, and returns how many; 0 if none is left that can be deleted.

    Logs the exception of a site's receiver, which spares its row.
    """
    spared: list[Any] = []
    while some := list(rows.exclude(pk__in=spared)[:at_once]):
        if deleted := sum(map(_delete, some)):
            return deleted
        spared += [row.pk for row in some]
    return 0


def _delete(row: Model) -> bool:
    try:
        with atomic():
            row.delete()
    except DatabaseTrouble:
        raise
    except Exception as trouble:
        what = row._meta.verbose_name
        logger.exception("The %s %s could not be deleted (%s).", what, row.pk, type(trouble).__name__)
        return False
    return True
