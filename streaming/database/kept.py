"""Connections to SQLite files that the database threads keep.

Django would open one for each piece of work. That costs as much as the work itself, because SQLite reads the schema
again, and the last connection that is closed writes the log back into the file. A connection to a server is not kept:
it goes back to Django's pool, or follows `CONN_MAX_AGE`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger(__name__)

# A file that was moved, or replaced by a backup, is opened anew after this time, or after the first error.
KEPT_SECONDS = 30.0

_here = threading.local()


def keep_connections() -> None:
    """Lets the running thread keep its connections to SQLite. Executors call it when they start a thread."""
    _here.keeps = True


def close_unneeded_connections() -> None:
    """Closes the thread's connections, or gives them back, except for those that it keeps."""
    for connection in connections.all(initialized_only=True):
        is_spoilt = connection.vendor == "sqlite" and connection.errors_occurred
        _close(connection, connection.close if is_spoilt else connection.close_if_unusable_or_obsolete)


def close_connections() -> None:
    """Closes all connections of the thread, before it ends or becomes idle.

    A driver can fail at that. Django forgets the connection nevertheless, so this is logged and harms nobody.
    """
    for connection in connections.all(initialized_only=True):
        _close(connection, connection.close)


def _close(connection: BaseDatabaseWrapper, close: Callable[[], None]) -> None:
    try:
        close()
    except Exception as trouble:
        logger.warning(
            "A connection to the database %r could not be closed (%s).", connection.alias, type(trouble).__name__
        )


def _keep(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Sets the time at which Django's `close_old_connections` closes the new connection."""
    if connection.vendor == "sqlite" and getattr(_here, "keeps", False):
        connection.close_at = time.monotonic() + KEPT_SECONDS


connection_created.connect(_keep)
