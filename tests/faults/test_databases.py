"""F9, F10, F11, F13: a database that is away, is locked by another process, or has few connections."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.backing import Backing, postgres, running
from tests.cable import Cable
from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.footprint import CROWD_MEGABYTES
from tests.faults.oracle import Oracle, Order
from tests.faults.reader import Reader, longest_gap
from tests.faults.scale import LEASE, SLACK, SWEEP, scaled
from tests.faults.stages import POSTGRES, SQLITE, Stage, connect, played_on, wait_for
from tests.servers import Site

LOCKED_SECONDS = scaled(5, 10)
AWAY_SECONDS = scaled(4, 15)
# The number of events, 50 a second, of answers that are still being written when the database is back.
OUTLASTING = scaled(500, 1200)
MAX_CONNECTIONS = 20
CLIENTS = scaled(100, 500)


@pytest.fixture
def own_postgres() -> Iterator[Backing]:
    """A PostgreSQL that a test may stop."""
    for server in running(postgres):
        wait_for(server)
        yield server


@pytest.mark.fault("F9")
@played_on("uvicorn postgres", long=POSTGRES)
async def test_postgresql_may_restart_in_mid_stream(
    own_postgres: Backing, stage: Stage, trial: Trial, chance: random.Random, figure: Any
) -> None:
    site = stage.start(env={"DATABASE_URL": own_postgres.url}, STREAMING_RECHECK_SECONDS=1)
    site.manage("migrate", "--verbosity", "0")
    other = stage.start(beside=site)
    # Some end while the database is away, and some long after.
    orders = [Order.by(chance, events=events, delay=0.02) for events in (200, 200, OUTLASTING, OUTLASTING)]
    local = [await trial.reader(site, order) for order in orders]
    tasks = [asyncio.create_task(reader.ask_and_read()) for reader in local]
    for reader in local:
        await reader.has(1)
    elsewhere = [await trial.reader(other, order) for order in orders]
    tasks += [asyncio.create_task(reader.read()) for reader in elsewhere]
    for reader in (*local, *elsewhere):
        await reader.has(3)
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(own_postgres.start)
    back = time.monotonic()
    await asyncio.gather(*tasks)
    await rows.settled(site, 30)
    trial.judge(site)
    assert {rows.answers(site, order.key)[0].status for order in orders} == {"finished"}
    gap = max(map(longest_gap, local[2:]))
    assert gap < 1, f"readers of what ran on waited {gap:.1f} s"
    assert {reader.resumes for reader in (*local, *elsewhere)} == {0}, "streams were broken off"
    figure(away_s=AWAY_SECONDS, settled_after_s=round(time.monotonic() - back, 1), longest_gap_s=round(gap, 2))


@pytest.mark.fault("F9")
@played_on("daphne postgres", long=POSTGRES)
async def test_process_that_is_cut_off_from_the_database_is_fenced(
    own_postgres: Backing, stage: Stage, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    """Other processes reach the database and settle the answers.

    The process learns it when it reaches the database again.
    """
    other = stage.start(env={"DATABASE_URL": own_postgres.url})
    other.manage("migrate", "--verbosity", "0")
    async with Cable(own_postgres) as cable:
        url = own_postgres.url.replace(f":{own_postgres.port}/", f":{cable.port}/")
        owner = await asyncio.to_thread(stage.start, beside=other, env={"DATABASE_URL": url})
        await trial.sign_in(other)
        orders = [Order.by(chance, events=OUTLASTING, delay=0.02) for _ in range(3)]
        # These readers see frames that are lost later, so only the readers of the other process are checked.
        askers = [await trial.reader(owner, order, testifies=False, of=other) for order in orders]
        asking = [asyncio.create_task(asker.ask_and_read()) for asker in askers]
        for asker in askers:
            await asker.has(20)
        following = [asyncio.create_task((await trial.reader(other, order)).read()) for order in orders]
        await asyncio.sleep(0.5)
        cable.cut()
        await rows.settled(other, LEASE + SWEEP + SLACK)
        await asyncio.gather(*following)
        before = [rows.answers(other, order.key) for order in orders]
        cable.mend()
        mended = time.monotonic()
        for order in orders:
            await oracle.asked_for(order.key)[0].gone(within=10)
        took = time.monotonic() - mended
        await asyncio.gather(*asking)
    assert [asker.frames[-1].chunk["type"] for asker in askers] == ["error"] * len(askers)
    assert [rows.answers(other, order.key) for order in orders] == before
    assert {stored.status for (stored,) in before} == {"interrupted"}
    trial.judge(other)
    figure(cut_off=len(orders), fenced_after_s=round(took, 2))


@pytest.mark.fault("F10")
@played_on("uvicorn sqlite", long=SQLITE)
async def test_sqlite_may_be_locked_by_another_process(
    stage: Stage, trial: Trial, chance: random.Random, figure: Any
) -> None:
    """The lock is longer than a lease, so no lease can be renewed. A second process sweeps all the time."""
    site = stage.start()
    stage.start(beside=site)
    orders = [Order.by(chance, events=scaled(400, OUTLASTING), delay=0.02) for _ in range(3)]
    await trial.sign_in(site)
    readers = [await trial.reader(site, order) for order in orders]
    tasks = [asyncio.create_task(reader.ask_and_read()) for reader in readers]
    for reader in readers:
        await reader.has(20)
    late = Order.by(chance, events=10)
    lock = sqlite3.connect(site.env["DATABASE_URL"].removeprefix("sqlite:///"), isolation_level=None, timeout=20)
    lock.execute("BEGIN IMMEDIATE")
    try:
        tasks.append(asyncio.create_task((await trial.reader(site, late)).ask_and_read()))
        await asyncio.sleep(LOCKED_SECONDS)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    await asyncio.gather(*tasks)
    trial.judge(site)
    assert {rows.answers(site, order.key)[0].status for order in trial.orders.values()} == {"finished"}
    gap = max(map(longest_gap, readers))
    assert gap <= 1, f"tokens stood still for {gap:.1f} s"
    assert "is locked" not in str([frame.chunk for reader in readers for frame in reader.frames])
    figure(locked_s=LOCKED_SECONDS, longest_gap_s=round(gap, 2))


async def _small(server: Backing, stage: Stage) -> Site:
    """A site on a PostgreSQL with few connections and with Django's pool.

    Without it each request would open a connection.
    """
    with connect(server.url) as connection:
        connection.execute(f"ALTER SYSTEM SET max_connections = {MAX_CONNECTIONS}".encode())
    server.restart()
    wait_for(server)
    site = stage.start(env={"DATABASE_URL": server.url}, STREAMING_MAX_ACTIVE_PER_PROCESS=1000)
    site.manage("migrate", "--verbosity", "0")
    return site


def _connections(server: Backing) -> int:
    with connect(server.url) as connection:
        counted = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        found = connection.execute(counted.encode()).fetchone()
    assert found
    return int(found[0])


@pytest.mark.fault("F11", "F13")
@pytest.mark.timeout(scaled(120, 600))
@played_on("uvicorn postgres", long=POSTGRES)
async def test_crowd_shares_few_connections(
    own_postgres: Backing, stage: Stage, trial: Trial, chance: random.Random, figure: Any
) -> None:
    """All clients come within two seconds. Then all are cut off at once and come back."""
    site = await _small(own_postgres, stage)
    stage.keep_megabytes = CROWD_MEGABYTES
    orders = [Order.by(chance, events=scaled(24, 120), delay=0.5) for _ in range(CLIENTS)]
    async with Cable(site) as cable:
        readers = [await trial.reader(site, order, via=cable.url, pause=None) for order in orders]
        tasks = []
        began = time.monotonic()
        for reader in readers:
            tasks.append(asyncio.create_task(reader.ask_and_read()))
            await asyncio.sleep(2 / CLIENTS)
        peak = await _all_have_more(readers, tasks, own_postgres)
        connected = time.monotonic() - began
        cable.cut()
        cut = time.monotonic()
        seen = [reader.seq for reader in readers]
        await asyncio.sleep(0.1)
        cable.mend()
        again = await _all_have_more(readers, tasks, own_postgres, seen)
        returned = time.monotonic() - cut
        figure("F11", clients=CLIENTS, all_streaming_after_s=round(connected, 1), connections=peak, refused=0)
        figure("F13", clients=CLIENTS, all_resumed_after_s=round(returned, 1), connections=again)
        await asyncio.gather(*tasks)
    trial.judge(site)
    assert connected < 20
    assert returned < 10
    assert max(peak, again) <= 8 + 4 + 1
    assert "Internal Server Error" not in site.log()


async def _all_have_more(
    readers: list[Reader], tasks: list[asyncio.Task[Reader]], server: Backing, seen: list[int] | None = None
) -> int:
    """Waits until every reader has a frame more than in `seen`. Returns the highest number of connections meanwhile."""
    peak, least = 0, seen or [0] * len(readers)
    while any(reader.seq <= seq for reader, seq in zip(readers, least, strict=True)):
        peak = max(peak, await asyncio.to_thread(_connections, server))
        for task in filter(asyncio.Task.done, tasks):
            task.result()
        await asyncio.sleep(0.2)
    return peak
