"""Checks the database settings: they must suit many writers and long requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections, router

from streaming.models import Generation

Configuration = dict[str, Any]


def check_database(**kwargs: Any) -> list[CheckMessage]:
    """Checks the database that conversations are written to. A database router may choose it."""
    alias = router.db_for_write(Generation)
    configuration = connections[alias].settings_dict
    return [*_split_models(alias), *(message for check in CHECKS for message in check(alias, configuration))]


def _split_models(alias: str) -> Iterator[CheckMessage]:
    # One transaction writes rows of several models, and rows refer to each other and to users.
    together = [*apps.get_app_config("streaming").get_models(), get_user_model()]
    elsewhere = [model._meta.label for model in together if router.db_for_write(model) != alias]
    if elsewhere:
        yield Error(
            f"A database router writes conversations to {alias!r}, but not: {', '.join(elsewhere)}.",
            hint="Let the router's db_for_write name one database for the app 'streaming' and for users.",
            id="streaming.E034",
        )
    homeless = [model._meta.label for model in together if not router.allow_migrate_model(alias, model)]
    if homeless:
        yield Error(
            f"A database router writes conversations to {alias!r} and does not allow these tables there: "
            f"{', '.join(homeless)}.",
            hint=f"Let the router's allow_migrate return True or None for them on {alias!r}.",
            id="streaming.E035",
        )


def _sqlite_defers(alias: str, configuration: Configuration) -> Iterator[CheckMessage]:
    # Measured with 8 threads: 116 of 400 read-then-write transactions fail with any timeout. With IMMEDIATE none fails.
    options = configuration.get("OPTIONS", {})
    is_sqlite = connections[alias].vendor == "sqlite"
    if is_sqlite and str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        yield Warning(
            f"The SQLite database {alias!r} lets transactions begin as readers; two that write at once fail with "
            "'database is locked'.",
            hint=f'Add to DATABASES[{alias!r}]["OPTIONS"]: "transaction_mode": "IMMEDIATE", "timeout": 20.',
            id="streaming.W030",
        )


def _keeps_connections(alias: str, configuration: Configuration) -> Iterator[CheckMessage]:
    # Under ASGI every request has its own thread. When the thread ends, its connection stays open and nobody has it.
    if configuration.get("CONN_MAX_AGE") != 0 and getattr(django_settings, "ASGI_APPLICATION", None):
        yield Warning(
            f"The database {alias!r} keeps connections (CONN_MAX_AGE); under ASGI they pile up, one for each request.",
            hint=f'Set DATABASES[{alias!r}]["CONN_MAX_AGE"] = 0. On PostgreSQL use OPTIONS["pool"] instead.',
            id="streaming.W031",
        )


def _waits_for_ever(alias: str, configuration: Configuration) -> Iterator[CheckMessage]:
    # Without these options Linux tries to connect for two minutes, and to send for a quarter of an hour.
    missing = {"connect_timeout", "tcp_user_timeout"} - set(configuration.get("OPTIONS", {}))
    if connections[alias].vendor == "postgresql" and missing:
        yield Warning(
            f"If the PostgreSQL server of {alias!r} vanishes, its clients wait for minutes.",
            hint=f'Add to DATABASES[{alias!r}]["OPTIONS"]: "connect_timeout": 5, "tcp_user_timeout": 20_000.',
            id="streaming.W032",
        )


def _opens_one_each(alias: str, configuration: Configuration) -> Iterator[CheckMessage]:
    # Conversations use the connections of a few threads. Sessions and users use one connection for each request.
    is_pooled = configuration.get("OPTIONS", {}).get("pool")
    if (
        connections[alias].vendor == "postgresql"
        and not is_pooled
        and getattr(django_settings, "ASGI_APPLICATION", None)
    ):
        yield Warning(
            f"Under ASGI every request opens a connection of its own to the PostgreSQL database {alias!r}; a crowd is "
            "refused with 'too many clients'.",
            hint=f'Run: pip install "psycopg[pool]", and set DATABASES[{alias!r}]["OPTIONS"]["pool"] = '
            '{"min_size": 2, "max_size": 8}. Silence this if a pooler such as PgBouncer stands in between.',
            id="streaming.W033",
        )


CHECKS: tuple[Callable[[str, Configuration], Iterator[CheckMessage]], ...] = (
    _sqlite_defers,
    _keeps_connections,
    _waits_for_ever,
    _opens_one_each,
)
