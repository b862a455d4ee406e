"""F1, F15: connections that break at random bytes, by FIN or by RST, again and again; and a slow connection."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from tests.cable import Cable, Fault
from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.footprint import footprint, gives_back
from tests.faults.oracle import Order
from tests.faults.scale import scaled
from tests.faults.stages import Stage, played_on
from tests.servers import Site

GENERATIONS = scaled(24, 250)
AT_ONCE = 12
MAX_CUTS = 5
# The approximate size of a whole answer on the wire, with headers. Cuts happen anywhere in it.
BYTES = 15_000
# The bytes a second of a slow connection, and the seconds that an answer of 80 KB may take.
RATE = scaled(16_000, 1000)
PATIENCE = scaled(30, 200)


async def _one(trial: Trial, site: Site, chance: random.Random, room: asyncio.Semaphore) -> int:
    order = Order.by(chance, delay=0.002)
    # The rest becomes shorter with each connection.
    cuts = [
        Fault(chance.randrange(BYTES // n), chance.random() < 0.5) for n in range(1, chance.randint(1, MAX_CUTS) + 1)
    ]
    async with room, Cable(site, faults=cuts) as cable:
        reader = await trial.reader(site, order, via=cable.url)
        await reader.ask_and_read()
        return cable.cuts


@pytest.mark.fault("F1")
@pytest.mark.timeout(scaled(120, 1800))
@played_on("uvicorn sqlite", "daphne postgres redis")
async def test_cut_connections_lose_and_repeat_nothing(
    stage: Stage, trial: Trial, chance: random.Random, figure: Any
) -> None:
    site, room = stage.shared(), asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_one(trial, site, chance, room) for _ in range(AT_ONCE)))
    before = footprint(site)
    cuts = sum(await asyncio.gather(*(_one(trial, site, chance, room) for _ in range(GENERATIONS))))
    await rows.settled(site)
    count = trial.judge(site)
    held = await gives_back(site, before)
    assert cuts > GENERATIONS / 2
    figure(generations=count, cuts=cuts, threads=held.threads - before.threads, files=held.files - before.files)


@pytest.mark.fault("F15")
@pytest.mark.timeout(scaled(120, 300))
@played_on("daphne sqlite", "uvicorn postgres")
async def test_slow_line_is_not_cut(stage: Stage, trial: Trial, chance: random.Random, figure: Any) -> None:
    """The answer is complete long before its reader has it."""
    site = stage.shared()
    order = Order.by(chance, events=1000, delay=0.001)
    async with Cable(site, faults=[Fault(rate=RATE, slice=512)]) as cable:
        reader = await trial.reader(site, order, via=cable.url)
        began = time.monotonic()
        await asyncio.wait_for(reader.ask_and_read(), PATIENCE)
    trial.judge(site)
    assert reader.resumes == 0
    figure(bytes_per_s=RATE, read_for_s=round(time.monotonic() - began), characters=len(order.text))
