"""The mirror: it copies the frames of this process's generations to Redis.

It has a task of its own and reads the live logs by number, as any reader does. So a Redis that hangs delays no
provider, no local reader and no write to the database.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from streaming.conf import settings
from streaming.journal.contract import Batch, JournalUnavailable
from streaming.journal.live import LiveLog

logger = logging.getLogger(__name__)

# The largest size of one generation's frames in one append, in bytes. Without it, a whole log would go to a Redis that
# has lost everything.
MAX_BYTES_PER_APPEND = 100_000
RETRY_SECONDS = 0.5
# The time between two writes to the database while Redis has the frames. If the process and Redis crash together, the
# frames of this time are lost.
CHECKPOINT_SECONDS = 2.0


class Source(Protocol):
    """A generation that runs in this process. `is_ours` is False once another process has settled it."""

    @property
    def log(self) -> LiveLog: ...
    @property
    def is_ours(self) -> bool: ...


class Target(Protocol):
    """The part of `RedisJournal` that the mirror uses."""

    def listen(self, on_stop: Callable[[uuid.UUID], None]) -> None: ...
    async def append(self, batches: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, int]: ...
    async def wake(self, numbers: Mapping[uuid.UUID, int]) -> None: ...


class Mirror:
    """Copies frames to `target`. `is_healthy` is False after a failed append.

    `on_stop` is called with each generation that another process asks to stop.
    """

    def __init__(self, target: Target, on_stop: Callable[[uuid.UUID], None]) -> None:
        self.is_healthy = False
        self._target = target
        self._on_stop = on_stop
        self._checkpoint = 0.0
        self._sources: dict[uuid.UUID, Source] = {}
        self._held: dict[uuid.UUID, int] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, generation_id: uuid.UUID, source: Source) -> None:
        """Copies a generation from now on until it ends."""
        self._sources[generation_id] = source
        self._held[generation_id] = 0
        self._target.listen(self._on_stop)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._copy_while_busy(), context=contextvars.Context())

    def is_enough(self) -> bool:
        """Returns True if the database needs no new frames at this tick, because Redis has them.

        Returns False at least once in `CHECKPOINT_SECONDS`.
        """
        now = time.monotonic()
        if self.is_healthy and now - self._checkpoint < CHECKPOINT_SECONDS:
            return True
        self._checkpoint = now
        return False

    async def idle(self) -> None:
        """Returns when every ended generation is copied or given up."""
        if self._task:
            await asyncio.wait((self._task,))

    async def _copy_while_busy(self) -> None:
        while self._sources:
            await asyncio.sleep(settings.REDIS_TICK_SECONDS)
            try:
                await self._copy()
            except JournalUnavailable as trouble:
                self._lose(trouble)
                await asyncio.sleep(RETRY_SECONDS)

    async def _copy(self) -> None:
        self._drop(pk for pk, source in self._sources.items() if not source.is_ours)
        batches = {pk: batch for pk in self._sources if (batch := self._unsent(pk)).frames}
        if batches:
            self._held.update(await self._target.append(batches))
            self.is_healthy = True
        ended = {pk: log.last_seq for pk, log in self._closed() if self._held[pk] >= log.last_seq}
        if ended:
            # The number after the last one: readers find no frame there, ask the database, and see that it has ended.
            await self._target.wake({pk: last_seq + 1 for pk, last_seq in ended.items()})
            self._drop(ended)

    def _unsent(self, generation_id: uuid.UUID) -> Batch:
        held = self._held[generation_id]
        return Batch(held + 1, self._sources[generation_id].log.since(held, MAX_BYTES_PER_APPEND))

    def _closed(self) -> list[tuple[uuid.UUID, LiveLog]]:
        return [(pk, source.log) for pk, source in self._sources.items() if source.log.is_closed]

    def _lose(self, trouble: JournalUnavailable) -> None:
        """Gives up the generations that have ended, because the database has their frames."""
        if self.is_healthy:
            logger.warning("Redis could not store frames (%s). Readers in other processes use the database.", trouble)
        self.is_healthy = False
        self._drop(pk for pk, _ in self._closed())

    def _drop(self, generation_ids: Iterable[uuid.UUID]) -> None:
        for generation_id in list(generation_ids):
            del self._sources[generation_id], self._held[generation_id]
