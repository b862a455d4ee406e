"""Empties the database after a test by deleting the rows of the tables that have some.

Django's `flush` truncates every table, and makes content types and permissions anew. On PostgreSQL and MariaDB that
takes longer than most tests. Here these two tables stay as the migrations have made them.
"""

from __future__ import annotations

import functools
from typing import Any

from django.db import connections, transaction
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission", "django_migrations"}


@functools.cache
def _filled_tables(alias: str) -> str:
    """Returns the statement that selects the names of the tables with rows."""
    connection = connections[alias]
    tables = sorted(set(connection.introspection.table_names()) - KEPT)
    named = (f"SELECT '{table}' AS name FROM {connection.ops.quote_name(table)} LIMIT 1" for table in tables)
    return " UNION ALL ".join(f"SELECT name FROM ({one}) AS found_{number}" for number, one in enumerate(named))


def _delete_rows(case: Any) -> None:
    for alias in case._databases_names(include_mirrors=False):
        connection = connections[alias]
        with connection.constraint_checks_disabled(), transaction.atomic(alias), connection.cursor() as cursor:
            cursor.execute(_filled_tables(alias))
            for (table,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


def pytest_configure() -> None:
    TransactionTestCase._fixture_teardown = _delete_rows  # type: ignore[method-assign]
