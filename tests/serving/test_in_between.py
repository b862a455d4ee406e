"""Proxies and middleware between an answer and its reader: some of them buffer and compress."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.scale import scaled
from tests.live.client import Visit, Visitor, assert_whole
from tests.servers import ROOT, Site, free_port
from tests.serving import sockets
from tests.serving.conftest import SERVERS, Start

pytestmark = pytest.mark.fault("F27")

# Seconds that the proxy waits for bytes from the site. nginx's default is a minute.
PATIENCE = scaled(2, 60)
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
# A configuration that does not consider streams: nginx's defaults, and compression of everything.
PLAIN = "server { listen 80; location / { proxy_pass http://127.0.0.1:8000; proxy_set_header Host $http_host; } }"
FRAME = """
daemon off; pid nginx.pid; error_log stderr; worker_processes 1; events {{ }}
http {{
  access_log off; gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; proxy_read_timeout {patience}s;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  {server}
}}
"""
ALL_MIDDLEWARE = [
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "tests.serving.middleware.SyncOnly",
]
# Seconds within which a frame must arrive. A proxy that buffers would hold it for seconds.
PROMPTLY = scaled(1.0, 0.2)

Proxy = Callable[[Site, str], Site]


def _documented() -> str:
    """The sample configuration in docs/deployment.md."""
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs/deployment.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Proxy]:
    """Starts nginx in front of a site, and returns the site with nginx's address."""
    if not Path(NGINX).exists():
        pytest.skip("nginx is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def begin(site: Site, server: str) -> Site:
        port = free_port()
        server = re.sub(r"listen \d+", f"listen 127.0.0.1:{port}", server).replace(
            "127.0.0.1:8000", f"127.0.0.1:{site.port}"
        )
        (tmp_path / "nginx.conf").write_text(FRAME.format(server=server, patience=PATIENCE))
        running.append(subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", "nginx.conf"], stderr=subprocess.DEVNULL))
        return site._replace(url=f"http://127.0.0.1:{port}")

    yield begin
    for process in running:
        process.terminate()
        process.wait(10)


async def _arrived(visit: Visit, site: Site) -> Visitor:
    visitor = visit(site, **{"Accept-Encoding": "gzip, deflate, br"})
    for _ in range(100):
        try:
            return await visitor.greet()
        except httpx.ConnectError:
            await asyncio.sleep(0.05)
    raise AssertionError("nginx did not start")


@pytest.mark.parametrize(("server", "config"), [*((server, "plain") for server in SERVERS), ("uvicorn", "documented")])
async def test_answers_pass_through_nginx_as_they_are_written(
    server: str, config: str, start: Start, visit: Visit, proxied: Proxy
) -> None:
    behind = start(server, EXTRA_MIDDLEWARE=ALL_MIDDLEWARE)
    visitor = await _arrived(visit, proxied(behind, PLAIN if config == "plain" else _documented()))
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


async def test_sockets_pass_through_the_documented_nginx(start: Start, visit: Visit, proxied: Proxy) -> None:
    behind = start("uvicorn")
    visitor = await _arrived(visit, proxied(behind, _documented()))
    async with sockets.socket_of(visitor) as socket:
        await sockets.ask(socket, "over-nginx", "brief")
        frames = await sockets.until(socket, "end")
    assert sum(frame.get("chunk", {}).get("type") == "text-delta" for frame in frames) == 20


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
async def test_middleware_neither_buffers_nor_compresses(server: str, start: Start, visit: Visit) -> None:
    visitor = await visit(start(server, EXTRA_MIDDLEWARE=ALL_MIDDLEWARE), **{"Accept-Encoding": "gzip"}).greet()
    body = {"prompt": "Hello?", "provider": "pausing"}
    async with visitor.http.stream("POST", "/api/chat", json=body) as response:
        assert response.headers["content-encoding"] == "identity"
        assert response.headers["x-sync-only"] == "1"
        arrived = [time.monotonic() async for _ in response.aiter_raw()]
    assert arrived[-1] - arrived[0] > 1, "all arrived at once"
