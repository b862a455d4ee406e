"""What was freed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import subprocess
import sys
from typing import Any

import pytest

from streaming import housekeeping, memory
from streaming.memory import give_back
from streaming.supervisor import current

MEGABYTE = 1 << 20
# Small enough for the heap, and one in fifty is kept, so that the heap cannot shrink by itself.
SCRIPT = """
from streaming.memory import give_back

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

pieces = [bytes(50_000) for _ in range(2000)]
kept = pieces[::50]
del pieces
before = resident()
give_back()
print(before - resident())
"""


def _has_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not _has_glibc(), reason="only glibc has malloc_trim")
def test_freed_memory_goes_back() -> None:
    given = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True).stdout
    assert int(given) > 50 * MEGABYTE


@pytest.mark.parametrize("trouble", [OSError, TypeError, AttributeError])
def test_where_there_is_no_way_nothing_happens(monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]) -> None:
    def no_library(name: str | None) -> None:
        raise trouble

    memory._trimmer.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", no_library)
    give_back()
    memory._trimmer.cache_clear()


@pytest.mark.usefixtures("engine")
async def test_every_sweep_gives_it_back(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.STREAMING_SWEEP_SECONDS = 0.01
    loop, given = asyncio.get_running_loop(), asyncio.Semaphore(0)
    monkeypatch.setattr(housekeeping, "give_back", lambda: loop.call_soon_threadsafe(given.release))
    current().keep_house()
    async with asyncio.timeout(5):
        await given.acquire()
        await given.acquire()
