"""The rows of a site's database, read with plain SQL and not through the site, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from typing import Any, NamedTuple

from psycopg.errors import LockNotAvailable

from tests.faults.stages import connect
from tests.servers import Site

ANSWERS = """
    SELECT generation.status, generation.attempts, generation.error_code, generation.last_seq, message.text
    FROM streaming_generation AS generation
    JOIN streaming_message AS message ON message.id = generation.message_id
    JOIN streaming_conversation AS conversation ON conversation.id = generation.conversation_id
    WHERE conversation.key = '{key}'
"""
ACTIVE = "SELECT count(*) FROM streaming_generation WHERE status IN ('pending', 'running')"


class Stored(NamedTuple):
    status: str
    attempts: int
    error_code: str
    last_seq: int
    text: str


def select(site: Site, sql: str) -> list[tuple[Any, ...]]:
    with closing(_connected(site)) as connection:
        return list(connection.execute(sql))


def _connected(site: Site) -> Any:
    """Opens a connection. The methods that are needed are the same in both databases."""
    url = site.env["DATABASE_URL"]
    if url.startswith("sqlite"):
        return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)
    return connect(url)


def answers(site: Site, key: str) -> list[Stored]:
    return [Stored(*row) for row in select(site, ANSWERS.format(key=key))]


async def settled(site: Site, within: float = 15) -> float:
    """Waits until no generation is active, and returns the seconds."""
    began = time.monotonic()
    while active := select(site, ACTIVE)[0][0]:
        assert time.monotonic() - began < within, f"{active} are still active after {within} seconds"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def change(site: Site, sql: str) -> None:
    """Changes one row without the site's knowledge."""
    with closing(_connected(site)) as connection, connection:
        assert connection.execute(sql).rowcount == 1


def may_be_written(site: Site) -> bool:
    """True if no lock prevents a write."""
    with closing(_connected(site)) as connection:
        try:
            if isinstance(connection, sqlite3.Connection):
                connection.execute("PRAGMA busy_timeout = 300")
                connection.execute("BEGIN IMMEDIATE")
            else:
                connection.execute("SELECT 1 FROM streaming_generation WHERE finished_at IS NULL FOR UPDATE NOWAIT")
        except (sqlite3.OperationalError, LockNotAvailable):
            return False
    return True
