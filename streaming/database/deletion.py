"""Deletes many rows, some in each transaction, so that neither memory nor locks grow with their number."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db.models import Model, ProtectedError, QuerySet, RestrictedError

from streaming.database.transactions import atomic, retry_on_deadlock

logger = logging.getLogger(__name__)

Keys = list[Any]
"""Primary keys."""


def deletions(rows: QuerySet[Any], at_once: int, some_of: Callable[[Keys], Keys] = lambda keys: keys) -> Iterator[int]:
    """Deletes the selected rows in their order. Each step is a transaction, and yields how many rows it has deleted.

    A transaction deletes at most `at_once` rows; `some_of` may take fewer, from the first on. A row that is no longer
    selected at its turn is left. So is one that a receiver or a foreign key of the site keeps, by an exception. The log
    has the number of these, and at the level DEBUG each of them.
    """
    kept: dict[Any, str] = {}
    try:
        while keys := list(rows.exclude(pk__in=list(kept)).values_list("pk", flat=True)[:at_once]):
            yield _delete_most(rows, some_of(keys), kept)
    finally:
        _log(rows.model, Counter(kept.values()))


def _delete_most(rows: QuerySet[Any], keys: Keys, kept: dict[Any, str]) -> int:
    """Deletes together what can be deleted, or else one by one. Adds what is kept to `kept`, with the reason."""
    try:
        return _delete(rows, keys)
    except Exception as trouble:
        if isinstance(trouble, DatabaseTrouble) and not isinstance(trouble, (ProtectedError, RestrictedError)):
            raise
        if len(keys) > 1:
            return sum(_delete_most(rows, [key], kept) for key in keys)
        logger.debug("The %s %s was kept.", rows.model._meta.verbose_name, keys[0], exc_info=True)
        kept[keys[0]] = type(trouble).__name__
        return 0


@retry_on_deadlock
def _delete(rows: QuerySet[Any], keys: Keys) -> int:
    """Deletes those of the rows that are still selected, in one transaction. Others have been used in the meantime."""
    with atomic():
        these = rows.model._base_manager.filter(pk__in=keys)
        list(these.select_for_update().values_list("pk"))
        still = list(rows.filter(pk__in=keys).values_list("pk", flat=True))
        these.filter(pk__in=still).delete()
        return len(still)


def _log(model: type[Model], reasons: Counter[str]) -> None:
    if reasons:
        counts = ", ".join(f"{reason} × {count}" for reason, count in reasons.items())
        told = "%d %s could not be deleted (%s). This logger names them at the level DEBUG."
        logger.warning(told, reasons.total(), model._meta.verbose_name_plural, counts)
