"""The runner: one generation, from its first frame to the settled row.

The provider is read, and tools are executed, by a task of its own (`reading`), so that a cancel reaches it at any await
and closes the provider's connection at once, while the run itself lives on to settle what arrived.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_database, in_order
from streaming.draft import Draft
from streaming.ending import INTERRUPTED, Ending, cancelled, ending_of, expired
from streaming.journal import Batch, LiveLog
from streaming.journal.opening import Opening
from streaming.models import Generation
from streaming.models.generations import Status
from streaming.protocol.ui_stream import frame
from streaming.settlement import Settlement, alive, settle

logger = logging.getLogger(__name__)

# Seconds between tries to settle; the last again and again while the database is away.
SETTLE_RETRIES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


class Run:
    """A generation in the process that runs it. `written` counts the frames that the journal has.

    It ends within `settling`, which keeps the ticker away meanwhile.
    """

    def __init__(
        self, generation: Generation, opening: Opening, settling: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        self.generation = generation
        self.log = LiveLog(on_unwatched=self._unwatched)
        self.draft = Draft(opening, self.log)
        self.written = 0
        self._tried = 0
        self._took_ms = 0
        self._settling = settling
        self._reading: asyncio.Task[None] | None = None
        self._verdict: Ending | None = None
        self._abandoning: asyncio.Task[None] | None = None
        self._is_fenced = False
        self._is_settled = False

    async def run(self, read: Coroutine[Any, Any, None]) -> None:
        """Let `read` fill the draft to its end, or until cancelled, then settle. Raises nothing.

        It counts as `alive` until then.
        """
        reading = self._reading = asyncio.create_task(read)
        if self._verdict:
            reading.cancel()
        await self._outlast(reading)
        self._took_ms = self.draft.duration_ms
        trouble = None if reading.cancelled() else reading.exception()
        ending = ending_of(self.draft.terminal, self._verdict, trouble)
        if trouble is not None:
            trouble.__traceback__ = None  # which holds the frames that hold it, and the draft
        if ending.status != Status.FINISHED:
            # A process that ends takes nothing back: what it asked a person can still be answered.
            self.draft.break_off(keeps_questions=ending.status == Status.INTERRUPTED)
        settling = asyncio.create_task(self._end(ending))
        await self._outlast(settling)
        alive.discard(self.generation.pk)
        self.log.close()
        if self._abandoning:
            self._abandoning.cancel()
        settling.result()

    async def _outlast(self, task: asyncio.Task[None]) -> None:
        """Wait for `task` to end. Who cancels a run is ending the process, and is told when the row is settled."""
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:
                self.interrupt()

    def cancel(self, reason: str) -> None:
        """Stop reading the provider, now; what arrived is kept."""
        self._break_off(cancelled(reason))

    def interrupt(self) -> None:
        """The process is ending: stop reading, and say so."""
        self._break_off(INTERRUPTED)

    def fence(self) -> None:
        """Somebody else has settled this generation: stop, and write nothing more."""
        self._is_fenced = True
        self._break_off(INTERRUPTED)

    def check_deadlines(self) -> None:
        """Give up on a provider that is overdue."""
        if code := self.draft.overdue():
            self._break_off(expired(code))

    @property
    def is_live(self) -> bool:
        """Whether its row is still to be settled."""
        return not self._is_settled and not self._is_fenced

    @property
    def is_ours(self) -> bool:
        """Whether the log is what the row says, or will say."""
        return not self._is_fenced and (self._is_settled or not self.log.is_closed)

    def unwritten(self, size: float = math.inf) -> Batch:
        """The frames that the journal does not have yet, up to the one that fills `size` bytes.

        Not fewer than were tried before: that may have come through, and only its answer have been lost.
        """
        frames = self.log.since(self.written, size)
        missing = self._tried - self.written - len(frames)
        if frames and missing > 0:
            frames += self.log.since(self.written + len(frames))[:missing]
        self._tried = max(self._tried, self.written + len(frames))
        return Batch(self.written + 1, frames)

    def _break_off(self, verdict: Ending) -> None:
        """Stop reading; the first verdict is the one that counts."""
        self._verdict = self._verdict or verdict
        if self._reading:
            self._reading.cancel()

    async def _end(self, ending: Ending) -> None:
        delays = itertools.chain(SETTLE_RETRIES, itertools.repeat(SETTLE_RETRIES[-1]))
        for tries, delay in enumerate(delays):
            try:
                self.log.append(await self._settle(ending))
                return
            except DatabaseTrouble as trouble:
                if tries >= len(SETTLE_RETRIES) and await self._is_database_there():
                    logger.exception("Generation %s could not be settled.", self.generation.pk)
                    self.log.append(self._interrupted())
                    return
                logger.warning("Settling generation %s: %s; trying again.", self.generation.pk, type(trouble).__name__)
                await asyncio.sleep(delay)
            except Exception:
                # Nothing that waiting would cure. Readers get an end; the lease runs out, and the journal has the rest.
                logger.exception("Generation %s could not be settled.", self.generation.pk)
                self.log.append(self._interrupted())
                return

    async def _is_database_there(self) -> bool:
        """Whether waiting for it is vain: it is there, and does not take this."""
        try:
            return await in_database(Generation.objects.filter(pk=self.generation.pk).exists)
        except DatabaseTrouble:
            return False

    async def _settle(self, ending: Ending) -> list[bytes]:
        """The closing chunks, with the row settled before anybody sees them."""
        async with self._settling():
            settlement = self._settlement(ending)  # not before: hundreds may be waiting here, each with its text
            settlement.apply(self.generation)
            closing = self.draft.closing(self.generation.outcome)
            last = self.log.last_seq
            frames = [*self.unwritten().frames, *(frame(seq, chunk) for seq, chunk in enumerate(closing, last + 1))]
            settled = await in_order(settle, self.generation, settlement, Batch(self.written + 1, frames))
            self._is_settled, self._is_fenced = True, not settled
        return closing if settled else self._interrupted()

    def _settlement(self, ending: Ending) -> Settlement:
        transcript = self.draft.transcript
        is_finished = ending.status == Status.FINISHED
        return Settlement(
            status=ending.status,
            parts=tuple(self.draft.parts),
            finish_reason=transcript.finish_reason or "" if is_finished else "",
            raw_finish_reason=transcript.raw_finish_reason or "" if is_finished else "",
            error_code=ending.code,
            error_detail=ending.detail,
            cancel_reason=ending.cancel_reason,
            usage=self.draft.usage,
            model=transcript.model or self.generation.model,
            attempts=self.generation.attempts,
            first_delta_ms=self.draft.first_delta_ms,
            duration_ms=self._took_ms,
        )

    def _interrupted(self) -> list[bytes]:
        """What readers here are told when the row was settled elsewhere."""
        self._settlement(INTERRUPTED).apply(self.generation)
        return self.draft.closing(self.generation.outcome)

    def _unwatched(self) -> None:
        """Wait for somebody to come back; whoever came and went meanwhile begins the wait anew."""
        if self._abandoning:
            self._abandoning.cancel()
        seconds = settings.ABANDON_AFTER
        if seconds is not None:
            loop, context = asyncio.get_running_loop(), contextvars.Context()  # not that of the last reader's request
            self._abandoning = loop.create_task(self._abandon_after(seconds), context=context)

    async def _abandon_after(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if self._is_watched_here():
                return
            if await self._is_watched_elsewhere(max(seconds, settings.STUCK_SECONDS)):
                continue
            if not self._is_watched_here():  # again: somebody may have come meanwhile
                self.cancel("abandoned")
            return

    def _is_watched_here(self) -> bool:
        return bool(self.log.readers or self.log.is_closed)

    async def _is_watched_elsewhere(self, seconds: float) -> bool:
        """In doubt it is."""
        try:
            return await in_database(Generation.objects.filter(pk=self.generation.pk).watched_within(seconds).exists)
        except DatabaseTrouble:
            return True
