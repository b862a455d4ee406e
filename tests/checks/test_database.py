"""The checks of the database that conversations are written to."""

from __future__ import annotations

import pytest
from django.core.checks import Error, Warning
from django.db import connections

from tests.checks import messages

PATIENT_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 20_000}


@pytest.fixture
def database(monkeypatch):
    """Changes the configuration of the default database for one test."""
    configuration = connections["default"].settings_dict
    return lambda name, value: monkeypatch.setitem(configuration, name, value)


@pytest.mark.parametrize("options", [{}, {"transaction_mode": None}, {"transaction_mode": "deferred"}])
def test_sqlite_with_deferred_transactions_is_a_warning(database, options):
    database("OPTIONS", options)
    assert messages() == [
        Warning(
            "The SQLite database 'default' lets transactions begin as readers; two that write at once fail with "
            "'database is locked'.",
            hint='Add to DATABASES[\'default\']["OPTIONS"]: "transaction_mode": "IMMEDIATE", "timeout": 20.',
            id="streaming.W030",
        )
    ]


def test_sqlite_with_immediate_transactions_is_fine_in_lower_case(database):
    database("OPTIONS", {"transaction_mode": "immediate"})
    assert messages() == []


@pytest.mark.parametrize("age", [60, None])
def test_kept_connections_are_a_warning_under_asgi(database, age):
    database("CONN_MAX_AGE", age)
    assert messages() == [
        Warning(
            "The database 'default' keeps connections (CONN_MAX_AGE); under ASGI they pile up, one for each request.",
            hint='Set DATABASES[\'default\']["CONN_MAX_AGE"] = 0. On PostgreSQL use OPTIONS["pool"] instead.',
            id="streaming.W031",
        )
    ]
    assert [message.id for message in messages(ASGI_APPLICATION=None)] == ["streaming.W020"]


@pytest.mark.parametrize("options", [{}, {"connect_timeout": 5}, {"tcp_user_timeout": 1}])
def test_postgresql_without_timeouts_is_a_warning(database, monkeypatch, options):
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    database("OPTIONS", options | {"pool": True})
    assert messages() == [
        Warning(
            "If the PostgreSQL server of 'default' vanishes, its clients wait for minutes.",
            hint='Add to DATABASES[\'default\']["OPTIONS"]: "connect_timeout": 5, "tcp_user_timeout": 20_000.',
            id="streaming.W032",
        )
    ]
    database("OPTIONS", PATIENT_POSTGRESQL | {"pool": True})
    assert messages() == []


@pytest.mark.parametrize("options", [{}, {"pool": False}])
def test_postgresql_without_a_pool_is_a_warning_under_asgi(database, monkeypatch, options):
    monkeypatch.setattr(connections["default"], "vendor", "postgresql")
    database("OPTIONS", options | PATIENT_POSTGRESQL)
    assert messages() == [
        Warning(
            "Under ASGI every request opens a connection of its own to the PostgreSQL database 'default'; a crowd is "
            "refused with 'too many clients'.",
            hint='Run: pip install "psycopg[pool]", and set DATABASES[\'default\']["OPTIONS"]["pool"] = '
            '{"min_size": 2, "max_size": 8}. Silence this if a pooler such as PgBouncer stands in between.',
            id="streaming.W033",
        )
    ]
    assert [message.id for message in messages(ASGI_APPLICATION=None)] == ["streaming.W020"]


def test_router_that_splits_what_is_written_together_is_an_error():
    assert messages(DATABASE_ROUTERS=["tests.routers.Splits"]) == [
        Error(
            "A database router writes conversations to 'default', but not: streaming.Message.",
            hint="Let the router's db_for_write name one database for the app 'streaming' and for users.",
            id="streaming.E034",
        )
    ]
    assert messages(DATABASE_ROUTERS=["tests.routers.ReadsReplica"]) == []


def test_router_that_allows_no_tables_where_conversations_are_written_is_an_error():
    (message,) = messages(DATABASE_ROUTERS=["tests.routers.MigratesNothing"])
    assert message.id == "streaming.E035"
    assert "streaming.Conversation, streaming." in message.msg
    assert "auth.User" not in message.msg
