"""Transactions run on the database that a router chooses, and are repeated after a deadlock."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import Model

from streaming.database import atomic, retry_on_deadlock
from streaming.database.transactions import MAX_DEADLOCKS


class MariaDBError(Exception):
    """An error of a MariaDB driver. Its first argument is the error number."""


class PostgreSQLError(Exception):
    """An error of PostgreSQL's driver, which has an SQLSTATE."""

    sqlstate = "40P01"


class Elsewhere:
    """A router that keeps the app's rows in a database of their own."""

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return "conversations" if model._meta.app_label == "streaming" else None


def test_transactions_are_on_the_database_that_a_router_chooses(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.Elsewhere"]
    assert atomic().using == "conversations"


def _raise(error: Exception, cause: Exception | None = None) -> None:
    raise error from cause


@pytest.mark.parametrize("cause", [MariaDBError(1213, "Deadlock found"), PostgreSQLError("deadlock detected")])
def test_deadlocked_transaction_is_repeated_but_not_for_ever(cause: Exception) -> None:
    tries = []

    @retry_on_deadlock
    def transact(deadlocks: int) -> str:
        tries.append(deadlocks)
        if len(tries) <= deadlocks:
            _raise(OperationalError("undone"), cause)
        return "done"

    assert transact(3) == "done"
    assert len(tries) == 4
    tries.clear()
    with pytest.raises(OperationalError):
        transact(1000)
    assert len(tries) == MAX_DEADLOCKS + 1


@pytest.mark.parametrize("cause", [None, MariaDBError(2006, "server has gone away"), MariaDBError()])
def test_transaction_is_not_repeated_after_other_errors(cause: Exception | None) -> None:
    tries = []

    @retry_on_deadlock
    def transact() -> None:
        tries.append(1)
        _raise(OperationalError("no"), cause)

    with pytest.raises(OperationalError):
        transact()
    assert len(tries) == 1
