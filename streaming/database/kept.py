"""Connections to SQLite files that the database threads keep.

Django would open one for each piece of work. That costs as much as the work itself, because SQLite reads the schema
again, and the last connection that is closed writes the log back into the file. A connection to a server is not kept:
it goes back to Django's pool, or follows `CONN_MAX_AGE`.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# A file that was moved, or replaced by a backup, is opened anew after this time, or after the first error.
KEPT_SECONDS = 30.0

_here = threading.local()


def keep_connections() -> None:
    """Lets the running thread keep its connections to SQLite. Executors call it when they start a thread."""
    _here.keeps = True


def close_unneeded_connections() -> None:
    """Closes the thread's connections, or gives them back, except for those that it keeps."""
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite" and connection.errors_occurred:
            connection.close()
    close_old_connections()


def _keep(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Sets the time at which Django's `close_old_connections` closes the new connection."""
    if connection.vendor == "sqlite" and getattr(_here, "keeps", False):
        connection.close_at = time.monotonic() + KEPT_SECONDS


connection_created.connect(_keep)
