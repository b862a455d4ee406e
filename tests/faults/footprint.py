"""What a process holds, and that it gives it back (I5)."""

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
# What an allocator keeps of hundreds at once, and has for the next ones.
CROWD_MEGABYTES = scaled(20, 120)


class Footprint(NamedTuple):
    """`memory` in bytes."""

    threads: int
    files: int
    memory: int


# What a process takes once it has answered: its own threads for the database (3), those of Django's pool (4) and of
# asyncio, which looks up names; connections; the SDK that its provider stands on.
WARM = Footprint(threads=7 + min(32, (os.cpu_count() or 1) + 4), files=8, memory=50 * MEGABYTE)


def warmed(fresh: Footprint) -> Footprint:
    """What a process that was just started may hold when it has worked."""
    return Footprint(*(some + more for some, more in zip(fresh, WARM, strict=True)))


def footprint(site: Site) -> Footprint:
    process = Path(f"/proc/{site.process.pid}")
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    files = len(list((process / "fd").iterdir()))
    return Footprint(int(fields["Threads"]), files, int(fields["VmRSS"].split()[0]) * 1024)


async def gives_back(site: Site, before: Footprint, within: float = 5, megabytes: float = 20) -> Footprint:
    """Wait until the process holds no more than before; what it holds then.

    SQLite keeps two files a connection and the provider's pool some sockets, hence a few more than before.
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
