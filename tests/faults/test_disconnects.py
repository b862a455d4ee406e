"""F1: connections that break anywhere, by FIN or by RST, again and again."""

from __future__ import annotations

import asyncio
import random
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


async def _one(trial: Trial, site: Site, chance: random.Random, room: asyncio.Semaphore) -> int:
    order = Order(key=uuid.UUID(int=chance.getrandbits(128)).hex, seed=chance.getrandbits(32), delay=0.002)
    cuts = [Fault(chance.randrange(BYTES), chance.random() < 0.5) for _ in range(chance.randint(1, MAX_CUTS))]
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
