"""The resources that an open stream holds, and how long its connection lasts."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from streaming.testing import text_in
from tests.backing import Backing
from tests.live.client import Visit
from tests.servers import Site
from tests.serving.conftest import Start

STREAMS = 40
# One for each of `STREAMING_DATABASE_THREADS`, and one for the writer.
CONNECTIONS = 3
POOL = {"min_size": 2, "max_size": 8}
# The threads of the server itself, of its pools and of the event loop.
SPARE_THREADS = 20


def _threads(site: Site) -> int:
    return len(list(Path(f"/proc/{site.process.pid}/task").iterdir()))


def _database_connections(url: str) -> int:
    """The number of connections to the database, without the one of this query."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        (count,) = connection.execute(query).fetchone() or (0,)
    return int(count)


@pytest.mark.parametrize(
    ("server", "pool", "limit"),
    [("daphne", None, CONNECTIONS), ("uvicorn", POOL, POOL["max_size"])],
)
async def test_open_streams_hold_no_database_connection_and_no_thread(
    server: str, pool: dict[str, int], limit: int, start: Start, visit: Visit, postgres_server: Backing
) -> None:
    """Each stream is of a new visitor. Middleware writes the session after the view, on the request's own thread."""
    site = start(server, database=postgres_server.url, DATABASE_POOL=pool)
    site.manage("migrate", "--verbosity", "0")
    before = _threads(site)
    streams = await asyncio.gather(*(visit(site).ask("Hello?", "endless") for _ in range(STREAMS)))
    await asyncio.gather(*(stream.until("text-delta", 5) for stream in streams))
    assert _database_connections(postgres_server.url) <= limit
    assert _threads(site) - before <= CONNECTIONS + SPARE_THREADS


async def test_reader_that_reconnects_is_disconnected_in_time_and_misses_nothing(shared: Start, visit: Visit) -> None:
    site = shared("daphne", STREAMING_MAX_CONNECTION_SECONDS=1)
    visitor = visit(site)
    await (await visitor.ask("Hello?", "endless")).until("text-delta")
    seen, retries, lives = [], set(), []
    for _ in range(3):
        began = time.monotonic()
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(len(seen))} if seen else {})
        response = await visitor.http.get(f"/api/chat/{visitor.key}/stream", headers=headers)
        lives.append(time.monotonic() - began)
        first, *blocks, rest = response.text.split("\n\n")
        retries.add(int(first.removeprefix("retry: ")))
        seen += [int(number) for number in re.findall(r"^id: (\d+)$", "\n".join(blocks), re.MULTILINE)]
        assert (rest, "[DONE]" in response.text) == ("", False)
    assert seen == list(range(1, len(seen) + 1))
    assert all(0.9 < life < 30 for life in lives), lives
    assert retries <= set(range(2000, 3001))
    assert len(retries) > 1, "all would come back at the same time"


async def test_reader_that_does_not_reconnect_is_not_disconnected(shared: Start, visit: Visit) -> None:
    """Stock clients take a clean end for the end of the answer."""
    site = shared("daphne", STREAMING_MAX_CONNECTION_SECONDS=1)
    visitor = visit(site)
    asking = await visitor.ask("Hello?", "pausing", id=uuid.uuid4().hex)
    whole = await asking.whole()
    assert whole.frames[-1].at - whole.frames[0].at > 1.2
    assert text_in(whole.chunks) == "one two three"
