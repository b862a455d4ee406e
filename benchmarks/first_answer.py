"""Measures how long the first answer of a fresh process takes to its first word, beside the next ones.

    python -m benchmarks.first_answer [--server uvicorn] [--runs 4]

Each run starts the example site on a server of its own, waits a moment as a balancer does, and asks a provider in
another process, over the vendor's SDK. The first answer includes what the process had not yet imported or opened.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.provider import provider
from benchmarks.serve import SERVERS, SETTINGS
from tests.servers import serve

SETTLING_SECONDS = 3
NEXT = 5


async def first_word(url: str) -> float:
    """Asks as a new visitor. Returns the seconds until the first word."""
    async with aiohttp.ClientSession() as session:
        began = time.perf_counter()
        async with session.post(f"{url}/api/chat", json={"prompt": "Hi", "provider": "tokens-5"}) as response:
            response.raise_for_status()
            async for piece in response.content.iter_any():
                if b"text-delta" in piece:
                    break
        return time.perf_counter() - began


async def measure(url: str) -> tuple[float, float]:
    """Returns the seconds of the first answer, and the median of the next ones."""
    await asyncio.sleep(SETTLING_SECONDS)
    first, *following = [await first_word(url) for _ in range(1 + NEXT)]
    return first, statistics.median(following)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=SERVERS, default="uvicorn")
    parser.add_argument("--runs", type=int, default=4)
    options = parser.parse_args()
    for _ in range(options.runs):
        with provider(50) as url, tempfile.TemporaryDirectory() as directory:
            env = {"BENCH_PROVIDER_URL": url, "BENCH_URLS": "project.urls", "SECRET_KEY": "bench"}
            env["ALLOWED_HOSTS"] = "127.0.0.1"
            with serve(SERVERS[options.server], Path(directory), env=env, settings=SETTINGS) as site:
                first, following = asyncio.run(measure(site.url))
        print(f"first {1e3 * first:.0f} ms, the next {1e3 * following:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
