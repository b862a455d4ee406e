"""F12, F22: many streams and many sockets in one process."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.footprint import CROWD_MEGABYTES, MEGABYTE, Footprint, footprint, gives_back
from tests.faults.light import LightReader
from tests.faults.oracle import Oracle, Order
from tests.faults.reader import Reader
from tests.faults.scale import scaled
from tests.faults.stages import Stage, played_on
from tests.live.client import Visit, Visitor
from tests.servers import Site
from tests.serving import sockets

STREAMS = scaled(120, 500)
SECONDS = scaled(6, 60)
PER_SECOND = scaled(10, 20)
CYCLES = scaled(60, 1000)
JUNK = scaled(500, 10_000)
STOPS = scaled(9, 99)


async def _readers(site: Site, trial: Trial, orders: Sequence[Order]) -> list[Reader]:
    return [await trial.reader(site, order, kind=LightReader) for order in orders]


async def _read(readers: Sequence[Reader]) -> None:
    """Makes all readers ask within two seconds and read to the end."""

    async def read(number: int, reader: Reader) -> None:
        await asyncio.sleep(2 * number / len(readers))
        await reader.ask_and_read()

    await asyncio.gather(*itertools.starmap(read, enumerate(readers)))


async def _most_held(site: Site, is_over: Callable[[], bool]) -> Footprint:
    """The most that the process holds of each resource until the condition is true."""
    held = [footprint(site)]
    while not is_over():
        await asyncio.sleep(0.2)
        held.append(footprint(site))
    return Footprint(*map(max, zip(*held, strict=True)))


def _orders(chance: random.Random, count: int, seconds: float, per_second: float = PER_SECOND) -> list[Order]:
    return [Order.by(chance, events=int(seconds * per_second), delay=1 / per_second) for _ in range(count)]


@pytest.mark.fault("F12")
@pytest.mark.timeout(scaled(120, 500))
@played_on("uvicorn sqlite")
async def test_many_streams_share_a_process(
    stage: Stage, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    site = stage.start(STREAMING_MAX_ACTIVE_PER_PROCESS=1000)
    stage.keep_megabytes = CROWD_MEGABYTES
    await _read(await _readers(site, trial, _orders(chance, STREAMS // 2, 2, per_second=10)))
    before = footprint(site)
    orders = _orders(chance, STREAMS, SECONDS)
    readers = await _readers(site, trial, orders)
    all_asked, began = len(oracle.requests) + STREAMS, time.monotonic()
    reading = asyncio.create_task(_read(readers))
    asking = await _most_held(site, lambda: reading.done() or len(oracle.requests) == all_asked)
    writing = await _most_held(site, reading.done)
    await reading
    after = await gives_back(site, before, megabytes=CROWD_MEGABYTES)
    await _read(await _readers(site, trial, _orders(chance, STREAMS, SECONDS / 3)))
    await gives_back(site, after)
    trial.judge(site)
    assert {rows.answers(site, order.key)[0].status for order in orders} == {"finished"}
    assert [reader.resumes for reader in readers] == [0] * STREAMS
    journeys = [
        list(reader.journeys(oracle.asked_for(order.key)[0])) for reader, order in zip(readers, orders, strict=True)
    ]
    late = sorted(came - sent for sent, came in itertools.chain(*journeys))
    all_streaming = max(came for (_, came), *_ in journeys) - began
    p99 = late[len(late) * 99 // 100]
    asking_kb, kb = ((held.memory - before.memory) / STREAMS / 1024 for held in (asking, writing))
    figure(
        streams=STREAMS,
        events_per_s=STREAMS * PER_SECOND,
        p50_ms=round(1000 * late[len(late) // 2]),
        p99_ms=round(1000 * p99),
        all_streaming_s=round(all_streaming, 1),
        threads_asking=asking.threads,
        kb_asking=round(asking_kb),
        threads_more=writing.threads - before.threads,
        kb_per_stream=round(kb),
    )
    assert p99 <= scaled(1, 0.5)
    assert asking.threads <= STREAMS + 30
    assert writing.threads <= before.threads + 30
    assert asking_kb <= 150, "each request has a thread with a connection to the database"
    assert kb <= scaled(150, 110), "with few streams, the memory that all share counts more"


async def _cycle(visitor: Visitor, order: Order | None, chance: random.Random) -> None:
    """Connects, perhaps asks and sees the answer begin, sends junk and gets an error, and leaves.

    Half of the time it leaves by a reset.
    """
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


@pytest.mark.fault("F22")
@pytest.mark.timeout(scaled(120, 600))
@played_on("daphne sqlite")
async def test_sockets_come_and_go_and_babble(
    stage: Stage, visit: Visit, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    site = stage.shared()
    visitor = await trial.visitor(visit, site)
    room = asyncio.Semaphore(8)

    async def cycle(number: int) -> None:
        order = Order.by(chance, events=40, delay=0.01) if number % 4 == 0 else None
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
    figure(cycles=CYCLES, junk_frames=JUNK, answers=len(trial.orders), grown_mb=round(grown, 1))


@pytest.mark.fault("F22")
@played_on("daphne sqlite")
async def test_stop_over_a_socket_is_obeyed_at_once(
    stage: Stage, visit: Visit, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    site = stage.shared()
    visitor = await trial.visitor(visit, site)
    took = []
    async with sockets.socket_of(visitor) as connection:
        for order in _orders(chance, STOPS, seconds=60):
            trial.orders[order.key] = order
            frame = {"type": "send", "requestId": order.key, "id": order.key, "prompt": order.prompt}
            await connection.send(json.dumps(frame))
            await sockets.until(connection, "text-delta")
            told = time.monotonic()
            await connection.send(json.dumps({"type": "abort", "requestId": order.key}))
            await sockets.until(connection, "abort")
            await oracle.asked_for(order.key)[0].gone()
            took.append(time.monotonic() - told)
            await sockets.until(connection, "end")
    trial.judge(site)
    assert {rows.answers(site, key)[0].status for key in trial.orders} == {"cancelled"}
    figure(stops=STOPS, obeyed_after_ms=round(1000 * statistics.median(took)))
    assert statistics.median(took) <= 0.1
