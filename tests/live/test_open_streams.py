"""The limit on one owner's open streams in a process. A place is free again when its stream is left."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.live.client import Visit, Visitor, http_client
from tests.live.conftest import StartSite
from tests.serving import sockets

MOST, CROWD = 3, 30
FULL = "in more places than it allows"


@pytest.fixture(params=["uvicorn", "daphne"])
async def visitor(request: pytest.FixtureRequest, start_site: StartSite, visit: Visit) -> Visitor:
    return await visit(start_site(request.param, STREAMING_MAX_STREAMS_PER_OWNER=MOST)).greet()


async def test_streams_and_sockets_of_an_owner_have_so_many_places(visitor: Visitor, visit: Visit) -> None:
    await visitor.ask("Hello?", "slow")
    await visitor.follow()
    async with sockets.socket_of(visitor):
        for method, path in (("POST", "/api/chat"), ("GET", f"/api/chat/{visitor.key}/stream")):
            refused = await visitor.http.request(method, path, json={"prompt": "And?"})
            assert (refused.status_code, FULL in refused.text) == (429, True)
        async with sockets.socket_of(visitor) as second:
            with pytest.raises(ConnectionClosed):
                await second.recv()
            assert second.close_code == 4429
        assert await visitor.stop() == "stopping", "Stop does not count"
        assert await visit(visitor.site).greet(), "other owners are not affected"
    await visitor.hang_up()
    await _greeted(visitor)


async def test_crowd_that_comes_at_once_gets_no_more(visitor: Visitor) -> None:
    await visitor.ask("Hello?", "slow")
    path, cookie = f"/api/chat/{visitor.key}/stream", {"Cookie": visitor.cookie}
    told: list[tuple[int, str]] = []
    are_told = asyncio.Event()

    async def follow() -> None:
        """Reads until it knows if it is let in. One that is let in stays until all others know."""
        async with http_client(visitor.site.url, headers=cookie) as http, http.stream("GET", path) as response:
            begun = b""
            async for piece in response.aiter_bytes():
                begun += piece
                if len(begun) > 300:
                    await tell(response.status_code, begun)
                    return  # a client closes its connection when it stops reading
            await tell(response.status_code, begun)

    async def tell(status: int, begun: bytes) -> None:
        told.append((status, begun.decode()))
        if len(told) == CROWD:
            are_told.set()
        await are_told.wait()

    async with asyncio.timeout(60):
        await asyncio.gather(*(follow() for _ in range(CROWD)))
    assert {status for status, _ in told} <= {200, 429}
    let_in = [text for _, text in told if "text-delta" in text]
    assert len(let_in) == MOST - 1
    assert all("too many places" in text or FULL in text for _, text in told if text not in let_in)
    await visitor.stop()


async def _greeted(visitor: Visitor) -> None:
    """Sends a message when the server has noticed that the visitor's earlier connections are closed."""
    for _ in range(50):
        try:
            await visitor.greet()
            return
        except (AssertionError, httpx.TransportError):
            await asyncio.sleep(0.1)
    raise AssertionError("the places are still taken")
