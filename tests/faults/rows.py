"""What a site's database says, read past the site with plain SQL: SQLite's and PostgreSQL's."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import Any, NamedTuple

import psycopg

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
    url = site.env["DATABASE_URL"]
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)
        try:
            return list(connection.execute(sql))
        finally:
            connection.close()
    with psycopg.connect(url.partition("?")[0].replace("postgres://", "postgresql://")) as server:
        return server.execute(sql.encode()).fetchall()


def answers(site: Site, key: str) -> list[Stored]:
    return [Stored(*row) for row in select(site, ANSWERS.format(key=key))]


async def settled(site: Site, within: float = 15) -> float:
    """Seconds until nothing is active any more."""
    began = time.monotonic()
    while active := select(site, ACTIVE)[0][0]:
        assert time.monotonic() - began < within, f"{active} are still active after {within} seconds"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def change(site: Site, sql: str) -> None:
    """Behind the site's back; SQLite only."""
    connection = sqlite3.connect(site.env["DATABASE_URL"].removeprefix("sqlite:///"), timeout=20)
    with connection:
        assert connection.execute(sql).rowcount == 1
    connection.close()
