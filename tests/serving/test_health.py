"""The health view while a real server prepares its end."""

from __future__ import annotations

import asyncio
import signal

import httpx

from tests.live.client import Visit
from tests.serving.conftest import Start


async def test_balancer_is_told_when_the_process_drains(start: Start, visit: Visit) -> None:
    site = start("uvicorn", STREAMING_DRAIN_SECONDS=5)
    stream = await visit(site).ask("Hello?", "endless")
    await stream.until("text-delta")
    async with httpx.AsyncClient(base_url=site.url) as balancer:
        assert (await balancer.get("/streaming/health")).status_code == 200
        site.send_signal(signal.SIGTERM)
        async with asyncio.timeout(4):
            while (response := await balancer.get("/streaming/health")).status_code == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert response.status_code == 503
    assert "streaming_draining 1\n" in response.text
    await stream.until("text-delta", 2)
