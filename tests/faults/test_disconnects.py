"""F1, F15: connections that break anywhere, by FIN or by RST, again and again; and one that is slow."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from typing import Any

import pytest

from tests.cable import Cable, Fault
from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.footprint import footprint, gives_back
from tests.faults.oracle import Order
from tests.faults.scale import scaled
from tests.servers import Site

GENERATIONS = scaled(24, 500)
AT_ONCE = 12
MAX_CUTS = 5
# What a whole answer comes to on the wire, headers included, roughly: cuts fall anywhere in it.
BYTES = 15_000
# Bytes a second of a slow line, and what an answer of 80 KB may take over it.
RATE = scaled(16_000, 1000)
PATIENCE = scaled(30, 200)


async def _one(trial: Trial, site: Site, chance: random.Random, room: asyncio.Semaphore) -> int:
    order = Order(key=uuid.UUID(int=chance.getrandbits(128)).hex, seed=chance.getrandbits(32), delay=0.002)
    # What is left grows less with each connection.
    cuts = [
        Fault(chance.randrange(BYTES // n), chance.random() < 0.5) for n in range(1, chance.randint(1, MAX_CUTS) + 1)
    ]
    async with room, Cable(site, faults=cuts) as cable:
        reader = await trial.reader(site, order, via=cable.url)
        await reader.ask_and_read()
        return cable.cuts


@pytest.mark.timeout(scaled(120, 1800))
async def test_cut_connections_lose_and_repeat_nothing(
    each_site: Site, trial: Trial, chance: random.Random, figure: Any
) -> None:
    room = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_one(trial, each_site, chance, room) for _ in range(AT_ONCE)))
    before = footprint(each_site)
    cuts = sum(await asyncio.gather(*(_one(trial, each_site, chance, room) for _ in range(GENERATIONS))))
    await rows.settled(each_site)
    count = trial.judge(each_site)
    held = await gives_back(each_site, before)
    assert cuts > GENERATIONS / 2
    figure("F1", generations=count, cuts=cuts, threads=held.threads - before.threads, files=held.files - before.files)


@pytest.mark.timeout(scaled(120, 300))
async def test_slow_line_is_not_cut(each_site: Site, trial: Trial, chance: random.Random, figure: Any) -> None:
    """F15: the answer is complete long before its reader has it."""
    order = Order(key=f"slow-{chance.getrandbits(64):x}", seed=1, events=1000, delay=0.001)
    async with Cable(each_site, faults=[Fault(rate=RATE, slice=512)]) as cable:
        reader = await trial.reader(each_site, order, via=cable.url)
        began = time.monotonic()
        await asyncio.wait_for(reader.ask_and_read(), PATIENCE)
    trial.judge(each_site)
    assert reader.resumes == 0
    figure("F15", bytes_per_s=RATE, read_for_s=round(time.monotonic() - began), characters=len(order.text))
