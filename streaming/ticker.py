"""The ticker: brings what runs in a process to the journals, renews its leases, and hears who is to stop.

One writer for all generations of a process: a tick is one transaction, of few statements, for one as for a thousand.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping

from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_order
from streaming.journal import Batch
from streaming.journal.database import tick
from streaming.journal.mirror import Mirror
from streaming.journal.optional_redis import redis_journal
from streaming.runner import Run

logger = logging.getLogger(__name__)

# What one tick writes: its transaction must be over long before a lease is. The rest is the next tick's.
MAX_BYTES_PER_TICK = 8_000_000


class Ticker:
    """For `runs`, which come and go, of the process that is called `worker` in their rows."""

    def __init__(self, worker: str, runs: Mapping[uuid.UUID, Run]) -> None:
        self._lock = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._worker = worker
        self._runs = runs
        self._asked = asyncio.Event()
        redis = redis_journal()
        self._mirror = Mirror(redis, self._be_asked) if redis else None
        self._loops: dict[Callable[[], Coroutine[None, None, None]], asyncio.Task[None]] = {}

    def add(self, generation_id: uuid.UUID) -> None:
        """One of `runs` has begun."""
        if self._mirror:
            self._mirror.add(generation_id, self._runs[generation_id])
        self._see_to_loops()

    @contextlib.asynccontextmanager
    async def settling(self) -> AsyncIterator[None]:
        """Whoever settles a run does it in here, one at a time; no tick is then at work.

        They wait for each other first: a tick behind hundreds of them would renew leases too late.
        """
        async with self._turn, self._lock:
            yield

    async def idle(self) -> None:
        """Return when all that has ended is where its readers look for it."""
        if self._mirror:
            await self._mirror.idle()

    def _see_to_loops(self) -> None:
        for loop in (self._tick_while_busy, self._watch_while_busy):
            if loop not in self._loops or self._loops[loop].done():
                self._loops[loop] = asyncio.get_running_loop().create_task(loop(), context=contextvars.Context())

    async def _watch_while_busy(self) -> None:
        """Apart from the ticks, which may wait for the database, and may have been cancelled by whoever does that."""
        while self._runs:
            await asyncio.sleep(settings.TICK_SECONDS)
            self._see_to_loops()
            for run in self._runs.values():
                run.check_deadlines()

    async def _tick_while_busy(self) -> None:
        while self._runs:
            await self._pause()
            try:
                await self._tick()
            except DatabaseTrouble as trouble:
                logger.warning("The journal could not be written (%s); its frames are kept.", type(trouble).__name__)
            except Exception:
                # Whatever it was, leases have to be renewed: without them others call these generations dead.
                logger.exception("A tick failed.")

    async def _pause(self) -> None:
        """Until the next tick, which comes early when a generation of ours was asked to stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.TICK_SECONDS):
                await self._asked.wait()
        self._asked.clear()

    def _be_asked(self, generation_id: uuid.UUID) -> None:
        if generation_id in self._runs:
            self._asked.set()

    async def _tick(self) -> None:
        async with self._lock:
            batches = dict(self._due())
            if not batches:
                return
            held, has_written = await in_order(tick, self._worker, batches)
            for pk, batch in batches.items():
                run = self._runs.get(pk)
                if run is None:
                    continue
                if pk not in held:
                    run.fence()
                    continue
                if has_written:
                    run.written += len(batch.frames)
                if reason := held[pk]:
                    run.cancel(reason)

    def _due(self) -> Iterator[tuple[uuid.UUID, Batch]]:
        """All that runs, each with as many of its new frames as the tick has room for; who lags most comes last."""
        room = 0 if self._mirror and self._mirror.is_enough() else MAX_BYTES_PER_TICK
        for pk, run in sorted(self._runs.items(), key=lambda each: each[1].log.last_seq - each[1].written):
            if run.is_live:
                batch = run.unwritten(room)
                room -= batch.size
                yield pk, batch
