"""The database's clock, the only clock that all processes of a site share."""

from __future__ import annotations

import datetime
import functools
from typing import Any

from django.db import models
from django.db.models import functions
from django.utils import timezone


class Now(functions.Now):
    """The time on the database's clock, as Django stores times there.

    SQLite, MySQL and MariaDB store times without their zone. There the time is UTC plus the offset of Django's zone:
    SQLite's own function gives UTC, and MySQL's the zone of the server. PostgreSQL stores moments, so its own function
    is right.
    """

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW', '{_utc_offset(connection)} seconds')"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_mysql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = f"(UTC_TIMESTAMP(6) + INTERVAL {_utc_offset(connection)} SECOND)"
        return self.as_sql(compiler, connection, template=template, **extra)


NOW = Now()
"""One object for all rows, because `streaming.database.insert` keeps the SQL of each expression that it has seen."""


def _utc_offset(connection: Any) -> int:
    """The offset from UTC, in seconds, of the times that Django stores in this database now."""
    offset = datetime.datetime.now(datetime.UTC).astimezone(connection.timezone).utcoffset()
    return int((offset or datetime.timedelta()).total_seconds())


@functools.lru_cache
def from_now(seconds: float) -> models.expressions.CombinedExpression:
    """Returns the time in so many seconds on the database's clock, the only clock that all processes share.

    The same number gives the same object, so that `streaming.database.insert` finds its SQL again.
    """
    return Now() + datetime.timedelta(seconds=seconds)


def site_time(moment: datetime.datetime) -> datetime.datetime:
    """Returns a time in the zone of the site, also where a middleware has activated that of a person.

    With `USE_TZ = False`, it is there already.
    """
    return timezone.localtime(moment, timezone.get_default_timezone()) if timezone.is_aware(moment) else moment


def iso_time(moment: datetime.datetime) -> str:
    """Returns a time as ISO 8601, with its offset from UTC. With `USE_TZ = False`, the zone is the site's."""
    return (moment if timezone.is_aware(moment) else timezone.make_aware(moment)).isoformat()


class InsertedAtField(models.DateTimeField):  # type: ignore[type-arg]
    """The time at which the row was inserted, on the database's clock. Until the row is read, that of the process.

    Rows that are compared with `from_now` need it: a limit of a minute would not bind a process whose clock is late.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001  # Django's signature
        given = super().pre_save(model_instance, add)
        return NOW if add else given

    def deconstruct(self) -> Any:
        """Returns a plain DateTimeField, so that migrations do not import this class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, kwargs
