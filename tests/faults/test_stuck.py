"""F14: clients that take nothing of a long answer, over HTTP and WebSocket, while others read theirs."""

from __future__ import annotations

import asyncio
import math
import random
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.footprint import MEGABYTE, footprint
from tests.faults.oracle import Oracle, Order
from tests.faults.reader import Reader
from tests.faults.scale import scaled
from tests.faults.stages import Stage, played_on
from tests.live.client import Visit, Visitor
from tests.live.raw import TINY_BUFFER, RawConnection, is_cut
from tests.serving import sockets

# The number of pieces of about ten kilobytes: 8 MB of text, or 50 MB.
PIECES, WIDTH = scaled(800, 5000), 1250
STUCK_SECONDS = scaled(3, 30)
STUCK_EACH_WAY = 3
STEADY, PER_SECOND = 10, 20
MOST_MEGABYTES_EACH = 5


@pytest.mark.fault("F14")
@pytest.mark.timeout(scaled(120, 400))
@played_on("daphne sqlite")
async def test_stuck_clients_cost_little_and_trouble_nobody(
    stage: Stage, trial: Trial, oracle: Oracle, visit: Visit, chance: random.Random, figure: Any
) -> None:
    site = stage.start(STREAMING_STUCK_SECONDS=STUCK_SECONDS, STREAMING_MAX_ANSWER_BYTES=1_000_000_000)
    stage.keep_megabytes = math.inf  # a process that has settled such a long answer
    big = Order.by(chance, events=PIECES, width=WIDTH, delay=0, trouble="waits")
    steady = [
        Order.by(chance, events=int(2.5 * STUCK_SECONDS * PER_SECOND), delay=1 / PER_SECOND) for _ in range(STEADY)
    ]
    asker = await trial.reader(site, big)
    asking = asyncio.create_task(asker.ask_and_read())
    await asker.hears(big.text)
    readers = [await trial.reader(site, order) for order in steady]
    reading = [asyncio.create_task(reader.ask_and_read()) for reader in readers]
    await asyncio.sleep(STUCK_SECONDS)
    before, came = footprint(site).memory, time.monotonic()
    visitor = await trial.visitor(visit, site)
    visitor.key = big.key
    async with _stuck(visitor) as connections:
        await asyncio.sleep(STUCK_SECONDS * 2 / 3)
        grown = (footprint(site).memory - before) / MEGABYTE / len(connections)
        assert not any(map(is_cut, connections)), "cut too early"
        while not all(map(is_cut, connections)):
            assert time.monotonic() - came < STUCK_SECONDS + 10, "not cut"
            await asyncio.sleep(0.1)
        cut_after = time.monotonic() - came
    oracle.gate.set()
    await asyncio.gather(asking, *reading)
    trial.judge(site)
    assert {rows.answers(site, order.key)[0].status for order in (big, *steady)} == {"finished"}
    assert grown <= MOST_MEGABYTES_EACH, f"{grown:.1f} MB for each"
    alone, together = _p99(readers, steady, oracle, 0, came), _p99(readers, steady, oracle, came, came + cut_after)
    figure(
        megabytes=round(len(big.text.encode()) / MEGABYTE),
        mb_each=round(grown, 1),
        cut_after_s=round(cut_after),
        p99_alone_ms=round(1000 * alone),
        p99_ms=round(1000 * together),
        p99_ratio=round(together / alone, 2),
    )
    assert together <= scaled(math.inf, 1.2) * alone + 0.01, "others wait longer because of them"


@asynccontextmanager
async def _stuck(visitor: Visitor) -> AsyncIterator[list[socket.socket]]:
    """Connections of clients that have asked for the whole answer and take nothing of it."""
    async with AsyncExitStack() as opened:
        connections = []
        for _ in range(STUCK_EACH_WAY):
            path = f"/api/chat/{visitor.key}/stream?after=0"
            plain = RawConnection(visitor.site, "GET", path, cookie=visitor.cookie, buffer=TINY_BUFFER)
            opened.callback(plain.close)
            connections.append(plain.socket)
            web = await opened.enter_async_context(sockets.socket_of(visitor, TINY_BUFFER))
            await sockets.resume(web, visitor.key)
            connections.append(web.transport.get_extra_info("socket"))
        yield connections


def _p99(readers: list[Reader], orders: list[Order], oracle: Oracle, since: float, until: float) -> float:
    """The 99th percentile of the seconds from the provider to the client, for the frames of this time."""
    late = sorted(
        came - sent
        for reader, order in zip(readers, orders, strict=True)
        for sent, came in reader.journeys(oracle.asked_for(order.key)[0])
        if since <= sent < until
    )
    return late[len(late) * 99 // 100]
