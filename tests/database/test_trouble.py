"""The meanings of database errors, as the real drivers raise them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg_pool
import pymysql
import pytest
from django.db import (
    ConnectionHandler,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from project.database_url import database_from
from streaming.database import refusal_of, told, trouble_of
from streaming.database.trouble import Trouble
from streaming.errors import Overloaded, SiteFault
from tests.backing import Backing
from tests.faults.stages import wait_for

MISSING = ["SELECT * FROM nowhere", "SELECT absent FROM known", "INSERT INTO known (b) VALUES (1)"]


@pytest.fixture(autouse=True)
def _databases_of_the_tests_own(django_db_blocker: Any) -> Iterator[None]:
    pymysql.install_as_MySQLdb()
    with django_db_blocker.unblock():
        yield


def connection_to(url: str) -> Any:
    return ConnectionHandler({"default": database_from(url)})["default"]


@pytest.fixture(params=["sqlite", "postgres_server", "mariadb_server"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'some.sqlite3'}"
    server: Backing = request.getfixturevalue(request.param)
    if request.param == "postgres_server":
        wait_for(server)
    return server.url


@pytest.fixture
def connection(url: str) -> Iterator[Any]:
    opened = connection_to(url)
    with opened.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS known")
        cursor.execute("CREATE TABLE known (a integer PRIMARY KEY)")
    yield opened
    opened.close()


def error_of(act: Callable[[], Any]) -> Error:
    with pytest.raises(Error) as caught:
        act()
    return caught.value


def test_missing_tables_and_columns_are_named_as_such(connection: Any) -> None:
    for statement in MISSING:
        error = error_of(lambda statement=statement: connection.cursor().execute(statement))
        assert trouble_of(error) is Trouble.NOT_MIGRATED, error
        assert isinstance(refusal_of(error), SiteFault)
        assert told(error).startswith("database_not_migrated: ")
        assert "manage.py migrate" in told(error)


def test_mistakes_of_the_code_are_no_trouble_of_the_database(connection: Any) -> None:
    connection.cursor().execute("INSERT INTO known VALUES (1)")
    error = error_of(lambda: connection.cursor().execute("INSERT INTO known VALUES (1)"))
    assert isinstance(error, IntegrityError)
    assert (trouble_of(error), refusal_of(error), told(error)) == (None, None, "IntegrityError")


def test_rows_that_others_hold_are_a_busy_database(connection: Any, url: str) -> None:
    connection.cursor().execute("INSERT INTO known VALUES (1)")
    impatient = {
        "sqlite": "PRAGMA busy_timeout = 1",
        "postgresql": "SET lock_timeout = 1",
        "mysql": "SET innodb_lock_wait_timeout = 1",
    }
    connection.set_autocommit(False)
    connection.cursor().execute("UPDATE known SET a = 2")
    other = connection_to(url)
    other.cursor().execute(impatient[other.vendor])
    error = error_of(lambda: other.cursor().execute("UPDATE known SET a = 3"))
    connection.rollback()
    connection.set_autocommit(True)
    other.close()
    assert trouble_of(error) is Trouble.BUSY, error
    assert str(refusal_of(error)) == "The site's database is busy. Try again in a moment."


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all", "postgres://nobody@127.0.0.1:1/none", "mysql://nobody@127.0.0.1:1/none"]
)
def test_database_that_cannot_be_reached_is_away(url: str) -> None:
    error = error_of(lambda: connection_to(url).cursor())
    assert trouble_of(error) is Trouble.AWAY, error
    assert isinstance(refusal_of(error), Overloaded)
    assert "127.0.0.1" not in told(error)


def _raised_from(error: Error, cause: BaseException) -> Error:
    error.__cause__ = cause
    return error


class Numbered(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InterfaceError("cursor already closed"), Trouble.AWAY),
        (_raised_from(OperationalError("pool"), psycopg_pool.PoolTimeout("30 s")), Trouble.BUSY),
        (_raised_from(OperationalError("disk full"), Numbered()), Trouble.REFUSED),
        (OperationalError(1114, "The table is full"), Trouble.REFUSED),
        (DataError("too long"), None),
        (ProgrammingError("syntax"), None),
        (ValueError("no"), None),
    ],
)
def test_other_errors_are_told_apart(error: Exception, kind: Trouble | None) -> None:
    assert trouble_of(error) is kind
