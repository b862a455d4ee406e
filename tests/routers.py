"""Database routers of the tests."""

from __future__ import annotations

from typing import Any


class ReadsReplica:
    """Sends this app's reads to a replica and its writes to `default`, as sites with read replicas do."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model._meta.app_label == "streaming" else None

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


class Splits:
    """Writes messages to another database than everything else."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model._meta.model_name == "message" else None


class MigratesNothing:
    """Creates no table of this app in any database."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == "streaming" else None
