"""F5, F6, F7, F8: the Redis of two processes dies, hangs, is idle, or loses its data."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests import backing
from tests.backing import Backing
from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.oracle import Oracle, Order, said
from tests.faults.reader import longest_gap
from tests.faults.scale import scaled
from tests.faults.stages import REDIS, Stage, played_on
from tests.journal.redis_faults import Fault, dies_for, hangs_for, is_flushed, loses_its_oldest_entries
from tests.live.client import Visit, Visitor, http_client
from tests.live.wires import answer_wire, until_delta
from tests.peers import Peer
from tests.servers import Site

AWAY_SECONDS = 3
HUNG_SECONDS = scaled(4, 10)
# By default, redis-py 8 ends connections that are idle for five seconds.
IDLE_SECONDS = scaled(8, 120)
IDLE_READERS = 50
# No reader waits for Redis longer than its time-out. In the short form, other tests run at the same time.
MAX_STALL_SECONDS = scaled(1, 0.5)
MAX_CONNECTIONS = 4
TEXT = "One two three four five."


@pytest.fixture
def own_redis() -> Iterator[Backing]:
    """A Redis that a test may stop."""
    yield from backing.running(backing.redis)


@pytest.fixture
def client(own_redis: Backing) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_redis.url) as own:
        yield own


def _two_processes(stage: Stage, own_redis: Backing) -> tuple[Site, Site]:
    owner = stage.start(env={"REDIS_URL": own_redis.url})
    return owner, stage.start(beside=owner)


# Each fault with its length in seconds.
FAULTS = {
    "dies": pytest.param(dies_for(AWAY_SECONDS), AWAY_SECONDS, marks=pytest.mark.fault("F5")),
    "hangs": pytest.param(hangs_for(HUNG_SECONDS), HUNG_SECONDS, marks=pytest.mark.fault("F6")),
    "is flushed": pytest.param(is_flushed, 0, marks=pytest.mark.fault("F8")),
    "loses its oldest entries": pytest.param(loses_its_oldest_entries, 0, marks=pytest.mark.fault("F8")),
}
# The time that an answer goes on before and after a fault, in seconds.
AROUND_SECONDS = scaled(4, 6)


@pytest.mark.parametrize(("fault", "seconds"), FAULTS.values(), ids=FAULTS)
@played_on("uvicorn sqlite redis", long=REDIS)
async def test_whatever_happens_to_redis_readers_miss_nothing(
    fault: Fault,
    seconds: float,
    own_redis: Backing,
    client: redis.Redis,
    stage: Stage,
    trial: Trial,
    chance: random.Random,
    figure: Any,
) -> None:
    owner, other = _two_processes(stage, own_redis)
    events = int((seconds + AROUND_SECONDS) / 0.015)
    orders = [Order.by(chance, events=events, delay=0.015) for _ in range(3)]
    local = [await trial.reader(owner, order) for order in orders]
    tasks = [asyncio.create_task(reader.ask_and_read()) for reader in local]
    for reader in local:
        await reader.has(20)
    # One reader stays; one is away meanwhile and comes back with an old number; one comes only afterwards.
    elsewhere = [await trial.reader(other, order) for order in orders]
    tasks += [asyncio.create_task(reader.read()) for reader in elsewhere]
    absent = await trial.reader(other, orders[0])
    await absent.read_until(10)
    await asyncio.to_thread(fault, own_redis, client)
    tasks.append(asyncio.create_task(absent.read()))
    tasks += [asyncio.create_task((await trial.reader(other, order)).read()) for order in orders]
    await asyncio.gather(*tasks)
    trial.judge(owner, may_begin_again=True)
    assert {rows.answers(owner, order.key)[0].status for order in orders} == {"finished"}
    gap = max(map(longest_gap, local))
    assert gap < MAX_STALL_SECONDS, f"readers in the owning process waited {gap:.1f} s"
    assert {reader.resumes for reader in (*local, *elsewhere)} == {0}, "streams were broken off"
    assert all(map(_has_each_once, _streams(client)))
    figure(answers=len(orders), longest_gap_s=round(gap, 2), away_s=AWAY_SECONDS, hung_s=HUNG_SECONDS)


def _streams(client: redis.Redis) -> list[list[tuple[int, int]]]:
    """Returns the entries of each stream, as the numbers of their first and last frames."""
    found: list[list[tuple[int, int]]] = []
    for key in client.scan_iter("streaming:*"):
        raw: Any = client.xrange(key)
        found.append([(int(fields[b"first"]), int(entry_id.split(b"-")[0])) for entry_id, fields in raw])
    return found


def _has_each_once(entries: list[tuple[int, int]]) -> bool:
    return all(first == last + 1 for (_, last), (first, _) in itertools.pairwise(entries))


@pytest.mark.fault("F6")
@played_on("daphne sqlite redis", long=REDIS)
async def test_stop_elsewhere_is_obeyed_while_redis_hangs(
    own_redis: Backing, stage: Stage, trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    owner, other = _two_processes(stage, own_redis)
    order = Order.by(chance, events=2000, delay=0.01)
    asker = await trial.reader(owner, order)
    asking = asyncio.create_task(asker.ask_and_read())
    await asker.has(20)
    own_redis.pause()
    async with http_client(other.url, headers={"Cookie": await trial.sign_in(owner)}) as http:
        asked = time.monotonic()
        answer = await http.post(f"/api/chat/{order.key}/stop")
    assert answer.json() == {"status": "stopping"}
    (call,) = oracle.asked_for(order.key)
    await call.gone(within=2)
    took = time.monotonic() - asked
    await asking
    own_redis.resume()
    trial.judge(owner)
    assert (rows.answers(owner, order.key)[0].status, said(call) != order.text) == ("cancelled", True)
    assert took < 2
    figure(stopped_after_s=round(took, 2))


@pytest.mark.fault("F7")
@pytest.mark.timeout(IDLE_SECONDS + 120)
@played_on("uvicorn sqlite redis", long=REDIS)
async def test_idle_readers_stay_and_share_connections(
    own_redis: Backing, client: redis.Redis, stage: Stage, visit: Visit, peer: Peer, figure: Any
) -> None:
    owner, other = _two_processes(stage, own_redis)
    before = len(client.client_list())
    visitor, gate = visit(owner), asyncio.Event()
    begun = until_delta("chat", TEXT, "three ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    asked = await visitor.ask("Hello?")
    readers = [_tab(visit, other, visitor) for _ in range(IDLE_READERS)]
    streams = [await reader.follow() for reader in readers]
    waiting = [asyncio.create_task(stream.whole()) for stream in (asked, *streams)]
    await asyncio.sleep(IDLE_SECONDS)
    connections = len(client.client_list()) - before
    assert not any(task.done() for task in waiting)
    gate.set()
    went_on = time.monotonic()
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)
    took = time.monotonic() - went_on
    assert [stream.text for stream in (asked, *streams)] == [TEXT] * (1 + IDLE_READERS)
    assert connections <= 2 * MAX_CONNECTIONS
    for site in (owner, other):
        assert "streaming.journal" not in site.log()
    figure(idle_s=IDLE_SECONDS, readers=IDLE_READERS, connections=connections, went_on_after_s=round(took, 2))


def _tab(visit: Visit, site: Site, visitor: Visitor) -> Visitor:
    """Another tab of the same person, at another process."""
    tab = visit(site, Cookie=visitor.cookie)
    tab.key = visitor.key
    return tab
