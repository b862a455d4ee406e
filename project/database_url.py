"""Reads `DATABASE_URL` and makes it an entry of Django's `DATABASES`.

sqlite:///relative.sqlite3 · sqlite:////absolute.sqlite3 · postgres://user:password@host:5432/name?sslmode=require ·
mysql://user:password@host:3306/name
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# With IMMEDIATE, writers wait up to `timeout` seconds instead of failing. With WAL, readers need not wait for them.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}

# In seconds, and in milliseconds. Without them, TCP waits for a quarter of an hour for a server that has vanished.
POSTGRES_OPTIONS = {"connect_timeout": 5, "tcp_user_timeout": 20_000}

# Without a pool, every request opens a connection of its own.
POSTGRES_POOL = {"min_size": 2, "max_size": 8}


def database_from(url: str) -> dict[str, Any]:
    """The settings of one database. The query of the URL becomes its OPTIONS.

    Raises:
        ImproperlyConfigured: the scheme is not one of `SCHEMES`.
    """
    split = urlsplit(url)
    read = SCHEMES.get(split.scheme)
    if read is None:
        raise ImproperlyConfigured(
            f"DATABASE_URL begins with {split.scheme!r}, must be one of: {', '.join(sorted(SCHEMES))}."
        )
    return read(split)


def pooled(database: dict[str, Any]) -> dict[str, Any]:
    """The settings with a connection pool, if the database is PostgreSQL and `psycopg_pool` is installed."""
    if database["ENGINE"] != "django.db.backends.postgresql" or find_spec("psycopg_pool") is None:
        return database
    return database | {"OPTIONS": {"pool": POSTGRES_POOL} | database["OPTIONS"]}


def _sqlite(url: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": unquote(url.path).removeprefix("/"),
        "OPTIONS": SQLITE_OPTIONS,
    }


def _postgres(url: SplitResult) -> dict[str, Any]:
    server = _server("django.db.backends.postgresql", url)
    return server | {"OPTIONS": POSTGRES_OPTIONS | server["OPTIONS"]}


def _mysql(url: SplitResult) -> dict[str, Any]:
    return _server("django.db.backends.mysql", url)


def _server(engine: str, url: SplitResult) -> dict[str, Any]:
    return {
        "ENGINE": engine,
        "NAME": unquote(url.path).removeprefix("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": url.port or "",
        "OPTIONS": dict(parse_qsl(url.query)),
    }


SCHEMES: dict[str, Callable[[SplitResult], dict[str, Any]]] = {
    "sqlite": _sqlite,
    "postgres": _postgres,
    "postgresql": _postgres,
    "mysql": _mysql,
}
