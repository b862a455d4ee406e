"""The way into the database: what comes out of it are Django's exceptions, and deadlocks are outlasted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import Model

from streaming.database import atomic, in_database, retry_on_deadlock
from streaming.database.transactions import MAX_DEADLOCKS


class MariaDBError(Exception):
    """As a driver raises it: its number comes first."""


class PostgreSQLError(Exception):
    sqlstate = "40P01"


class Elsewhere:
    """A router that keeps the app's rows in a database of their own."""

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return "conversations" if model._meta.app_label == "streaming" else None


def test_transactions_are_where_a_router_puts_the_rows(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.Elsewhere"]
    assert atomic().using == "conversations"


def _raise(error: Exception, cause: Exception | None = None) -> None:
    raise error from cause


async def test_exception_of_the_driver_becomes_djangos() -> None:
    with pytest.raises(OperationalError, match="server closed the connection"):
        await in_database(_raise, connection.Database.OperationalError("server closed the connection"))


@pytest.mark.parametrize("cause", [MariaDBError(1213, "Deadlock found"), PostgreSQLError("deadlock detected")])
def test_deadlocked_transaction_is_done_again_but_not_for_ever(cause: Exception) -> None:
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
def test_other_trouble_is_not_tried_again(cause: Exception | None) -> None:
    tries = []

    @retry_on_deadlock
    def transact() -> None:
        tries.append(1)
        _raise(OperationalError("no"), cause)

    with pytest.raises(OperationalError):
        transact()
    assert len(tries) == 1
