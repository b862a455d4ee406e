"""Clients that leave before the answer begins, while middleware and the view still work."""

from __future__ import annotations

import asyncio
import random
import uuid

import pytest

from project.settings import MIDDLEWARE
from tests.faults.footprint import footprint, gives_back, warmed
from tests.live import rows
from tests.live.client import Visit, assert_whole
from tests.live.raw import LEAVE, RawConnection
from tests.serving.conftest import SERVERS, Start

ONE_TRIP = "streaming.middleware.one_trip"
CHAINS = {"one trip": MIDDLEWARE, "trip by trip": [path for path in MIDDLEWARE if path != ONE_TRIP]}
LEAVERS = 60
# Seconds. In this time a request passes through all of middleware and view.
MOMENT = 0.06


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("server", SERVERS)
async def test_client_that_leaves_before_the_answer_begins_leaves_nothing_behind(
    server: str, chain: str, start: Start, visit: Visit
) -> None:
    site = start(server, MIDDLEWARE=CHAINS[chain])
    visitor = await visit(site).greet()
    before, chance = warmed(footprint(site)), random.Random(7)

    async def come_and_go(key: str) -> None:
        body = {"prompt": "Hello?", "provider": "brief", "id": key}
        connection = RawConnection(site, "POST", "/api/chat", body=body, cookie=visitor.cookie)
        await asyncio.sleep(chance.uniform(0, MOMENT))
        LEAVE[chance.choice(list(LEAVE))](connection)

    keys = [uuid.uuid4().hex for _ in range(LEAVERS)]
    await asyncio.gather(*map(come_and_go, keys))
    stream = await visitor.ask("Still there?", "brief")
    await stream.whole()
    assert_whole(stream)
    begun = [key for key in keys if rows.answers(site, key)]
    assert {(await rows.settled(site, key)).status for key in begun} <= {"finished"}
    await gives_back(site, before)
