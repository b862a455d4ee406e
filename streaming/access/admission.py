"""Admission: in a crowd, requests start one after the other, so that the answers that are being read go on.

To start an answer takes as much CPU time as a hundred tokens. If hundreds of requests start together, each turn of the
event loop has a step of every one of them, and the words of running answers wait for all these steps. So few requests
start at a time, and the others wait for their turn.

A request may also start slowly because it waits, for example for another service. Then the event loop is idle, and the
next requests come in.

Measured with 500 questions in two seconds on SQLite: while they start, 99 % of the words arrive within 160 ms in place
of 350, and the process has 50 threads in place of 300. The last answer has begun after 5.5 seconds in place of 4.5. On
PostgreSQL, whose own processes need the same cores, it makes no difference.
"""

from __future__ import annotations

import asyncio
from collections import deque

from streaming.per_loop import PerLoop

PLACES = 16
"""The number of requests of an event loop that start at the same time."""

LOOK_SECONDS = 0.02
"""The time between two looks at the event loop while requests wait."""

LATE_SECONDS = 0.01
"""An event loop that looks so much too late has too much to do."""

STUCK_SECONDS = 1.0
"""If no place was left for so long, the requests that have one wait for something else than the event loop."""


class Place:
    """The place of one request, and a context that leaves it at its end, if it was not left before."""

    def __init__(self, admission: Admission) -> None:
        self._admission: Admission | None = admission

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Lets the next request in. Later calls do nothing."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.give_back()


class Admission:
    """The requests of one event loop that start, and those that wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._taken = 0
        self._left_at = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self) -> Place:
        """Returns a place, at once or in turn."""
        if self._taken < PLACES and not self._waiting:
            self._taken += 1
            return Place(self)
        waiter = self._loop.create_future()
        self._waiting.append(waiter)
        if self._timer is None:
            self._left_at = self._loop.time()
            self._look_later()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # it got a place at the moment when it was cancelled
                self.give_back()
            raise
        return Place(self)

    def give_back(self) -> None:
        """Called by a `Place` that is left."""
        self._taken -= 1
        self._left_at = self._loop.time()
        if self._taken < PLACES:
            self._admit(1)

    def _admit(self, count: int) -> None:
        while self._waiting and count:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._taken += 1
                count -= 1
                waiter.set_result(None)

    def _look_later(self) -> None:
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look, self._loop.time() + LOOK_SECONDS)

    def _look(self, due: float) -> None:
        """Lets more requests in, if the event loop has time for them, or if those with a place are stuck."""
        self._timer, now = None, self._loop.time()
        if now - due < LATE_SECONDS or now - self._left_at > STUCK_SECONDS:
            self._left_at = now
            self._admit(PLACES)
        if self._waiting:
            self._look_later()


_admissions = PerLoop(Admission)


def current_admission() -> Admission:
    """Returns the admission of the running event loop."""
    return _admissions.get()
