"""F12, F22: many streams, and many sockets, in one process."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from typing import Any

import pytest

from tests.faults import rows
from tests.faults.conftest import Start, Trial
from tests.faults.footprint import MEGABYTE, Footprint, footprint, gives_back
from tests.faults.oracle import Oracle, Order
from tests.faults.reader import Reader
from tests.faults.scale import scaled
from tests.live.client import Visit, Visitor
from tests.servers import Site
from tests.serving import sockets

STREAMS = scaled(120, 500)
SECONDS = scaled(6, 60)
PER_SECOND = scaled(10, 20)
CYCLES = scaled(60, 1000)
JUNK = scaled(500, 10_000)


def _order(chance: random.Random, **fields: Any) -> Order:
    return Order(key=uuid.UUID(int=chance.getrandbits(128)).hex, seed=chance.getrandbits(32), **fields)


def _latencies(reader: Reader, oracle: Oracle, key: str) -> list[float]:
    """Seconds between each piece's leaving the provider and its arrival at the client."""
    (call,) = oracle.asked_for(key)
    came = [frame.at for frame in reader.frames if frame.chunk["type"] == "text-delta"]
    return [at - sent for at, sent in zip(came, call.sent[1:], strict=False)]


async def _warmed_up(site: Site, trial: Trial, chance: random.Random) -> Footprint:
    """What it holds after a crowd half as large: threads and arenas come with the first, once."""
    readers = [await trial.reader(site, _order(chance, events=20, delay=0.1)) for _ in range(STREAMS // 2)]
    await asyncio.gather(*(reader.ask_and_read() for reader in readers))
    return footprint(site)


@pytest.mark.timeout(scaled(120, 400))
async def test_many_streams_share_a_process(
    start: Start, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    site = start("uvicorn", STREAMING_MAX_ACTIVE_PER_PROCESS=1000)
    before = await _warmed_up(site, trial, chance)
    orders = [_order(chance, events=SECONDS * PER_SECOND, delay=1 / PER_SECOND) for _ in range(STREAMS)]
    readers = [await trial.reader(site, order) for order in orders]
    tasks = []
    for reader in readers:
        tasks.append(asyncio.create_task(reader.ask_and_read()))
        await asyncio.sleep(2 / STREAMS)
    await asyncio.sleep(SECONDS / 3)
    during = footprint(site)
    await asyncio.gather(*tasks)
    trial.judge(site)
    assert {rows.answers(site, order.key)[0].status for order in orders} == {"finished"}
    assert [reader.resumes for reader in readers] == [0] * STREAMS
    late = sorted(
        each for reader, order in zip(readers, orders, strict=True) for each in _latencies(reader, oracle, order.key)
    )
    p99 = late[len(late) * 99 // 100]
    grown = (during.memory - before.memory) / STREAMS
    figure(
        "F12",
        streams=STREAMS,
        events_per_s=STREAMS * PER_SECOND,
        p50_ms=round(1000 * late[len(late) // 2]),
        p99_ms=round(1000 * p99),
        threads_more=during.threads - before.threads,
        kb_per_stream=round(grown / 1024),
    )
    assert p99 <= 1
    assert during.threads <= STREAMS + 30
    assert grown <= scaled(150, 100) * 1024, "of few streams, what all share weighs more"
    await gives_back(site, before)


async def _cycle(visitor: Visitor, order: Order | None, chance: random.Random) -> None:
    """Connect, perhaps ask and see the answer begin, babble and be told so, and go; abruptly, half of the time."""
    async with sockets.socket_of(visitor) as connection:
        if order:
            frame = {"type": "send", "requestId": "r1", "id": order.key, "prompt": order.prompt}
            await connection.send(json.dumps(frame))
            await sockets.until(connection, "text-delta")
        for _ in range(JUNK // CYCLES):
            await connection.send(chance.randbytes(20) if chance.random() < 0.5 else "{" * chance.randint(1, 99))
            await sockets.until(connection, "error")
        if chance.random() < 0.5:
            connection.transport.abort()


async def test_sockets_come_and_go_and_babble(
    shared: Start, visit: Visit, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    site = shared("daphne")
    visitor = visit(site)
    visitor.http.cookies.set(*(await trial.sign_in(site)).split("=", 1))
    room = asyncio.Semaphore(8)

    async def cycle(number: int) -> None:
        order = _order(chance, events=40, delay=0.01) if number % 4 == 0 else None
        if order:
            trial.orders[order.key] = order
        async with room:
            await _cycle(visitor, order, chance)

    await asyncio.gather(*(cycle(number) for number in range(8)))
    before = footprint(site)
    await asyncio.gather(*(cycle(number) for number in range(CYCLES)))
    await rows.settled(site)
    trial.judge(site)
    assert {rows.answers(site, key)[0].status for key in trial.orders} == {"finished"}
    held = await gives_back(site, before)
    grown = (held.memory - before.memory) / MEGABYTE
    figure("F22", cycles=CYCLES, junk_frames=JUNK, answers=len(trial.orders), grown_mb=round(grown, 1))
