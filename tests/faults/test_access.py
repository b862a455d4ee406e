"""F28: people who ask for what belongs to others or is no longer allowed, and clients with invented numbers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.faults import rows
from tests.faults.conftest import Trial
from tests.faults.oracle import Oracle, Order
from tests.faults.scale import IS_CLUSTER
from tests.faults.stages import Stage, played_on
from tests.live.client import Visit, Visitor
from tests.live.raw import RawConnection
from tests.servers import Site
from tests.serving import sockets

RECHECK = 1
pytestmark = [pytest.mark.fault("F28"), played_on("uvicorn postgres redis")]
FORGED = {
    "-1": 400,
    "0": 200,
    "1": 200,
    "4711": 200,
    "9" * 10: 200,
    "1" + "0" * 30: 400,
    "x": 400,
    "1 2": 400,
    "0x1": 400,
}
SIGN_IN = """
from django.contrib.auth import get_user_model, BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
user = get_user_model().objects.create_user({name!r})
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
print(session.session_key)
"""
LEAVE = {
    "signed out": "DELETE FROM django_session WHERE session_key = '{session}'",
    "deactivated": "UPDATE auth_user SET is_active = false WHERE username = '{name}'",
}


@pytest.fixture
def site(stage: Stage) -> Site:
    return stage.shared(STREAMING_RECHECK_SECONDS=RECHECK, STREAMING_MAX_ACTIVE_PER_PROCESS=6)


def _visitor(visit: Visit, site: Site, cookie: str) -> Visitor:
    visitor = visit(site)
    visitor.http.cookies.set(*cookie.split("=", 1))
    return visitor


async def test_running_answer_of_another_is_out_of_reach(
    site: Site, trial: Trial, oracle: Oracle, visit: Visit, chance: random.Random, figure: Any
) -> None:
    order = Order.by(chance, events=150, delay=0.02)
    alice = await trial.reader(site, order)
    asking = asyncio.create_task(alice.ask_and_read())
    await alice.has(5)
    bob, stranger = visit(site), visit(site)
    own = Order.by(chance, events=1)
    await bob.http.post("/api/chat", json={"prompt": own.prompt, "id": own.key})
    path, attempts = f"/api/chat/{order.key}", 0
    for who in (bob, stranger):
        for method, rest in (("GET", ""), ("GET", "/stream"), ("GET", "/stream?after=1"), ("POST", "/stop")):
            response = await who.http.request(method, path + rest)
            is_hidden = response.status_code == (204 if "/stream" in rest else 404)
            assert (is_hidden, order.text[:3] in response.text) == (True, False)
            attempts += 1
    async with sockets.socket_of(bob) as connection:
        await sockets.resume(connection, order.key)
        assert json.loads(await connection.recv()) == {"type": "no-active", "requestId": "r1"}
        for frame in ({"type": "abort", "requestId": "r1"}, {"type": "abort", "requestId": order.key}):
            await connection.send(json.dumps(frame | {"id": order.key}))
    await asking
    trial.judge(site)
    assert rows.answers(site, order.key)[0].status == "finished"
    figure(attempts=attempts + 3, reached=0)


async def test_forged_cursors_are_refused_or_harmless(
    site: Site, trial: Trial, oracle: Oracle, visit: Visit, chance: random.Random
) -> None:
    order = Order.by(chance, events=100, delay=0.02)
    alice = await trial.reader(site, order)
    asking = asyncio.create_task(alice.ask_and_read())
    await alice.has(5)
    cookie = await trial.sign_in(site)
    visitor = _visitor(visit, site, cookie)
    path = f"/api/chat/{order.key}/stream"
    for cursor, status in FORGED.items():
        named: list[dict[str, Any]] = [{"headers": {"Last-Event-ID": cursor}}, {"params": {"after": cursor}}]
        for options in named:
            async with visitor.http.stream("GET", path, **options) as response:
                assert response.status_code == status, cursor
    nul = RawConnection(site, "GET", path, cookie=f"{cookie}\r\nLast-Event-ID: 1\0")
    with nul.socket:
        assert b" 400 " in await nul.until(b"\r\n")
    await asking
    trial.judge(site)
    assert "Internal Server Error" not in site.log()


@pytest.mark.skipif(IS_CLUSTER, reason="the limit is that of one process")
async def test_more_than_a_process_may_run_is_refused(
    site: Site, trial: Trial, oracle: Oracle, visit: Visit, chance: random.Random
) -> None:
    visitor = _visitor(visit, site, await trial.sign_in(site))
    orders = [Order.by(chance, events=100, delay=0.02) for _ in range(10)]

    async def ask(order: Order) -> int:
        body = {"prompt": order.prompt, "id": order.key}
        async with visitor.http.stream("POST", "/api/chat", json=body) as response:
            await response.aread()
            return response.status_code

    answers = []
    for order in orders:
        answers.append(asyncio.create_task(ask(order)))
        await asyncio.sleep(0.1)
    statuses = sorted(await asyncio.gather(*answers))
    assert statuses == [200] * 6 + [503] * 4
    assert len(oracle.requests) == 6 + 1


@pytest.mark.parametrize("how", LEAVE)
async def test_stream_and_socket_end_for_who_may_no_longer(
    site: Site, oracle: Oracle, visit: Visit, chance: random.Random, how: str, figure: Any
) -> None:
    name = how.replace(" ", "-")
    session = site.manage("shell", "-c", SIGN_IN.format(name=name)).split()[-1]
    visitor = _visitor(visit, site, f"sessionid={session}")
    orders = [Order.by(chance, events=400, delay=0.02) for _ in range(2)]
    stream = await visitor.ask(orders[0].prompt, id=orders[0].key)
    await stream.until("text-delta")
    async with sockets.socket_of(visitor) as connection:
        await connection.send(
            json.dumps({"type": "send", "requestId": "r1", "id": orders[1].key, "prompt": orders[1].prompt})
        )
        await sockets.until(connection, "text-delta")
        rows.change(site, LEAVE[how].format(session=session, name=name))
        began = time.monotonic()
        with pytest.raises(AssertionError, match="signed out"):
            await stream.whole()
        with contextlib.suppress(ConnectionClosed):
            while True:
                await connection.recv()
        took = time.monotonic() - began
        assert connection.close_code == 4401
    assert took < RECHECK + 2
    assert (await visitor.http.post(f"/api/chat/{orders[0].key}/stop")).status_code in (401, 404)
    figure(left=how, closed_after_s=round(took, 1), recheck_s=RECHECK)
    await rows.settled(site, 20)
