"""The ticker writes the new frames of all generations of a process, renews their leases, and reads which must stop.

There is one writer for all of them: a tick is one transaction with few statements, for one generation or a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping

from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_order, told
from streaming.journal import Batch, Mirror, redis_journal
from streaming.runner import Run
from streaming.supervisor.leases import tick

logger = logging.getLogger(__name__)

# The most bytes that one tick writes: its transaction must end long before a lease does. The next tick writes the rest.
MAX_BYTES_PER_TICK = 8_000_000
# A lease is renewed so many times before it would end. To renew it at each tick would cost as much as to write frames.
RENEWALS_PER_LEASE = 5


class Ticker:
    """Ticks for the `runs` of the supervisor named `worker`. The supervisor adds runs and removes them."""

    def __init__(self, worker: str, runs: Mapping[uuid.UUID, Run]) -> None:
        self._lock = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._worker = worker
        self._runs = runs
        self._stop_requested = asyncio.Event()
        self._renewed: dict[uuid.UUID, float] = {}
        redis = redis_journal()
        self._mirror = Mirror(redis, self._on_stop) if redis else None
        self._written_at = time.monotonic()
        self._loops: dict[Callable[[], Coroutine[None, None, None]], asyncio.Task[None]] = {}

    @property
    def lag_seconds(self) -> float:
        """The time since a tick has stored frames, if there are frames to store; else 0."""
        waits = any(run.is_live and run.log.last_seq > run.written for run in list(self._runs.values()))
        return time.monotonic() - self._written_at if waits else 0.0

    def add(self, generation_id: uuid.UUID) -> None:
        """Starts to tick for one of `runs`."""
        if len(self._runs) == 1:
            self._written_at = time.monotonic()  # nothing had to be stored before
        if self._mirror:
            self._mirror.add(generation_id, self._runs[generation_id])
        self._ensure_loops()

    @contextlib.asynccontextmanager
    async def settling(self) -> AsyncIterator[None]:
        """The context in which a run settles. One run settles at a time, and no tick runs at the same time.

        Runs wait for each other on a second lock. If hundreds of them waited for the ticker's lock, the next tick would
        have to wait for all of them, and leases would run out.
        """
        async with self._turn, self._lock:
            yield

    async def idle(self) -> None:
        """Returns when the frames of all ended generations are in Redis. Without Redis, returns at once."""
        if self._mirror:
            await self._mirror.idle()

    def _ensure_loops(self) -> None:
        for loop in (self._tick_while_busy, self._watch_while_busy):
            if loop not in self._loops or self._loops[loop].done():
                self._loops[loop] = asyncio.get_running_loop().create_task(loop(), context=contextvars.Context())

    async def _watch_while_busy(self) -> None:
        """Checks time limits. This is a separate loop, because a tick may have to wait for the database.

        It also restarts the ticking loop if something has ended it.
        """
        while self._runs:
            await asyncio.sleep(settings.TICK_SECONDS)
            self._ensure_loops()
            for run in self._runs.values():
                run.check_deadlines()

    async def _tick_while_busy(self) -> None:
        while self._runs:
            await self._pause()
            try:
                await self._tick()
            except DatabaseTrouble as trouble:
                logger.warning("The journal could not be written (%s); its frames are kept.", told(trouble))
            except Exception:
                # The loop must go on: without renewed leases, other processes settle these generations.
                logger.exception("A tick failed.")

    async def _pause(self) -> None:
        """Waits until the next tick is due. That is at once when a generation of this process must stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.TICK_SECONDS):
                await self._stop_requested.wait()
        self._stop_requested.clear()

    def _on_stop(self, generation_id: uuid.UUID) -> None:
        """Redis has announced a request to stop a generation, which may run in another process."""
        if generation_id in self._runs:
            self._stop_requested.set()

    async def _tick(self) -> None:
        async with self._lock:
            batches, now = dict(self._unwritten()), time.monotonic()
            due = self._unrenewed(batches, now)
            if not batches:
                return
            try:
                held, has_written = await in_order(tick, self._worker, batches, due)
            except DatabaseTrouble:
                self._renewed.clear()  # the next tick renews all leases, even if it cannot write
                raise
            self._renewed |= dict.fromkeys(due, now)
            if has_written:
                self._written_at = time.monotonic()
            for pk, batch in batches.items():
                self._take(pk, batch, held, has_written=has_written)

    def _take(self, pk: uuid.UUID, batch: Batch, held: Mapping[uuid.UUID, str | None], *, has_written: bool) -> None:
        """Tells a run what the tick has done for it, and what it has read."""
        run = self._runs.get(pk)
        if run is None:
            return
        if pk not in held:
            run.fence()
            return
        if has_written:
            run.written += len(batch.frames)
        if reason := held[pk]:
            run.cancel(reason)

    def _unrenewed(self, live: Collection[uuid.UUID], now: float) -> list[uuid.UUID]:
        """The `live` generations whose leases are to be renewed. A new one is marked as running by that."""
        self._renewed = {pk: at for pk, at in self._renewed.items() if pk in live}
        seconds = settings.LEASE_SECONDS / RENEWALS_PER_LEASE
        return [pk for pk in live if now - self._renewed.get(pk, -math.inf) >= seconds]

    def _unwritten(self) -> Iterator[tuple[uuid.UUID, Batch]]:
        """Yields every live generation, with as many of its new frames as the tick may still write.

        The generations with the most unwritten frames come last, so that they do not delay the others.
        """
        room = 0 if self._mirror and self._mirror.is_enough() else MAX_BYTES_PER_TICK
        for pk, run in sorted(self._runs.items(), key=lambda each: each[1].log.last_seq - each[1].written):
            if run.is_live:
                batch = run.unwritten(room)
                room -= batch.size
                yield pk, batch
