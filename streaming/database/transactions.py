"""Transactions on the database that holds the conversations."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.apps import apps
from django.db import OperationalError, router, transaction

from streaming.database.trouble import is_deadlock

# Deadlocks are random; eight in a row is a bug.
MAX_DEADLOCKS = 8
DEADLOCK_PAUSE_SECONDS = 0.05
P = ParamSpec("P")
T = TypeVar("T")


def alias() -> str:
    """Returns the alias of the database that generations are written to. A database router may choose it."""
    return str(router.db_for_write(apps.get_model("streaming", "Generation")))


def atomic() -> transaction.Atomic:
    """Returns a transaction on the database of `alias`, or a savepoint within the open transaction."""
    return transaction.atomic(using=alias())


def retry_on_deadlock(transact: Callable[P, T]) -> Callable[P, T]:
    """Repeats a transaction that the database undid to resolve a deadlock.

    The function must be a whole transaction, not part of a larger one.
    """

    @functools.wraps(transact)
    def transact_again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MAX_DEADLOCKS):
            try:
                return transact(*args, **kwargs)
            except OperationalError as error:
                if not is_deadlock(error):
                    raise
                # The random pause keeps the same two transactions from meeting again.
                time.sleep(random.uniform(0, DEADLOCK_PAUSE_SECONDS))  # noqa: S311  # hides nothing
        return transact(*args, **kwargs)

    return transact_again
