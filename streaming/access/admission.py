"""Admission: in a crowd, few requests start at a time, so that the answers that are being read go on.

To start an answer takes as much CPU time as a hundred tokens. If hundreds of requests start together, each turn of the
event loop has a step of every one of them, and the words of running answers wait for all these steps. So the others
wait for their turn.

A request may also start slowly because it waits, for example for another service. Then the event loop is idle, and the
next requests come in. On a busy loop they come in after a second.

Measured with 500 questions in two seconds, then a minute of answers (F12 in docs/reliability.md). On uvicorn, 99 % of
the words arrive within 109 to 144 ms; without turns, it was 254 to 329 ms. On SQLite it has 75 threads at most, in
place of 300. On PostgreSQL it still has 300: the event loop is idle while requests wait for the database.
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

SLOW_SECONDS = 1.0
"""A request that starts for so long probably waits for something else than the event loop. It no longer counts."""


class Place:
    """The place of one request, and a context that leaves it at its end, if it was not left before."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.leave()

    def leave(self) -> None:
        """Lets the next request in. Later calls do nothing."""
        self._admission.give_back(self)


class Admission:
    """The requests of one event loop that start, and those that wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._taken: dict[Place, float] = {}  # since when, oldest first
        self._waiting: deque[asyncio.Future[Place]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self) -> Place:
        """Returns a place, at once or in turn."""
        if not self._waiting and self._free() > 0:
            return self._take()
        waiter: asyncio.Future[Place] = self._loop.create_future()
        self._waiting.append(waiter)
        if self._timer is None:
            self._look_later()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # it got a place at the moment when it was cancelled
                waiter.result().leave()
            raise

    def give_back(self, place: Place) -> None:
        """Called by a place that is left."""
        if self._taken.pop(place, None) is not None:
            self._admit(self._free())

    def _free(self) -> int:
        """Returns the number of free places."""
        slow = self._loop.time() - SLOW_SECONDS
        while self._taken and (oldest := next(iter(self._taken.items())))[1] < slow:
            del self._taken[oldest[0]]
        return PLACES - len(self._taken)

    def _take(self) -> Place:
        place = Place(self)
        self._taken[place] = self._loop.time()
        return place

    def _admit(self, count: int) -> None:
        while self._waiting and count > 0:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(self._take())
                count -= 1

    def _look_later(self) -> None:
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look, self._loop.time() + LOOK_SECONDS)

    def _look(self, due: float) -> None:
        """Lets more requests in if the event loop has time for them."""
        self._timer = None
        has_time = self._loop.time() - due < LATE_SECONDS
        self._admit(PLACES if has_time else self._free())
        if self._waiting:
            self._look_later()


_admissions = PerLoop(Admission)


def current_admission() -> Admission:
    """Returns the admission of the running event loop."""
    return _admissions.get()
