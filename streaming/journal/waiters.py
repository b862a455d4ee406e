"""Waiters: the readers that wait for one log, with one timer for all of them."""

from __future__ import annotations

import asyncio

from streaming.pacing import Pace, current_pace, release


class Waiters:
    """The readers that wait for one log. The pace of the event loop decides when a wake-up reaches them."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Future[None], float] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._pace: Pace | None = None  # a log may be filled where no event loop runs

    def __len__(self) -> int:
        return len(self._until)

    async def wait(self, seconds: float) -> None:
        """Returns soon after the next `wake`, and at the latest after `seconds`."""
        pace = self._pace = self._pace or current_pace()
        loop = pace.loop
        waiter = loop.create_future()
        self._until[waiter] = until = loop.time() + seconds
        # One alarm for all waits to come. A timer for each wait would cost 3 µs for every token and reader.
        if self._alarm is None or until < self._alarm.when():
            self._set_alarm(loop, until)
        try:
            await waiter
        finally:
            self._until.pop(waiter, None)

    def wake(self) -> None:
        """Wakes all that wait now, at once or in the next round."""
        if self._until and self._pace:
            self._pace.wake(self)

    def close(self) -> None:
        """Stops the alarm. Call it after the last wake-up."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None

    def release(self) -> None:
        """Wakes all that wait now, at once."""
        waiting, self._until = self._until, {}
        for waiter in waiting:
            release(waiter)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        self.close()
        self._alarm = loop.call_at(at, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wakes those whose time is over."""
        self._alarm, now = None, loop.time()
        for waiter in [waiter for waiter, until in self._until.items() if until <= now]:
            del self._until[waiter]
            release(waiter)
        if self._until:
            self._set_alarm(loop, min(self._until.values()))
