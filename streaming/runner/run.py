"""The run of one generation: reads the provider until the end or a cancel, then settles the row.

A separate task reads the provider and executes tools. A cancel interrupts that task at any await and so closes the
provider's connection at once; the run itself continues and settles what arrived.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_database, in_order, told, trouble_of
from streaming.journal import Batch, LiveLog, Opening
from streaming.models import Generation, Status
from streaming.protocol.ui_stream import frame
from streaming.runner.draft import Draft
from streaming.runner.ending import DELETED, INTERRUPTED, Ending, cancelled, ending_of, expired
from streaming.runner.unread import stays_unread
from streaming.settlement import Settlement, alive, settle
from streaming.signals import announce, generation_settled

logger = logging.getLogger(__name__)

# Seconds between tries to settle. The last one repeats while the database is away.
SETTLE_RETRIES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
# Seconds that a stopped reading has to close its connections. If it goes on longer, it is cancelled again.
CLOSING_SECONDS = 2.0


class Run:
    """A generation in the process that runs it.

    `written` is the number of frames that the journal has. The run settles inside the context `settling`, during which
    no tick runs.
    """

    def __init__(
        self, generation: Generation, opening: Opening, settling: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        self.generation = generation
        self.log = LiveLog(on_unwatched=self._begin_abandoning)
        self.draft = Draft(opening, self.log)
        self.written = 0
        self._tried = 0
        self._took_ms = 0
        self._settling = settling
        self._reading: asyncio.Task[None] | None = None
        self._verdict: Ending | None = None
        self._cancelled_at = -math.inf
        self._abandoning: asyncio.Task[None] | None = None
        self._is_fenced = False
        self._is_settled = False

    async def run(self, read: Coroutine[Any, Any, None]) -> None:
        """Runs `read`, which fills the draft, until its end or a cancel; then settles the row. Raises nothing.

        Afterwards the generation is no longer in `alive`.
        """
        reading = self._reading = asyncio.create_task(read)
        if self._verdict:
            reading.cancel()
        await self._outlast(reading)
        self._took_ms = self.draft.duration_ms
        trouble = None if reading.cancelled() else reading.exception()
        ending = ending_of(self.draft.terminal, self._verdict, trouble)
        if trouble is not None:
            trouble.__traceback__ = None  # its frames hold the exception and the draft in memory
        if ending.status != Status.FINISHED:
            # When the process ends, a person can still answer an open question; another process continues the answer.
            self.draft.break_off(keeps_questions=ending.status == Status.INTERRUPTED)
        settling = asyncio.create_task(self._end(ending))
        await self._outlast(settling)
        alive.discard(self.generation.pk)
        self.log.close()
        if self._abandoning:
            self._abandoning.cancel()
        settling.result()

    async def _outlast(self, task: asyncio.Task[None]) -> None:
        """Waits until `task` ends.

        Only the end of the process cancels the run itself. The run then interrupts the reading and continues to wait.
        """
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:
                self.interrupt()

    def cancel(self, reason: str) -> None:
        """Stops reading the provider now. What arrived is stored."""
        self._break_off(cancelled(reason))

    def interrupt(self) -> None:
        """Stops reading because the process ends."""
        self._break_off(INTERRUPTED, patience=0)

    def fence(self) -> None:
        """Stops reading and writes nothing more: another process has settled this generation, or it was deleted."""
        self._is_fenced = True
        self._break_off(INTERRUPTED, patience=0)

    def check_deadlines(self) -> None:
        """Stops reading a provider that has passed a time limit."""
        if code := self.draft.overdue():
            self._break_off(expired(code))

    @property
    def is_live(self) -> bool:
        """True until the row is settled, by this process or another."""
        return not self._is_settled and not self._is_fenced

    @property
    def is_ours(self) -> bool:
        """True if this process has settled the row, or still can: then the log has the same frames as the row."""
        return not self._is_fenced and (self._is_settled or not self.log.is_closed)

    def unwritten(self, size: float = math.inf) -> Batch:
        """The frames that the journal does not have yet, up to the one that fills `size` bytes.

        The batch has at least the frames of the last try, because that try may have been committed although its result
        was lost.
        """
        frames = self.log.since(self.written, size)
        missing = self._tried - self.written - len(frames)
        if frames and missing > 0:
            frames += self.log.since(self.written + len(frames))[:missing]
        self._tried = max(self._tried, self.written + len(frames))
        return Batch(self.written + 1, frames)

    def _break_off(self, verdict: Ending, patience: float = CLOSING_SECONDS) -> None:
        """Stops reading. If it is called again, the first verdict counts, and cancels come `patience` seconds apart."""
        self._verdict, now = self._verdict or verdict, asyncio.get_running_loop().time()
        if self._reading and now - self._cancelled_at >= patience:
            self._cancelled_at = now
            self._reading.cancel()

    async def _end(self, ending: Ending) -> None:
        """Settles the row, then appends the closing chunks to the log."""
        try:
            closing = await self._settle_at_last(ending)
        except Exception:
            # Waiting would not help. Readers get an end; the lease runs out, and the reaper settles the row.
            logger.exception("Generation %s could not be settled.", self.generation.pk)
            closing = self._closing(INTERRUPTED)
        self.log.append(closing)

    async def _settle_at_last(self, ending: Ending) -> list[bytes]:
        """Settles the row, and tries again while the database is away. Returns the closing chunks."""
        delays = [*reversed(SETTLE_RETRIES)]
        while True:
            try:
                return await self._settle(ending)
            except DatabaseTrouble as trouble:
                if not delays and await self._is_database_there():
                    raise
                logger.warning("Settling generation %s: %s; trying again.", self.generation.pk, told(trouble))
                await asyncio.sleep(delays.pop() if delays else SETTLE_RETRIES[-1])

    async def _is_database_there(self) -> bool:
        """True if the database answers a query, even with an error. Then more tries do not help."""
        try:
            return await in_database(Generation.objects.filter(pk=self.generation.pk).exists)
        except DatabaseTrouble as trouble:
            kind = trouble_of(trouble)
            return kind is None or not kind.passes

    async def _settle(self, ending: Ending) -> list[bytes]:
        """Settles the row and returns the closing chunks. Readers get them after the commit."""
        async with self._settling():
            # Made here and not earlier: hundreds of runs may wait for `settling`, and each would hold its text twice.
            settlement = self._settlement(ending)
            settlement.apply(self.generation)
            closing = self.draft.closing(self.generation.outcome)
            last = self.log.last_seq
            frames = [*self.unwritten().frames, *(frame(seq, chunk) for seq, chunk in enumerate(closing, last + 1))]
            settled = await in_order(settle, self.generation, settlement, Batch(self.written + 1, frames))
            self._is_settled, self._is_fenced = True, not settled
        if settled:
            announce(generation_settled, self.generation.pk)
        return closing if settled else await self._overtaken()

    def _settlement(self, ending: Ending) -> Settlement:
        transcript = self.draft.transcript
        is_finished = ending.status == Status.FINISHED
        usage, is_estimated = (self.draft.usage, False) if is_finished else self.draft.usage_so_far()
        return Settlement(
            status=ending.status,
            parts=tuple(self.draft.parts),
            finish_reason=transcript.finish_reason or "" if is_finished else "",
            raw_finish_reason=transcript.raw_finish_reason or "" if is_finished else "",
            error_code=ending.code,
            error_detail=ending.detail,
            cancel_reason=ending.cancel_reason,
            usage=usage,
            is_usage_estimated=is_estimated,
            model=transcript.model or self.generation.model,
            attempts=self.generation.attempts,
            first_delta_ms=self.draft.first_delta_ms,
            duration_ms=self._took_ms,
            timeline=self.draft.timeline.entries,
        )

    async def _overtaken(self) -> list[bytes]:
        """The closing chunks for readers here when another process has settled the row, or somebody has deleted it."""
        is_there = await in_database(Generation.objects.filter(pk=self.generation.pk).exists)
        return self._closing(INTERRUPTED if is_there else DELETED)

    def _closing(self, ending: Ending) -> list[bytes]:
        """The closing chunks for readers here when the row does not get this run's own end."""
        self._settlement(ending).apply(self.generation)
        return self.draft.closing(self.generation.outcome)

    def _begin_abandoning(self) -> None:
        """Starts the wait for a new reader. It starts again when another reader has come and gone."""
        if self._abandoning:
            self._abandoning.cancel()
        seconds = settings.ABANDON_AFTER
        if seconds is not None:
            # A fresh context, because the current one belongs to the last reader's request.
            loop, context = asyncio.get_running_loop(), contextvars.Context()
            self._abandoning = loop.create_task(self._abandon_after(seconds), context=context)

    async def _abandon_after(self, seconds: float) -> None:
        if await stays_unread(self.generation.pk, self.log, seconds):
            self.cancel("abandoned")
