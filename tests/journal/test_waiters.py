"""Wake-ups: at once on an idle event loop, together on a busy one, and with one timer for a whole log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.journal.waiters import Waiters
from streaming.pacing import PAUSE_SECONDS


async def _begin(waiters: Waiters, seconds: float = 30) -> asyncio.Task[None]:
    task = asyncio.create_task(waiters.wait(seconds))
    await asyncio.sleep(0)
    return task


async def _until_idle() -> None:
    """Lets the pause after the last wake-up pass."""
    await asyncio.sleep(2 * PAUSE_SECONDS)


async def test_idle_loop_wakes_at_once() -> None:
    await _until_idle()
    waiters = Waiters()
    waiting = [await _begin(waiters) for _ in range(3)]
    waiters.wake()
    await asyncio.sleep(0)
    assert all(task.done() for task in waiting)


async def test_busy_loop_wakes_the_readers_of_all_logs_together() -> None:
    await _until_idle()
    logs = [Waiters() for _ in range(3)]
    woken: list[int] = []
    readers = [asyncio.create_task(_read(log, woken)) for log in logs]
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    began, wakes = loop.time(), 0
    while (wakes := wakes + 1) < 500:
        for log in logs:
            log.wake()
        await asyncio.sleep(0)
    await _until_idle()
    for reader in readers:
        reader.cancel()
    most = 1 + (loop.time() - began) / PAUSE_SECONDS
    assert len(logs) <= len(woken) <= len(logs) * most < len(logs) * wakes


async def _read(log: Waiters, woken: list[int]) -> None:
    while True:
        await log.wait(30)
        woken.append(1)


async def test_late_wake_up_is_not_lost() -> None:
    await _until_idle()
    first, second = Waiters(), Waiters()
    waiting = [await _begin(first), await _begin(second)]
    first.wake()
    second.wake()
    second.close()  # the log has ended meanwhile
    await asyncio.wait_for(asyncio.gather(*waiting), 1)


async def test_waits_share_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, set_for = asyncio.get_running_loop(), []
    call_at = loop.call_at

    def note(when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        set_for.append(when)
        return call_at(when, *args, **kwargs)

    monkeypatch.setattr(loop, "call_at", note)
    waiters = Waiters()
    for _ in range(100):
        waiting = await _begin(waiters)
        waiters.release()
        await waiting
    assert len(set_for) == 1


async def test_each_wait_ends_after_its_own_time() -> None:
    waiters = Waiters()
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        await waiters.wait(seconds)
        ended.append(seconds)

    await asyncio.gather(*(wait(seconds) for seconds in (0.06, 0.02, 0.04)))
    assert ended == [0.02, 0.04, 0.06]
    assert not len(waiters)
