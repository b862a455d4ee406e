"""Measures how an answer is served: the CPU time of the server's process, against its peers.

    python -m benchmarks.serve [--server daphne] [--postgres] [--tokens 5,50,200,1000] [--streams 50] [--runs 3]

A provider in a process of its own sends `streams` answers at once, in OpenAI's format, `rate` tokens a second each. A
server sends them to as many readers. The sites take turns in one run on the same server:

    this app            all of it: parser, journal, rows, resumable frames, POST api/chat of a visitor
    textbook            an async view that iterates the OpenAI SDK's stream and yields each chunk as JSON
    pydantic-ai         an agent without tools behind `VercelAIAdapter`
    django-ag-ui        the same agent behind `DjangoAGUIView`
    relay               passes the provider's bytes on with aiohttp; the cost of the server, and of Django

Only this app stores anything: in SQLite, or with `--postgres` in PostgreSQL, with Django's pool. The CPU time is the
user and system time of the server's process with all its threads, from the first request to the last byte. Figures are
medians of `runs`. `a token` is the slope between the two largest numbers of tokens. A busy machine makes all figures
larger, so compare the figures of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from benchmarks.provider import provider
from tests.backing import postgres, running
from tests.servers import Site, environment, manage, serve

SETTINGS = "benchmarks.serve_settings"
HELLO = {"id": "m1", "role": "user"}
# The names by which servers are started, with their event loop and their HTTP parser.
SERVERS = {"uvicorn": "uvicorn", "uvloop": "uvicorn-uvloop", "daphne": "daphne"}
STACKS = {
    "uvicorn": "uvicorn, asyncio, h11",
    "uvloop": "uvicorn, uvloop, httptools",
    "daphne": "Daphne, Twisted on asyncio",
}


class Peer(NamedTuple):
    """One site. `body` makes the body of a request for so many tokens."""

    path: str
    body: Callable[[int], dict[str, Any]] = lambda tokens: {}
    package: str = "django"

    @property
    def is_installed(self) -> bool:
        return find_spec(self.package) is not None


def _prompt(tokens: int) -> dict[str, Any]:
    return {"prompt": "Hi", "provider": f"tokens-{tokens}"}


def _vercel(tokens: int) -> dict[str, Any]:
    return {
        "trigger": "submit-message",
        "id": uuid.uuid4().hex,
        "messages": [HELLO | {"parts": [{"type": "text", "text": "Hi"}]}],
    }


def _ag_ui(tokens: int) -> dict[str, Any]:
    ids = {"threadId": uuid.uuid4().hex, "runId": uuid.uuid4().hex}
    empty = {"state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return ids | empty | {"messages": [HELLO | {"content": "Hi"}]}


PEERS = {
    "this app": Peer("/api/chat", _prompt),
    "textbook, Django": Peer("/textbook"),
    "textbook, FastAPI": Peer("/fastapi", package="fastapi"),
    "pydantic-ai": Peer("/pydantic-ai", _vercel, "pydantic_ai"),
    "django-ag-ui": Peer("/ag-ui", _ag_ui, "django_ag_ui"),
    "relay, Django": Peer("/relay"),
    "relay, bare": Peer("/bare"),
}


class Readers:
    """Clients with one visitor's session, as each browser has one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cookies: dict[str, str] = {}

    async def visit(self) -> None:
        """Starts the session."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            async with session.post(f"{self._url}/api/chat", json={"prompt": "Hi"}) as response:
                await response.read()
            self._cookies = {cookie.key: cookie.value for cookie in session.cookie_jar}

    async def read(self, peer: Peer, streams: int, tokens: int) -> None:
        """Reads answers of `tokens` to their ends, `streams` at once."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, cookies=self._cookies) as session:
            await asyncio.gather(*(self._read_one(session, peer, tokens) for _ in range(streams)))

    async def _read_one(self, session: aiohttp.ClientSession, peer: Peer, tokens: int) -> None:
        address = f"{self._url}{peer.path}?model=tokens-{tokens}"
        async with session.post(address, json=peer.body(tokens)) as response:
            response.raise_for_status()
            async for _ in response.content.iter_any():
                pass


@contextmanager
def started(server: str, rate: float, *, is_postgres: bool = False) -> Iterator[Site]:
    """A provider, and the server that asks it."""
    with ExitStack() as stack:
        url, directory = stack.enter_context(provider(rate)), stack.enter_context(tempfile.TemporaryDirectory())
        env = {"BENCH_PROVIDER_URL": url, "SECRET_KEY": "bench", "ALLOWED_HOSTS": "127.0.0.1"}
        if is_postgres:
            env["DATABASE_URL"] = stack.enter_context(contextmanager(running)(postgres)).url
            manage(environment(SETTINGS, Path(directory, "unused"), env), "migrate")
        what = {"settings": SETTINGS, "application": "benchmarks.serve_asgi:application"}
        yield stack.enter_context(serve(SERVERS[server], Path(directory), env=env, **what))


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process. Linux makes the id of its clock from the pid (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


Costs = dict[tuple[str, int], list[float]]
"""The name of a peer and a number of tokens -> the CPU milliseconds of an answer in each run."""


def measure(site: Site, peers: dict[str, Peer], counts: list[int], streams: int, runs: int) -> Costs:
    readers, costs = Readers(site.url), Costs()
    asyncio.run(readers.visit())
    for peer in peers.values():  # so that imports and connections are not measured
        for many in (1, streams):
            asyncio.run(readers.read(peer, many, counts[0]))
    for _ in range(runs):
        for tokens in counts:
            for name, peer in peers.items():
                repeats = max(1, 20 // tokens)
                before = cpu_seconds(site.process.pid)
                for _ in range(repeats):
                    asyncio.run(readers.read(peer, streams, tokens))
                used = 1e3 * (cpu_seconds(site.process.pid) - before) / (repeats * streams)
                costs.setdefault((name, tokens), []).append(used)
    return costs


def table(costs: Costs, counts: list[int]) -> list[str]:
    """The rows of a Markdown table: milliseconds of an answer by its tokens, microseconds of a token."""
    columns = [*(f"{tokens:,} tokens" for tokens in counts), "a token"]
    rows = [f"| CPU of an answer | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    for name in dict.fromkeys(name for name, _ in costs):
        cells = [f"{statistics.median(costs[name, tokens]):.1f} ms" for tokens in counts]
        rows.append(f"| {name} | {' | '.join([*cells, f'{token_cost(costs, name, counts):.0f} µs'])} |")
    return rows


def token_cost(costs: Costs, name: str, counts: list[int]) -> float:
    """The CPU microseconds of one more token."""
    few, many = (counts * 2)[-2:]
    if few == many:
        return 1e3 * statistics.median(costs[name, many]) / many
    return 1e3 * (statistics.median(costs[name, many]) - statistics.median(costs[name, few])) / (many - few)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=SERVERS, action="append", help="may be repeated; all by default")
    parser.add_argument("--tokens", default="5,50,200,1000")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="store in PostgreSQL, which must be installed")
    options = parser.parse_args()
    counts = [int(number) for number in options.tokens.split(",")]
    peers = {name: peer for name, peer in PEERS.items() if peer.is_installed}
    for server in options.server or SERVERS:
        with started(server, options.rate, is_postgres=options.postgres) as site:
            costs = measure(site, peers, counts, options.streams, options.runs)
        print(f"\n{STACKS[server]}; {options.streams} streams of {options.rate:g} tokens a second\n")
        print("\n".join(table(costs, counts)), flush=True)


if __name__ == "__main__":
    main()
