"""Pacing: an idle event loop passes words on at once, a busy one does so in rounds.

    idle:  a piece arrives ─▶ its stream reads it ─▶ its readers are woken
    busy:  pieces arrive, until a round begins ─▶ all their streams read ─▶ all their readers are woken

A round begins at most once in `PAUSE_SECONDS`. It saves turns of the event loop: with 50 streams of 50 pieces a second,
0.35 for each piece in place of 0.65. And what a fast provider sent meanwhile is read, and written, as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from streaming.per_loop import PerLoop

PAUSE_SECONDS = 0.01
"""The longest time that a word may wait for a round. People do not see it: a screen shows 60 pictures a second."""

BUSY_WAKES = 8
"""An event loop is busy if it woke readers so many times within the last pause."""

PATIENT_ROUNDS = 10
"""After so many rounds without a piece, a stream is no longer looked at in each round: it waits for its own wake-up."""


class Sleepers(Protocol):
    """Readers that wait for one log."""

    def release(self) -> None:
        """Wakes all that wait now, at once."""


class Pace:
    """The rounds of one event loop. `is_busy` says if streams should wait for the next one with `next_round`."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.is_busy = False
        self._wakes = 0
        self._due: set[Sleepers] = set()
        self._waiting: dict[asyncio.Future[None], tuple[Callable[[], bool], int]] = {}
        self._rounds = 0
        self._is_in_round = False
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def wake(self, sleepers: Sleepers) -> None:
        """Wakes readers: at once on an idle loop and in a round, else in the next round."""
        self._wakes += 1
        if self._is_in_round:
            sleepers.release()
        elif self._timer is None and self.loop.time() >= self._next:
            self._begin_pause()
            sleepers.release()
        else:
            self._due.add(sleepers)
            self._set_timer()

    async def next_round(self, has_news: Callable[[], bool]) -> None:
        """Returns in the next round in which `has_news()` is true, after `PATIENT_ROUNDS`, or if the loop gets idle."""
        waiter = self.loop.create_future()
        self._waiting[waiter] = has_news, self._rounds + PATIENT_ROUNDS
        self._set_timer()
        try:
            await waiter
        finally:
            del self._waiting[waiter]

    def _set_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_at(self._next, self._round)

    def _begin_pause(self) -> None:
        self._next = self.loop.time() + PAUSE_SECONDS
        self.is_busy, self._wakes = self._wakes >= BUSY_WAKES, 0

    def _round(self) -> None:
        self._timer = None
        self._begin_pause()
        due, self._due = self._due, set()
        for sleepers in due:
            sleepers.release()
        self._rounds += 1
        for waiter, (has_news, last_round) in self._waiting.items():
            if not self.is_busy or self._rounds >= last_round or has_news():
                release(waiter)
        if self._waiting:
            self._is_in_round = True
            self.loop.call_soon(self.loop.call_soon, self._end_round)  # the streams read in the next turn of the loop
            self._set_timer()

    def _end_round(self) -> None:
        self._is_in_round = False


def release(waiter: asyncio.Future[None]) -> None:
    """Ends the wait for `waiter`. Does nothing if it has ended, for example because it was cancelled."""
    if not waiter.done():
        waiter.set_result(None)


_paces = PerLoop(Pace)


def current_pace() -> Pace:
    """Returns the pace of the running event loop."""
    return _paces.get()
