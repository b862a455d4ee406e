"""Measures how a stream is served: the CPU time of the server's process for an answer, against its peers.

python -m benchmarks.serve [--server uvicorn] [--streams 50] [--rate 50] [--tokens 5,50,200,1000]
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
from tests.servers import serve

PATHS = {
    "this app": "/api/chat",
    "textbook, Django": "/textbook",
    "textbook, FastAPI": "/fastapi",
    "relay, Django": "/relay",
    "relay, bare": "/bare",
}


WHAT = {"settings": "benchmarks.serve_settings", "application": "benchmarks.serve_asgi:application"}
COOKIES: dict[str, str] = {}


async def visit(url: str) -> None:
    """Starts a visitor's session, as each browser has one."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.post(url, json={"prompt": "Hi"}) as response:
            await response.read()
        COOKIES.update({cookie.key: cookie.value for cookie in session.cookie_jar})


async def read_all(url: str, streams: int, tokens: int) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookies=COOKIES) as session:
        await asyncio.gather(*(_read_one(session, url, tokens) for _ in range(streams)))


async def _read_one(session: aiohttp.ClientSession, url: str, tokens: int) -> None:
    async with session.post(url, json={"prompt": "Hi", "provider": f"tokens-{tokens}"}) as response:
        response.raise_for_status()
        async for _ in response.content.iter_any():
            pass


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process with all its threads. Linux makes the clock's id from the pid (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="uvicorn")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--tokens", default="5,50,200,1000")
    parser.add_argument("--sites", default=",".join(PATHS.values()))
    o = parser.parse_args()
    counts = [int(x) for x in o.tokens.split(",")]
    paths = {n: p for n, p in PATHS.items() if p in o.sites.split(",")}
    costs: dict[tuple[str, int], list[float]] = {}
    with provider(o.rate) as url, tempfile.TemporaryDirectory() as directory:
        env = {"BENCH_PROVIDER_URL": url, "SECRET_KEY": "x", "ALLOWED_HOSTS": "127.0.0.1"}
        with serve(o.server, Path(directory), env=env, **WHAT) as site:
            pid = site.process.pid
            asyncio.run(visit(site.url + "/api/chat"))
            for path in paths.values():
                asyncio.run(read_all(site.url + path, 5, 5))
                asyncio.run(read_all(site.url + path, o.streams, 5))
            for _ in range(o.runs):
                for n in counts:
                    batches = max(1, 20 // n)
                    for name, path in paths.items():
                        before = cpu_seconds(pid)
                        for _ in range(batches):
                            asyncio.run(read_all(site.url + path, o.streams, n))
                        used = 1e3 * (cpu_seconds(pid) - before)
                        costs.setdefault((name, n), []).append(used / (o.streams * batches))
    med = {k: statistics.median(v) for k, v in costs.items()}
    print(f"{o.server}, {o.streams} streams, {o.rate:g}/s")
    print("| site |", " | ".join(f"{n} tokens" for n in counts), "| a token |")
    for name in paths:
        row = [med[name, n] for n in counts]
        token = (row[-1] - row[0]) / (counts[-1] - counts[0]) * 1e3 if len(counts) > 1 else 0
        print(f"| {name} | " + " | ".join(f"{x:.2f} ms" for x in row) + f" | {token:.0f} µs |")


if __name__ == "__main__":
    main()
