"""The resources that a process holds, and the check that it gives them back (I5)."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import NamedTuple

from tests.faults.scale import scaled
from tests.servers import Site

MEGABYTE = 1 << 20
SPARE = 4
# Bytes that an allocator keeps after hundreds of streams, for the next ones.
CROWD_MEGABYTES = scaled(20, 120)


class Footprint(NamedTuple):
    """`memory` in bytes."""

    threads: int
    files: int
    memory: int


# The resources that a process has after its first answer: its own threads for the database (3), those that are lent to
# requests (4 and 1), those of Django's pool (4) and of asyncio (which resolves names), a connection for each of the
# first 3, which SQLite opens as 3 files, and the SDK of its provider.
WARM = Footprint(threads=12 + min(32, (os.cpu_count() or 1) + 4), files=14, memory=50 * MEGABYTE)


def warmed(fresh: Footprint) -> Footprint:
    """The resources that a process that has just started may hold after it has worked."""
    return Footprint(*(some + more for some, more in zip(fresh, WARM, strict=True)))


def footprint(site: Site) -> Footprint:
    process = Path(f"/proc/{site.process.pid}")
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    files = len(list((process / "fd").iterdir()))
    return Footprint(int(fields["Threads"]), files, int(fields["VmRSS"].split()[0]) * 1024)


async def gives_back(site: Site, before: Footprint, within: float = 5, megabytes: float = 20) -> Footprint:
    """Waits until the process holds no more than before, and returns what it holds then.

    A few more open files are allowed, because SQLite keeps two files for each connection, and the provider's pool some
    sockets.
    """
    deadline = time.monotonic() + within
    while True:
        now = footprint(site)
        wrongs = [
            now.threads > before.threads + SPARE,
            now.files > before.files + 2 * SPARE,
            now.memory > before.memory + megabytes * MEGABYTE,
        ]
        if not any(wrongs):
            return now
        assert time.monotonic() < deadline, f"I5 before {before}, now {now}"
        await asyncio.sleep(0.1)
