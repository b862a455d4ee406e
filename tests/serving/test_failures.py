"""Exceptions in the middle of a stream: the client gets an error, and the server continues."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live.client import Visit, Visitor
from tests.servers import Site
from tests.serving import sockets
from tests.serving.conftest import Start

pytestmark = pytest.mark.fault("F23")

APPLICATION = "tests.serving.failing:application"
BROKE_OFF = "A stream broke off."
# Every await of the SSE generator, at its first, second and a later call.
OF_STREAM = ["release:1", "next:1", "next:2", "next:4", "holds:1", "holds:2", "holds:4"]
# Every await of a command and of a relay. The second call of `in_database` is that of the session check, the third
# is that of the resume.
OF_SOCKET = ["holds_now:1", "in_database:3", "subscribe:1", "next:1", "next:3"]


@pytest.fixture(params=["daphne", "uvicorn"])
def site(request: pytest.FixtureRequest, shared: Start) -> Site:
    return shared(request.param, application=APPLICATION)


async def test_failing_streams_end_with_an_error_and_leave_nothing_behind(
    site: Site, visit: Visit, figure: Any
) -> None:
    visitor, before = await visit(site).greet(), site.log().count(BROKE_OFF)
    for point in OF_STREAM:
        body = {"prompt": "Hello?", "provider": "brief", "id": uuid.uuid4().hex}
        response = await visitor.http.post("/api/chat", json=body, headers={"X-Fail": point})
        assert response.status_code == 200
        frames = response.text.split("\n\n")
        assert '"type":"error"' in frames[-2], point
        assert "Failpoint" not in response.text
    assert site.log().count(BROKE_OFF) - before == len(OF_STREAM)
    await _still_works(site, visitor)
    figure(awaits=len(OF_STREAM))


async def test_failing_sockets_send_an_error_and_stay_open(site: Site, visit: Visit, figure: Any) -> None:
    visitor = await visit(site).greet()
    for point in OF_SOCKET:
        async with sockets.socket_of(visitor, **{"X-Fail": point}) as socket:
            running = uuid.uuid4().hex
            await (await visitor.ask("Hello?", "brief", id=running)).until("text-delta")
            await sockets.resume(socket, running)
            told = (await sockets.until(socket, "error"))[-1]
            assert told["requestId"] == "r1", point
            await sockets.ask(socket, uuid.uuid4().hex, "default", "r2")
            await sockets.until(socket, "end")
    await _still_works(site, visitor)
    figure(awaits=len(OF_SOCKET))


async def test_socket_that_fails_before_it_is_open_is_refused(site: Site, visit: Visit) -> None:
    visitor = await visit(site).greet()
    for point in ("in_database:1", "in_database:2"):
        with pytest.raises((ConnectionClosed, InvalidStatus)):
            async with sockets.socket_of(visitor, **{"X-Fail": point}) as socket:
                await socket.recv()
    await _still_works(site, visitor)


async def test_view_that_raises_in_mid_stream_breaks_only_its_own_response(site: Site, visit: Visit) -> None:
    visitor = await visit(site).greet()
    for _ in range(3):
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await visitor.http.get("/boom", timeout=20)
    await _still_works(site, visitor)


async def _still_works(site: Site, visitor: Visitor) -> None:
    """Checks that the server works, and that Daphne still monitors its connections.

    Daphne checks them once a second. An exception in the wrong place would end that for good.
    """
    await visitor.hang_up()
    await (await visitor.ask("Hello?", id=uuid.uuid4().hex)).whole()
    await visitor.hang_up()
    deadline = time.monotonic() + 20
    while "daphne" in site.log_file.name and (await visitor.http.get("/connections")).text != "1":
        assert time.monotonic() < deadline, site.log()
        await asyncio.sleep(0.1)
    assert not re.search(r"took too long|ValueError|never retrieved", site.log()), site.log()
