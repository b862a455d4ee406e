"""Proxies and middleware between an answer and its reader: some of them buffer and compress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scale import scaled
from tests.live.client import Visit, Visitor, assert_whole
from tests.proxy import PLAIN, documented, nginx
from tests.servers import Site
from tests.serving import sockets
from tests.serving.conftest import SERVERS, Start

pytestmark = pytest.mark.fault("F27")

# Seconds that the proxy waits for bytes from the site. nginx's default is a minute.
PATIENCE = scaled(2, 60)
ALL_MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "tests.serving.middleware.SyncOnly",
]
# Seconds within which a frame must arrive. A proxy that buffers would hold it for seconds.
PROMPTLY = scaled(1.0, 0.2)

Proxy = Callable[[Site, str], Site]


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxy]:
    """Starts nginx in front of a site, and returns the site with nginx's address."""
    with ExitStack() as running:

        def begin(site: Site, server: str) -> Site:
            url = running.enter_context(nginx(tmp_path, server, [site.port], patience=PATIENCE))
            return site._replace(url=url)

        yield begin


async def _arrived(visit: Visit, site: Site) -> Visitor:
    return await visit(site, **{"Accept-Encoding": "gzip, deflate, br"}).greet()


@pytest.mark.parametrize(("server", "config"), [*((server, "plain") for server in SERVERS), ("uvicorn", "documented")])
async def test_answers_pass_through_nginx_as_they_are_written(
    server: str, config: str, shared: Start, visit: Visit, proxied: Proxy
) -> None:
    behind = shared(server, EXTRA_MIDDLEWARE=ALL_MIDDLEWARE)
    visitor = await _arrived(visit, proxied(behind, PLAIN if config == "plain" else documented()))
    began = time.monotonic()
    stream = await visitor.ask("Hello?", "pausing")
    await stream.until("start-step")
    assert time.monotonic() - began < PROMPTLY
    await stream.until("text-delta", 2)
    first, second = [frame.at for frame in stream.frames if frame.chunk["type"] == "text-delta"]
    assert second - first > 0.3, "both arrived at once"
    await stream.whole()
    assert_whole(stream)


@pytest.mark.timeout(PATIENCE * 3 + 60)
async def test_heartbeats_keep_a_silent_stream_open_behind_nginx(
    start: Start, visit: Visit, proxied: Proxy, figure: Any
) -> None:
    """The answer is silent for longer than the proxy waits, but heartbeats arrive."""
    site = start("daphne", STREAMING_HEARTBEAT_SECONDS=PATIENCE / 4)
    visitor = await _arrived(visit, proxied(site, PLAIN))
    stream = await visitor.ask("Hello?", "silent")
    reading = asyncio.create_task(stream.whole())
    silence = 1.5 * PATIENCE + 1
    await asyncio.sleep(silence)
    assert not reading.done()
    assert await visitor.stop() == "stopping"
    await reading
    assert len(stream.heartbeats) >= 4
    figure(patience_s=PATIENCE, silence_s=round(silence))


async def test_sockets_pass_through_the_documented_nginx(shared: Start, visit: Visit, proxied: Proxy) -> None:
    behind = shared("uvicorn")
    visitor = await _arrived(visit, proxied(behind, documented()))
    async with sockets.socket_of(visitor) as socket:
        await sockets.ask(socket, "over-nginx", "brief")
        frames = await sockets.until(socket, "end")
    assert sum(frame.get("chunk", {}).get("type") == "text-delta" for frame in frames) == 20


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_middleware_neither_buffers_nor_compresses(server: str, shared: Start, visit: Visit) -> None:
    visitor = await visit(shared(server, EXTRA_MIDDLEWARE=ALL_MIDDLEWARE), **{"Accept-Encoding": "gzip"}).greet()
    body = {"prompt": "Hello?", "provider": "pausing"}
    async with visitor.http.stream("POST", "/api/chat", json=body) as response:
        assert response.headers["content-encoding"] == "identity"
        assert response.headers["x-sync-only"] == "1"
        arrived = [time.monotonic() async for _ in response.aiter_raw()]
    assert arrived[-1] - arrived[0] > 1, "all arrived at once"
