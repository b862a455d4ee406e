"""Wake-ups: readers wait for frames, and are woken together.

An idle event loop wakes a log's readers at once. A busy one wakes the readers of all its logs together, at most once in
`PAUSE_SECONDS`. Then a fast provider's frames go out several in one write.
"""

from __future__ import annotations

import asyncio

from streaming.per_loop import PerLoop

# The longest time that a wake-up may be late. People do not see it: a screen shows 60 pictures a second.
PAUSE_SECONDS = 0.01


class Waiters:
    """The readers that wait for one log."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Future[None], float] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._until)

    async def wait(self, seconds: float) -> None:
        """Returns soon after the next `wake`, and at the latest after `seconds`."""
        loop = asyncio.get_running_loop()
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
        """Wakes all that wait now, at once or within `PAUSE_SECONDS`."""
        if self._until:
            _pace.get().wake(self)

    def close(self) -> None:
        """Stops the alarm. Call it after the last wake-up."""
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None

    def release(self) -> None:
        """Wakes all that wait now, at once."""
        waiting, self._until = self._until, {}
        for waiter in waiting:
            _release(waiter)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        self.close()
        self._alarm = loop.call_at(at, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wakes those whose time is over."""
        self._alarm, now = None, loop.time()
        for waiter in [waiter for waiter, until in self._until.items() if until <= now]:
            del self._until[waiter]
            _release(waiter)
        if self._until:
            self._set_alarm(loop, min(self._until.values()))


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Pace:
    """Wakes the readers of all logs of an event loop at most once in `PAUSE_SECONDS`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: set[Waiters] = set()
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def wake(self, waiters: Waiters) -> None:
        if self._timer is None and self._loop.time() >= self._next:
            self._next = self._loop.time() + PAUSE_SECONDS
            waiters.release()
            return
        self._due.add(waiters)
        if self._timer is None:
            self._timer = self._loop.call_at(self._next, self._wake_all)

    def _wake_all(self) -> None:
        self._timer, self._next = None, self._loop.time() + PAUSE_SECONDS
        due, self._due = self._due, set()
        for waiters in due:
            waiters.release()


_pace = PerLoop(Pace)
