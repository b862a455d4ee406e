"""A transaction that runs alone: between processes, too, only one at a time has the same name.

A limit is counted from rows and then used up by a new row. Two transactions that do this at once would both count
before either inserts. So they take turns, for example those of one owner.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from django.db import DatabaseError, OperationalError, connections

from streaming.database.transactions import alias, atomic

# The time for which MySQL and MariaDB wait for a row's lock by default (`innodb_lock_wait_timeout`), in seconds.
MYSQL_SECONDS = 50


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Opens a transaction that waits until no other one with this name is open.

    It must be the first lock that the transaction takes; otherwise two transactions may wait for each other. Within an
    open transaction it opens a savepoint. The turn then lasts until the end of the open transaction, on MySQL and
    MariaDB until the end of the savepoint.

    Functions that `transaction.on_commit` runs afterwards cannot fail it.

    Raises:
        OperationalError: on MySQL and MariaDB, the turn did not come within `MYSQL_SECONDS`.
    """
    connection = connections[alias()]
    with TURNS.get(connection.vendor, _sqlite)(connection, name):
        before = len(connection.run_on_commit)
        yield
        _outlast_hooks(connection, before)


def _outlast_hooks(connection: Any, before: int) -> None:
    """Makes the new commit hooks robust, all but the first `before`: Django logs their errors.

    The site's signal receivers add them. Otherwise the caller would get the error of a hook after the commit, and take
    for undone what is stored.
    """
    hooks = connection.run_on_commit
    hooks[before:] = [(sids, hook, True) for sids, hook, _ in hooks[before:]]


@contextmanager
def _sqlite(connection: Any, name: str) -> Iterator[None]:
    """SQLite has one writer at a time; with IMMEDIATE transactions, writers wait for each other before they read."""
    with atomic():
        yield


@contextmanager
def _postgresql(connection: Any, name: str) -> Iterator[None]:
    """PostgreSQL's advisory lock belongs to a transaction and takes a number of 64 bits as its name."""
    with atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (int.from_bytes(_digest(name, 8), signed=True),))
        yield


@contextmanager
def _mysql(connection: Any, name: str) -> Iterator[None]:
    """MySQL's named lock belongs to a session of the server, so it is taken before the transaction and named after the
    database. Galera does not pass it on to other nodes."""
    named = _digest(f"{connection.settings_dict['NAME']} {name}", 16).hex()
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", (named, MYSQL_SECONDS))
        if cursor.fetchone() != (1,):
            raise OperationalError(1205, "Lock wait timeout exceeded")
    try:
        with atomic():
            yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:  # a lost connection has lost its lock, too
            cursor.execute("SELECT RELEASE_LOCK(%s)", (named,))


def _digest(name: str, size: int) -> bytes:
    return hashlib.blake2b(f"streaming {name}".encode(), digest_size=size).digest()


TURNS: dict[str, Callable[[Any, str], AbstractContextManager[None]]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "sqlite": _sqlite,
}
