"""F2, F4, F25, F26: processes that die, are replaced, are paused, or have a wrong clock."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from typing import Any

import pytest

from tests.cable import Cable
from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.oracle import Oracle, Order, said
from tests.faults.reader import Reader
from tests.faults.scale import LEASE, SLACK, SWEEP, scaled
from tests.faults.stages import POSTGRES, Stage, played_on
from tests.servers import Site

# The brief answers take a second, if the machine is fast enough for all of them.
DRAIN = scaled(1.5, 3)
STREAMS = scaled(5, 25)

# The difference between the process's clock and the database's.
CLOCKS = """
    SELECT extract(epoch FROM message.created_at - generation.started_at)
    FROM streaming_generation AS generation
    JOIN streaming_message AS message ON message.id = generation.message_id
    JOIN streaming_conversation AS conversation ON conversation.id = generation.conversation_id
    WHERE conversation.key IN ({keys})
"""


async def _begin(
    trial: Trial, owner: Site, other: Site, orders: list[Order]
) -> tuple[list[Reader], list[asyncio.Task[Reader]]]:
    """Asks the owner for all answers. A reader at the owner and one at the other process follow each."""
    first = [await trial.reader(owner, order) for order in orders]
    tasks = [asyncio.create_task(reader.ask_and_read()) for reader in first]
    for reader in first:
        await reader.has(1)
    elsewhere = [await trial.reader(other, order) for order in orders]
    return first, [*tasks, *(asyncio.create_task(reader.read()) for reader in elsewhere)]


@pytest.mark.fault("F2")
@pytest.mark.parametrize("turn", range(scaled(1, 7)))
@played_on("uvicorn sqlite", "daphne postgres redis")
async def test_killed_owner_costs_at_most_a_moment_of_text(
    turn: int, stage: Stage, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    owner = stage.start()
    other = stage.start(beside=owner)
    orders = [Order.by(chance, events=2000, delay=0.01) for _ in range(5)]
    first, tasks = await _begin(trial, owner, other, orders)
    await asyncio.sleep(chance.uniform(0, 2))
    for reader in first:
        reader.go_to(other)
    owner.process.kill()
    killed = time.monotonic()
    sent = {order.key: said(oracle.asked_for(order.key)[0]) for order in orders}
    await rows.settled(other, LEASE + SWEEP + SLACK)
    took = time.monotonic() - killed
    await asyncio.gather(*tasks)
    trial.judge(other, may_begin_again=True)
    lost = []
    for order in orders:
        (stored,) = rows.answers(other, order.key)
        assert (stored.status, stored.error_code) == ("interrupted", "interrupted")
        text, whole = stored.text, sent[order.key]
        average = len(order.text) / order.events
        lost.append(max(len(whole) - len(text), 0) / average * order.delay)
    assert max(lost) <= 2, f"{max(lost):.1f} s of text are lost"
    figure(kills=1, generations=len(orders), interrupted_after_s=round(took, 1), lost_tail_s=round(max(lost), 2))


@pytest.mark.fault("F25")
@played_on("uvicorn sqlite redis")
async def test_paused_owner_is_fenced(
    stage: Stage, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    owner = stage.start()
    other = stage.start(beside=owner)
    orders = [Order.by(chance, events=2000, delay=0.01) for _ in range(3)]
    # Readers at the owner see some text that is lost later, so only the readers of the other process are checked.
    askers = [await trial.reader(owner, order, testifies=False) for order in orders]
    asking = [asyncio.create_task(asker.ask_and_read()) for asker in askers]
    for asker in askers:
        await asker.has(20)
    following = [asyncio.create_task((await trial.reader(other, order)).read()) for order in orders]
    await asyncio.sleep(0.5)
    await _pause(owner)
    await rows.settled(other, LEASE + SWEEP + SLACK)
    await asyncio.gather(*following)
    before = [rows.answers(other, order.key) for order in orders]
    owner.send_signal(signal.SIGCONT)
    resumed = time.monotonic()
    for order in orders:
        await oracle.asked_for(order.key)[0].gone(within=2)
    figure(generations=len(orders), provider_closed_after_s=round(time.monotonic() - resumed, 2))
    await asyncio.gather(*asking)
    assert [asker.frames[-1].chunk["type"] for asker in askers] == ["error"] * len(askers)
    assert [rows.answers(other, order.key) for order in orders] == before
    assert {stored.status for (stored,) in before} == {"interrupted"}
    trial.judge(other)


async def _pause(owner: Site) -> None:
    """Pauses the process, but not during a write: everybody would have to wait for its lock, on any site."""
    owner.send_signal(signal.SIGSTOP)
    while not rows.may_be_written(owner):
        owner.send_signal(signal.SIGCONT)
        await asyncio.sleep(0.05)
        owner.send_signal(signal.SIGSTOP)


@pytest.mark.fault("F3")
@played_on("uvicorn postgres redis")
async def test_process_that_is_told_to_end_settles_what_it_writes(
    stage: Stage, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    owner = stage.start(STREAMING_DRAIN_SECONDS=DRAIN)
    other = stage.start(beside=owner)
    brief = [Order.by(chance, events=50, delay=0.02) for _ in range(STREAMS)]
    endless = [Order.by(chance, events=2000, delay=0.02) for _ in range(STREAMS)]
    first, tasks = await _begin(trial, owner, other, [*brief, *endless])
    for reader in first:
        reader.go_to(other)
    owner.send_signal(signal.SIGTERM)
    told = time.monotonic()
    await asyncio.to_thread(owner.process.wait, DRAIN + 2)
    took = time.monotonic() - told
    assert await rows.settled(other, 1) < 1, "it ended and left something behind"
    await asyncio.gather(*tasks)
    trial.judge(other)
    for status, orders in {"finished": brief, "interrupted": endless}.items():
        assert {rows.answers(other, order.key)[0].status for order in orders} == {status}
    figure(streams=len(tasks), drain_s=DRAIN, ended_after_s=round(took, 1))


@pytest.mark.fault("F4")
@pytest.mark.timeout(scaled(120, 600))
@played_on("uvicorn postgres")
async def test_rolling_restart_loses_nothing(stage: Stage, trial: Trial, chance: random.Random, figure: Any) -> None:
    """Two workers are ended and replaced in turn, while clients come and read through a balancer."""
    workers = [stage.start()]
    workers.append(stage.start(beside=workers[0]))
    servers = [worker.log_file.name.partition("-")[0] for worker in workers]
    orders = [Order.by(chance, events=150, delay=0.02) for _ in range(scaled(24, 100))]
    async with Cable(*workers) as balancer:
        reading = []
        for number, order in enumerate(orders):
            reader = await trial.reader(workers[1], order, via=balancer.url)
            reading.append(asyncio.create_task(reader.ask_and_read()))
            if number in (len(orders) // 4, 3 * len(orders) // 4):
                index = number // (len(orders) // 2)
                workers[index].send_signal(signal.SIGTERM)
                await asyncio.to_thread(workers[index].process.wait, 15)
                workers[index] = await asyncio.to_thread(stage.start, server=servers[index], instead_of=workers[index])
            await asyncio.sleep(0.1)
        readers = await asyncio.gather(*reading)
    await rows.settled(workers[1], 15)
    trial.judge(workers[1])
    statuses = [rows.answers(workers[1], order.key)[0].status for order in orders]
    assert set(statuses) <= {"finished", "interrupted"}
    assert statuses.count("finished") > len(orders) / 4
    resumes = sum(reader.resumes for reader in readers)
    figure(generations=len(orders), interrupted=statuses.count("interrupted"), resumes=resumes)


@pytest.mark.fault("F26")
@pytest.mark.parametrize("skew", [60, -60])
@played_on("uvicorn postgres", long=POSTGRES)
async def test_wrong_clock_ends_nobody(
    skew: int, stage: Stage, trial: Trial, chance: random.Random, figure: Any
) -> None:
    """It lasts a minute, which is twenty leases. It runs on PostgreSQL, whose clock all processes share."""
    right = stage.start()
    astray = stage.start(beside=right, application="tests.faults.skewed:application", env={"CLOCK_SKEW": str(skew)})
    # Some run with the right clock, some with the wrong one. Both processes sweep, and read the answers of the other.
    orders = [Order.by(chance, events=250, delay=0.02) for _ in range(6)]
    tasks = []
    for number, order in enumerate(orders):
        owner, other = (right, astray)[:: 1 if number % 2 else -1]
        asker = await trial.reader(owner, order)
        tasks.append(asyncio.create_task(asker.ask_and_read()))
        await asker.has(1)
        tasks.append(asyncio.create_task((await trial.reader(other, order)).read()))
    await asyncio.gather(*tasks)
    trial.judge(astray)
    assert {rows.answers(astray, order.key)[0].status for order in orders} == {"finished"}
    wrong = rows.select(astray, CLOCKS.format(keys=", ".join(f"'{order.key}'" for order in orders[::2])))
    assert [abs(seconds - skew) < 5 for (seconds,) in wrong] == [True] * 3, "the clock was not wrong"
    figure(skew_s=skew, generations=len(orders), falsely_interrupted=0)
