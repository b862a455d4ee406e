"""Deletes rows one by one, so that a row which the site keeps does not keep the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import Error as DatabaseTrouble
from django.db.models import Model

from streaming.database.transactions import atomic

logger = logging.getLogger(__name__)


def delete_each(rows: Iterable[Model]) -> int:
    """Deletes the rows and returns how many. Logs the exception of a site's receiver, which spares its row."""
    return sum(map(_delete, rows))


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
