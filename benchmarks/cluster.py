"""Measures a whole cluster on one machine: nginx, one or two processes of the site, PostgreSQL and Redis.

    python -m benchmarks.cluster [--streams 100] [--tokens 200] [--rate 50] [--visitors 20]

Two runs for each number of processes. *As fast as it goes*: the provider does not wait between tokens, and all answers
begin at once; the figures are answers and tokens a second. *Paced*: the provider sends `rate` tokens a second; the
figures are what each part costs for one stream. Readers, provider and all parts share the machine's cores, and so do
other programs: compare the columns of one run only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from redis import Redis

from benchmarks.provider import provider
from benchmarks.serve import PEERS, Readers
from tests.cluster import Cluster, cluster

TOKENS = (5, 50, 200, 1000)
UNPACED = 1e9
STATISTICS = ("-c", "shared_preload_libraries=pg_stat_statements")
TICKS = os.sysconf("SC_CLK_TCK")
PARTS = {"site": "uvicorn", "PostgreSQL": "postgres", "Redis": "redis-server", "nginx": "nginx"}
"""The parts of a cluster, with a word of their processes' command lines."""
STATEMENTS = "SELECT sum(calls)::bigint, (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') "
STATEMENTS += "FROM pg_stat_statements"
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"


class Counters(NamedTuple):
    """What the parts have used so far."""

    at: float
    cpu: dict[str, float]
    statements: int
    written: int
    through_redis: int


class Used(NamedTuple):
    """What the parts used between two counts, and what they held at the height of it."""

    seconds: float
    cpu: dict[str, float]
    statements: int
    written: int
    through_redis: int
    connections: int
    megabytes: dict[str, float]


class Gauge:
    """Counts what the parts of a cluster use."""

    def __init__(self, running: Cluster) -> None:
        self._database = psycopg.connect(running.database.replace("postgres://", "postgresql://"), autocommit=True)
        self._database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._redis = Redis.from_url(running.redis)
        self._pids = {part: list(_pids(word)) for part, word in PARTS.items()}

    def count(self) -> Counters:
        info = self._redis.info()
        return Counters(
            at=time.monotonic(),
            cpu={part: sum(map(_cpu, _pids(word))) for part, word in PARTS.items()},
            statements=self._row(STATEMENTS)[0],
            written=self._row(WAL)[0],
            through_redis=info["total_net_input_bytes"] + info["total_net_output_bytes"],
        )

    def held(self) -> tuple[int, dict[str, float]]:
        """The connections to PostgreSQL besides this one, and the megabytes that each part holds alone."""
        return self._row(STATEMENTS)[1] - 1, {part: sum(map(_memory, _pids(word))) for part, word in PARTS.items()}

    def _row(self, query: str) -> tuple[int, ...]:
        found = self._database.execute(query.encode()).fetchone()
        assert found
        return found


def _pids(word: str) -> Iterator[int]:
    """The processes of this user's clusters: those below this process whose command line has a word."""
    for pid in _descendants(os.getpid()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in command:
            yield pid


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = [
            int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in (task / "children").read_text().split()
        ]
    except OSError:
        return
    for child in children:
        yield child
        yield from _descendants(child)


def _cpu(pid: int) -> float:
    """The CPU seconds of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> float:
    """The megabytes of a process, with its share of memory that several have."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(rollup.partition("Pss:")[2].split()[0]) / 1024


async def _read_all(visitors: list[Readers], streams: int, tokens: int) -> None:
    """Reads `streams` answers at once, spread over the visitors."""
    shares = [streams // len(visitors) + (at < streams % len(visitors)) for at in range(len(visitors))]
    peer = PEERS["this app"]
    await asyncio.gather(*(one.read(peer, share, tokens) for one, share in zip(visitors, shares, strict=True) if share))


async def _arrived(url: str, count: int) -> list[Readers]:
    visitors = [Readers(url) for _ in range(count)]
    for one in visitors:
        await one.visit()
    return visitors


async def measured(running: Cluster, streams: int, tokens: int, visitors: int, seconds: float) -> Used:
    """Runs one crowd. What is held is read in the middle of it, after `seconds`."""
    gauge, crowd = Gauge(running), await _arrived(running.url, visitors)
    await _read_all(crowd, min(streams, 20), TOKENS[0])  # so that imports and first connections are not measured
    before = await asyncio.to_thread(gauge.count)
    reading = asyncio.create_task(_read_all(crowd, streams, tokens))
    await asyncio.sleep(seconds)
    connections, megabytes = await asyncio.to_thread(gauge.held)
    await reading
    after = await asyncio.to_thread(gauge.count)
    return Used(
        seconds=after.at - before.at,
        cpu={part: after.cpu[part] - before.cpu[part] for part in PARTS},
        statements=after.statements - before.statements,
        written=after.written - before.written,
        through_redis=after.through_redis - before.through_redis,
        connections=connections,
        megabytes=megabytes,
    )


@contextmanager
def _started(workers: int, rate: float) -> Iterator[Cluster]:
    with provider(rate) as url:
        env = {"BENCH_PROVIDER_URL": url}
        what = {"settings": "benchmarks.serve_settings", "application": "benchmarks.serve_asgi:application"}
        with cluster(workers, env=env, postgres_options=STATISTICS, **what) as running:
            yield running


def _table(found: dict[int, Used], values: dict[str, Callable[[Used], str]]) -> list[str]:
    """A column for each number of processes, and a row for each value."""
    heads = " | ".join(f"{workers} process{'es' * (workers > 1)}" for workers in found)
    rows = [f"| {name} | {' | '.join(map(value, found.values()))} |" for name, value in values.items()]
    return [f"| | {heads} |", f"|---|{'---:|' * len(found)}", *rows]


def fast_rows(found: dict[int, Used], streams: int, tokens: int) -> list[str]:
    """The table of a run as fast as it goes."""
    values = {
        "all answers, seconds": lambda used: f"{used.seconds:.1f}",
        "answers/s": lambda used: f"{streams / used.seconds:.1f}",
        "tokens/s": lambda used: f"{streams * tokens / used.seconds:,.0f}",
        "statements for an answer": lambda used: f"{used.statements / streams:.1f}",
        **{f"CPU of {part}, ms for an answer": _cpu_cell(part, streams) for part in PARTS},
    }
    return _table(found, values)


def _cpu_cell(part: str, streams: int):
    return lambda used: f"{1e3 * used.cpu[part] / streams:.1f}"


def paced_rows(found: dict[int, Used], streams: int) -> list[str]:
    """The table of a paced run: the cost of one stream in a second."""
    values = {
        "statements/s, all streams": lambda used: f"{used.statements / used.seconds:.1f}",
        "written ahead (WAL), KB/s for a stream": lambda used: f"{used.written / used.seconds / streams / 1e3:.2f}",
        "through Redis, KB/s for a stream": lambda used: f"{used.through_redis / used.seconds / streams / 1e3:.2f}",
        "connections to PostgreSQL": lambda used: str(used.connections),
        **{f"CPU of {part}, % of a core for a stream": _share_cell(part, streams) for part in PARTS},
        **{f"memory of {part}, MB": _memory_cell(part) for part in PARTS},
    }
    return _table(found, values)


def _share_cell(part: str, streams: int):
    return lambda used: f"{100 * used.cpu[part] / used.seconds / streams:.3f}"


def _memory_cell(part: str):
    return lambda used: f"{used.megabytes[part]:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=200, choices=TOKENS)
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--visitors", type=int, default=20)
    options = parser.parse_args()
    for title, rate, rows in (("as fast as it goes", UNPACED, fast_rows), ("paced", options.rate, paced_rows)):
        found = {}
        for workers in (1, 2):
            with _started(workers, rate) as running:
                middle = options.tokens / rate / 2 + 0.2
                crowd = measured(running, options.streams, options.tokens, options.visitors, middle)
                found[workers] = asyncio.run(crowd)
        print(f"\n{options.streams} answers of {options.tokens} tokens, {title}\n")
        print("\n".join(rows(found, options.streams, *([options.tokens] if rows is fast_rows else []))), flush=True)


if __name__ == "__main__":
    main()
