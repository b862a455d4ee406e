"""Measures how a stream is served: CPU per token, end to end, against two simple views.

    python -m benchmarks.serve [--streams 60] [--tokens 400] [--rate 40]

A provider in a process of its own sends `streams` answers at once. Each answer has `tokens` chunks, `rate` of them a
second, in OpenAI's format. A site on uvicorn sends them to as many readers. Three sites are compared:

    this app     all of it: parser, journal in SQLite, rows, resumable frames, POST api/chat
    textbook     an async view that iterates the OpenAI SDK's stream and yields each chunk as JSON; it stores nothing
    relay        an async view that passes the provider's bytes on (aiohttp); this is the cost of Django alone

The CPU time is the user and system time of the site's process, from the first request to the last byte, divided by the
number of tokens. The sites take turns in one run, and the figures are medians of `RUNS`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from tests.servers import free_port, serve

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3
PATHS = {"this app": "/api/chat", "textbook": "/textbook", "relay": "/relay"}
CHUNK = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1766084448,"model":"gpt-4o-2024-08-06",'
    b'"service_tier":"default","system_fingerprint":"fp_37d212baff","choices":[{"index":0,"delta":{"content":" word"},'
    b'"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"VNnjaeIH5xHKPt"}\n\n'
)
END = CHUNK.replace(b'{"content":" word"}', b"{}").replace(b'"finish_reason":null', b'"finish_reason":"stop"')
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
CLOCK = os.sysconf("SC_CLK_TCK")


async def provide(port: int, tokens: int, rate: float) -> None:
    """Runs the provider: it answers each request with `tokens` chunks, `rate` of them a second."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        writer.write(HEAD)
        began = time.monotonic()
        for number in range(1, tokens + 1):
            writer.write(_framed(CHUNK))
            await asyncio.sleep(max(0, began + number / rate - time.monotonic()))
        writer.write(_framed(END + b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextmanager
def provider(tokens: int, rate: float) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serve", "--provide", str(port), "--tokens", str(tokens)]
    process = subprocess.Popen([*command, "--rate", str(rate)], cwd=ROOT)
    try:
        time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


async def read_all(url: str, streams: int) -> tuple[float, int]:
    """Reads all streams. Returns the seconds until the last one has ended, and the number of bytes."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.monotonic()
        sizes = await asyncio.gather(*(_read_one(session, url) for _ in range(streams)))
    return time.monotonic() - began, sum(sizes)


async def _read_one(session: aiohttp.ClientSession, url: str) -> int:
    async with session.post(url, json={"prompt": "Hi"}) as response:
        response.raise_for_status()
        size = 0
        async for data in response.content.iter_any():
            size += len(data)
        return size


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def measure(streams: int, tokens: int, rate: float) -> dict[str, list[float]]:
    """The name of each site -> its CPU time per token in each run, in microseconds."""
    costs: dict[str, list[float]] = {name: [] for name in PATHS}
    with provider(tokens, rate) as url, tempfile.TemporaryDirectory() as directory:
        env = {"BENCH_PROVIDER_URL": url}
        with serve("uvicorn", Path(directory), settings="benchmarks.serve_settings", env=env) as site:
            for path in PATHS.values():  # so that imports and connections are not measured
                asyncio.run(read_all(site.url + path, 1))
            for _ in range(RUNS):
                for name, path in PATHS.items():
                    before = cpu_seconds(site.process.pid)
                    asyncio.run(read_all(site.url + path, streams))
                    costs[name].append(1e6 * (cpu_seconds(site.process.pid) - before) / (streams * tokens))
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=60)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rate", type=float, default=40)
    parser.add_argument("--provide", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.provide:
        asyncio.run(provide(options.provide, options.tokens, options.rate))
        return
    costs = {
        name: statistics.median(runs) for name, runs in measure(options.streams, options.tokens, options.rate).items()
    }
    print(f"{options.streams} streams of {options.tokens} tokens at {options.rate:g} a second, uvicorn\n")
    print("| site | CPU per token | against this app |\n|---|---|---|")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.0f} µs | {cost / costs['this app']:.1f}× |")


if __name__ == "__main__":
    main()
