"""F20, F21: people act at the same moment in two processes of one site."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import httpx
import pytest

from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.oracle import Oracle, Order, said
from tests.faults.scale import scaled
from tests.faults.stages import Stage, played_on
from tests.live.client import http_client
from tests.servers import Site

STOPS = scaled(24, 200)
KEYS = scaled(6, 100)
POSTS = 20
AT_ONCE = 8
DURATION = 1.0
# In the short form, other tests run at the same time.
LIMIT = scaled(4, 2)


async def _stop_somewhere(trial: Trial, oracle: Oracle, pair: tuple[Site, Site], order: Order, after: float) -> float:
    """Asks one process, and stops through the other `after` seconds. Returns the seconds that the provider went on."""
    owner, other = pair
    asker = await trial.reader(owner, order)
    asking = asyncio.create_task(asker.ask_and_read())
    await asker.has(1)
    await asyncio.sleep(after)
    cookie = await trial.sign_in(owner)
    async with http_client(other.url, headers={"Cookie": cookie}) as http:
        answer = (await http.post(f"/api/chat/{order.key}/stop")).json()["status"]
        stopped = time.monotonic()
        again = (await http.post(f"/api/chat/{order.key}/stop")).json()["status"]
    assert answer in ("stopping", "finished")
    assert again in (answer, "finished", "cancelled")
    calls = oracle.asked_for(order.key)
    if calls and said(calls[0]) != order.text:
        await asyncio.wait((asking, asyncio.create_task(calls[0].left.wait())), timeout=LIMIT)
    took = time.monotonic() - stopped
    await asking
    (stored,) = rows.answers(owner, order.key)
    # An answer that is complete before its owner reads the stop stays complete.
    assert stored.status == "finished" or (answer, stored.status) == ("stopping", "cancelled")
    assert again in (answer, stored.status)
    if stored.status != "cancelled":
        return 0
    assert took < LIMIT
    assert all(call.left.is_set() for call in calls)
    return took


@pytest.fixture
def pair(stage: Stage) -> tuple[Site, Site]:
    """Two processes of one site."""
    first = stage.shared()
    return first, stage.shared(beside=first)


@pytest.mark.fault("F20")
@pytest.mark.timeout(scaled(120, 300))
@played_on("uvicorn sqlite", "daphne postgres redis")
async def test_stop_elsewhere_at_any_moment_is_obeyed_and_true(
    pair: tuple[Site, Site], trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> float:
        order = Order.by(chance, events=100, delay=DURATION / 100)
        after = chance.uniform(0, DURATION * 2)
        async with room:
            return await _stop_somewhere(trial, oracle, pair, order, after)

    took = await asyncio.gather(*(one() for _ in range(STOPS)))
    trial.judge(pair[0])
    cancelled = [each for each in took if each]
    assert cancelled, "no stop came in time"
    assert len(cancelled) < STOPS, "every stop came in time"
    figure(stops=STOPS, cancelled=len(cancelled), provider_closed_after_s_max=round(max(cancelled), 2))


async def _post(http: httpx.AsyncClient, order: Order, **fields: Any) -> tuple[int, str]:
    body = {"id": order.key, "prompt": order.prompt, "clientId": "m1"} | fields
    response = await http.post("/api/chat", json=body)
    frames = [block for block in response.text.split("\n\n") if not block.startswith(":")]
    return response.status_code, "\n\n".join(frames)


@pytest.mark.fault("F21")
@pytest.mark.timeout(scaled(120, 900))
@played_on("daphne sqlite", "uvicorn postgres")
async def test_message_sent_twenty_times_at_once_is_answered_once(
    pair: tuple[Site, Site], trial: Trial, oracle: Oracle, chance: random.Random, figure: Any
) -> None:
    cookie = await trial.sign_in(pair[0])
    headers = {"Cookie": cookie}
    async with (
        http_client(pair[0].url, headers=headers) as one,
        http_client(pair[1].url, headers=headers) as two,
    ):
        for _ in range(KEYS):
            order = Order.by(chance, events=20)
            trial.orders[order.key] = order
            posts = [_post(chance.choice((one, two)), order) for _ in range(POSTS)]
            answers = await asyncio.gather(*posts)
            assert {status for status, _ in answers} == {200}, answers
            assert len({body for _, body in answers}) == 1, "the answers differ"
            assert (await _post(two, order, prompt="Something else"))[0] == 409
    trial.judge(pair[0])
    figure(keys=KEYS, posts=KEYS * POSTS, generations=KEYS, provider_calls=len(oracle.requests) - 1)
    assert len(oracle.requests) == KEYS + 1
