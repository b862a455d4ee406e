"""What a process holds, and that it gives it back (I5)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

from tests.servers import Site

MEGABYTE = 1 << 20
SPARE = 4


class Footprint(NamedTuple):
    """`memory` in bytes."""

    threads: int
    files: int
    memory: int


def footprint(site: Site) -> Footprint:
    process = Path(f"/proc/{site.process.pid}")
    fields = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    files = len(list((process / "fd").iterdir()))
    return Footprint(int(fields["Threads"]), files, int(fields["VmRSS"].split()[0]) * 1024)


async def gives_back(site: Site, before: Footprint, within: float = 5, megabytes: int = 20) -> Footprint:
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
