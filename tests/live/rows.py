"""The rows of a site's database, read with plain SQL and not through the site."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from typing import Any, NamedTuple

from tests.servers import Site

ANSWERS = """
    SELECT generation.*, message.parts, message.text
    FROM streaming_generation AS generation
    JOIN streaming_message AS message ON message.id = generation.message_id
    JOIN streaming_conversation AS conversation ON conversation.id = generation.conversation_id
    WHERE conversation.key = ? ORDER BY generation.created_at
"""
TABLES = (
    "streaming_conversation",
    "streaming_message",
    "streaming_generation",
    "streaming_attachment",
    "streaming_journalentry",
)


class Stored(NamedTuple):
    """One answer: the columns of its generation, and the content of its message."""

    generation: dict[str, Any]
    parts: list[dict[str, Any]]
    text: str

    @property
    def status(self) -> str:
        status: str = self.generation["status"]
        return status


def select(site: Site, sql: str, *arguments: Any) -> list[dict[str, Any]]:
    """Returns rows as dicts."""
    connection = sqlite3.connect(site.database, timeout=20)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(sql, arguments)]
    finally:
        connection.close()


def answers(site: Site, key: str) -> list[Stored]:
    """All answers in the conversation, oldest first."""
    return [Stored(row, json.loads(row["parts"]), row["text"]) for row in select(site, ANSWERS, key)]


def answer(site: Site, key: str) -> Stored:
    """The only answer in the conversation."""
    (only,) = answers(site, key)
    return only


async def settled(site: Site, key: str, within: float = 10) -> Stored:
    """The only answer, when it has ended."""
    deadline = time.monotonic() + within
    while (found := answer(site, key)).status in ("pending", "running"):
        assert time.monotonic() < deadline, f"still {found.status} after {within} seconds"
        await asyncio.sleep(0.02)
    return found


def counts(site: Site) -> dict[str, int]:
    """The number of rows in each of the app's tables, without the journal, which other answers still write."""
    return {table: select(site, f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in TABLES[:-1]}


def everything(site: Site) -> str:
    """All values in the app's tables as one text, to be searched."""
    return "\n".join(str(list(row.values())) for table in TABLES for row in select(site, f"SELECT * FROM {table}"))
