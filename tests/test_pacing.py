"""Pacing: an idle event loop is never waited for, and a busy one works in rounds and loses nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from streaming import pacing
from streaming.pacing import BUSY_WAKES, PATIENT_ROUNDS, Pace


class Log:
    """Readers that count how often they were woken."""

    def __init__(self) -> None:
        self.woken = 0

    def release(self) -> None:
        self.woken += 1


class Stream:
    """A stream that waits for a piece in rounds. `reads` is called for each that it gets."""

    def __init__(self, pace: Pace, reads: Callable[[], None] = lambda: None) -> None:
        self.pieces = self.got = 0
        self.task = asyncio.create_task(self._read(pace, reads))

    async def _read(self, pace: Pace, reads: Callable[[], None]) -> None:
        await pace.next_round(lambda: self.pieces > 0)
        self.got, self.pieces = self.pieces, 0
        reads()


def busy(pace: Pace) -> None:
    """Wakes as many readers as a busy event loop does in one pause."""
    for _ in range(BUSY_WAKES + 1):
        pace.wake(Log())


async def _rounds(pace: Pace, number: int) -> None:
    """Lets so many rounds of a busy loop pass."""
    for _ in range(number):
        before = pace._rounds
        while pace._rounds == before:
            busy(pace)
            await asyncio.sleep(0)


@pytest.fixture
async def pace() -> Pace:
    return Pace()


async def test_an_idle_loop_wakes_at_once_and_the_next_time_in_a_round(pace: Pace) -> None:
    first, second = Log(), Log()
    pace.wake(first)
    pace.wake(second)
    pace.wake(second)
    assert (first.woken, second.woken, pace.is_busy) == (1, 0, False)
    await asyncio.sleep(2 * pacing.PAUSE_SECONDS)
    assert (first.woken, second.woken) == (1, 1)


async def test_streams_read_in_the_next_round_and_their_readers_are_woken_in_the_same(pace: Pace) -> None:
    log, other = Log(), Log()
    busy(pace)
    stream = Stream(pace, lambda: pace.wake(log))
    await asyncio.sleep(0)
    stream.pieces = 3
    pace.wake(other)
    await _rounds(pace, 1)
    await stream.task
    assert (stream.got, log.woken, other.woken) == (3, 1, 1)


async def test_a_wake_up_after_a_round_waits_for_the_next_one(pace: Pace) -> None:
    log = Log()
    busy(pace)
    stream = Stream(pace)
    await asyncio.sleep(0)
    stream.pieces = 1
    await _rounds(pace, 1)
    await stream.task
    for _ in range(3):
        await asyncio.sleep(0)
    pace.wake(log)
    assert not log.woken
    await _rounds(pace, 1)
    assert log.woken == 1


async def test_a_stream_without_a_piece_is_let_go_after_some_rounds(pace: Pace) -> None:
    busy(pace)
    stream = Stream(pace)
    await asyncio.sleep(0)
    await _rounds(pace, PATIENT_ROUNDS - 1)
    assert not stream.task.done()
    await _rounds(pace, 1)
    await stream.task
    assert not stream.got


async def test_all_streams_are_let_go_when_the_loop_gets_idle(pace: Pace) -> None:
    busy(pace)
    streams = [Stream(pace) for _ in range(3)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(stream.task for stream in streams))
    assert pace._rounds < PATIENT_ROUNDS
    await asyncio.sleep(2 * pacing.PAUSE_SECONDS)
    assert pace._timer is None, "an idle loop has no rounds"


async def test_a_cancelled_stream_leaves_nothing(pace: Pace) -> None:
    busy(pace)
    stream = Stream(pace)
    await asyncio.sleep(0)
    stream.task.cancel()
    await _rounds(pace, 2)
    assert stream.task.cancelled()
    assert not pace._waiting
