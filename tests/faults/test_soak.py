"""F31: all faults together for an hour; in the short form, for a quarter of a minute."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from tests.cable import Cable, Fault
from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.footprint import MEGABYTE, footprint, gives_back
from tests.faults.oracle import Order, Trouble
from tests.faults.scale import scaled
from tests.faults.stages import Stage, played_on
from tests.live.client import http_client
from tests.servers import Site

SECONDS = scaled(10, 3600)
WARM_UP = scaled(0, 600)
PER_MINUTE = scaled(120, 50)
STALL = 2
TROUBLES: list[Trouble] = ["", "", "", "busy", "cut", "silent"]
SETTLED_AS = {"": "finished", "busy": "finished", "cut": "truncated", "silent": "failed"}


async def _one(trial: Trial, site: Site, chance: random.Random) -> None:
    """Reads an answer with a fault of the reader, of the provider or of the person, or without any."""
    trouble = chance.choice(TROUBLES)
    order = Order.by(chance, delay=0.01, trouble=trouble)
    cuts = [Fault(chance.randrange(15_000), chance.random() < 0.5) for _ in range(chance.choice([0, 0, 1, 3]))]
    cuts += [Fault(slice=chance.randint(1, 400), latency=0.001)]
    stops_after = chance.uniform(0, 3) if chance.random() < 0.2 else None
    async with Cable(site, faults=cuts) as cable:
        reader = await trial.reader(site, order, via=cable.url)
        reading = asyncio.create_task(reader.ask_and_read())
        if stops_after is not None:
            await reader.has(1)
            await asyncio.sleep(stops_after)
            async with http_client(site.url, headers={"Cookie": await trial.sign_in(site)}) as http:
                assert (await http.post(f"/api/chat/{order.key}/stop")).status_code == 200
        await reading
    trial.judge_one(site, order, calls=1 + (trouble == "busy"))
    (stored,) = rows.answers(site, order.key)
    assert stored.status in ((SETTLED_AS[trouble], "cancelled") if stops_after is not None else (SETTLED_AS[trouble],))


@pytest.mark.fault("F31")
@pytest.mark.timeout(scaled(120, 4000))
@played_on("uvicorn sqlite", long=("uvicorn postgres redis", "daphne sqlite"))
async def test_hour_of_everything_leaves_no_trace(
    stage: Stage, trial: Trial, chance: random.Random, figure: Any
) -> None:
    site = stage.start(STREAMING_STALL_SECONDS=STALL)
    await asyncio.gather(*(_one(trial, site, chance) for _ in range(8)))
    before, began = footprint(site), time.monotonic()
    running: list[asyncio.Task[None]] = []
    memory: list[tuple[float, float]] = []
    while (passed := time.monotonic() - began) < SECONDS:
        running.append(asyncio.create_task(_one(trial, site, chance)))
        memory.append((passed, footprint(site).memory / MEGABYTE))
        for task in filter(asyncio.Task.done, running):
            task.result()
        await asyncio.sleep(60 / PER_MINUTE)
    await asyncio.gather(*running)
    await rows.settled(site)
    held = await gives_back(site, before)
    slope = _slope([each for each in memory if each[0] > WARM_UP]) * 600
    assert slope < 1 or not WARM_UP, f"{slope:.1f} MB in ten minutes"
    grown = {"mb_per_10_min": round(slope, 2)} if WARM_UP else {}
    figure(generations=len(running), minutes=round(SECONDS / 60, 1), files=held.files - before.files, **grown)


def _slope(points: list[tuple[float, float]]) -> float:
    """The slope of the line through these points, by least squares."""
    count = len(points)
    x, y = sum(point[0] for point in points) / count, sum(point[1] for point in points) / count
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
