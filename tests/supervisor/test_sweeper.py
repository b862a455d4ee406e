"""The sweeper returns freed memory to the system."""

from __future__ import annotations

import asyncio
import ctypes
import datetime
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from streaming.models import Conversation, from_now
from streaming.supervisor import current, sweeper
from tests.engine import Script, submit

MEGABYTE = 1 << 20
# The pieces are small enough for the heap. One in fifty is kept, so that the heap cannot shrink by itself.
SCRIPT = """
import django

django.setup()

from streaming.supervisor.sweeper import return_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

pieces = [bytes(50_000) for _ in range(2000)]
kept = pieces[::50]
del pieces
before = resident()
return_memory()
print(before - resident())
"""


def _has_glibc() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not _has_glibc(), reason="only glibc has malloc_trim")
def test_freed_memory_is_returned_to_the_system() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    command = [sys.executable, "-c", SCRIPT]
    given = subprocess.run(command, capture_output=True, check=True, text=True, env=environment).stdout
    assert int(given) > 50 * MEGABYTE


@pytest.mark.parametrize("trouble", [OSError, TypeError, AttributeError])
def test_nothing_happens_without_malloc_trim(monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]) -> None:
    def no_library(name: str | None) -> None:
        raise trouble

    sweeper._trim.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", no_library)
    sweeper.return_memory()
    sweeper._trim.cache_clear()


@pytest.mark.usefixtures("engine")
async def test_every_sweep_returns_memory(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.STREAMING_SWEEP_SECONDS = 0.01
    loop, given = asyncio.get_running_loop(), asyncio.Semaphore(0)
    monkeypatch.setattr(sweeper, "return_memory", lambda: loop.call_soon_threadsafe(given.release))
    current().ensure_sweeping()
    async with asyncio.timeout(30):
        await given.acquire()
        await given.acquire()


@pytest.mark.usefixtures("engine")
async def test_sweeper_forgets_old_conversations(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.STREAMING_SWEEP_SECONDS = 0.01
    settings.STREAMING_RETENTION_DAYS = 30
    monkeypatch.setattr(sweeper, "SWEEPS_PER_PRUNING", 1)
    await Conversation.objects.abulk_create(Conversation(key=f"{at}", owner_key="visitor:v") for at in range(25))
    await Conversation.objects.exclude(key="0").aupdate(updated_at=from_now(-31 * 86_400))
    current().ensure_sweeping()
    async with asyncio.timeout(10):
        while await Conversation.objects.acount() > 1:  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.02)
    assert (await Conversation.objects.aget()).key == "0"


async def test_sweeper_deletes_old_conversations_of_visitors(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch, engine: None
) -> None:
    settings.STREAMING_SWEEP_SECONDS = 0.01
    settings.STREAMING_VISITOR_RETENTION_DAYS = 1
    monkeypatch.setattr(sweeper, "SWEEPS_PER_PRUNING", 1)
    scripted(text="ok")
    await submit()
    await current().idle()
    assert await Conversation.objects.aexists()
    await Conversation.objects.aupdate(updated_at=timezone.now() - datetime.timedelta(days=2))
    async with asyncio.timeout(30):
        while await Conversation.objects.aexists():  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("engine")
async def test_chore_that_fails_does_not_keep_the_sweeper_from_the_next_ones(
    monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STREAMING_SWEEP_SECONDS = 0.01
    settings.STREAMING_RETENTION_DAYS = 30
    monkeypatch.setattr(sweeper, "SWEEPS_PER_PRUNING", 1)
    await Conversation.objects.acreate(key="old", owner_key="visitor:v")
    await Conversation.objects.aupdate(updated_at=from_now(-31 * 86_400))

    def storage_is_away(*given: Any) -> Iterator[int]:
        raise OSError

    monkeypatch.setattr("streaming.files.attachments.deletions", storage_is_away)
    current().ensure_sweeping()
    async with asyncio.timeout(30):
        while await Conversation.objects.aexists():  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.02)
    assert "Sweeping failed." in caplog.text
