"""The supervisor: the generations that run in this process, from their submission to their end.

There is one per event loop (a server process has one loop). It owns the tasks; no request or consumer does, so closing
a connection ends a reader and not the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import uuid
from collections.abc import Collection, Coroutine
from typing import Any, Literal, TypeVar

from streaming.access import open_streams
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import Overloaded, TooManyRequests
from streaming.files import kept
from streaming.housekeeping import sweep_forever
from streaming.intake import accept
from streaming.journal.optional_redis import redis_journal
from streaming.models import Generation, Owner
from streaming.pending import Accepted, Sender, Start
from streaming.per_loop import PerLoop
from streaming.reading import Reading
from streaming.runner import Run
from streaming.settlement import alive, reap_one
from streaming.shutdown import Shutdown
from streaming.submission import Submission
from streaming.ticker import Ticker
from streaming.tools import Bench, Toolbox
from streaming.work import Work

# How long the end of a process waits for a row to be settled; with the database away, the lease does the rest.
SETTLE_SECONDS = 1.0
T = TypeVar("T")
StopAnswer = Literal["stopping", "finished", "not_running"]


class Supervisor:
    """`worker` names this supervisor in the rows it holds.

    Once it `is_draining` nothing new is started.
    """

    def __init__(self) -> None:
        self.worker = uuid.uuid4().hex
        self.is_draining = False
        self._is_out_of_time = False
        self._coming: dict[asyncio.Task[Any], str] = {}
        self._runs: dict[uuid.UUID, Run] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._bench = Bench()
        self._ticker = Ticker(self.worker, self._runs)
        self._sweeping: asyncio.Task[None] | None = None

    async def submit(
        self,
        owner: Owner,
        submission: Submission,
        *,
        toolbox: Toolbox | None = None,
        tool_choice: str | None = None,
    ) -> Generation:
        """Accept a message and start its answer; a message that was sent before gives the answer it has.

        Without a `toolbox`, the settings and the conversation say which tools there are.

        Whoever is waiting may vanish at any moment: once begun, this is done to the end.

        Raises:
            RequestError: and nothing was stored.
        """
        self.keep_house()
        if self.is_draining:
            raise Overloaded("This server is about to restart. Try again in a moment.")
        if len(self._runs) + len(self._coming) >= settings.MAX_ACTIVE_PER_PROCESS:
            raise Overloaded("This site is writing as many answers as it can. Try again in a moment.")
        ahead = [other for other, key in self._coming.items() if key == owner.key]
        sender = Sender(owner, self.worker, toolbox, len(ahead))
        submitting = self._detach(self._submit(sender, submission, tool_choice, ahead))
        self._coming[submitting] = owner.key
        submitting.add_done_callback(self._coming.pop)
        return await asyncio.shield(submitting)

    def find(self, generation_id: uuid.UUID) -> Run | None:
        """The run of a generation, if it is this process's."""
        return self._runs.get(generation_id)

    def cancel_all(self, reason: str) -> None:
        """Stop everything that runs here; what arrived is kept."""
        for run in self._runs.values():
            run.cancel(reason)

    def keep_house(self) -> None:
        """Begin to look for generations that died with their process; does nothing the second time."""
        if self._sweeping is None:
            self._sweeping = self._spawn(sweep_forever())

    async def idle(self) -> None:
        """Return when nothing runs any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._ticker.idle()

    async def drain(self, seconds: float) -> None:
        """Start nothing more, give what runs `seconds`, settle the rest as interrupted, and see the readers off.

        May be called again meanwhile: the shortest time counts.
        """
        self.is_draining = True
        await self._idle_within(0 if self._is_out_of_time else seconds)
        self._is_out_of_time = True
        for run in self._runs.values():
            run.interrupt()
        left = len(self._runs) + 1
        while len(self._runs) < left:
            left = len(self._runs)
            await self._idle_within(SETTLE_SECONDS)
        await open_streams().close()

    async def _idle_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()

    def _detach(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run `work` to its end, whoever goes away meanwhile."""
        task = self._spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """In a fresh context, so that it inherits no request's executor or connection."""
        return asyncio.get_running_loop().create_task(work, context=contextvars.Context())

    async def _submit(
        self, sender: Sender, submission: Submission, tool_choice: str | None, ahead: Collection[asyncio.Task[Any]]
    ) -> Generation:
        async with kept(sender.owner, submission) as submission:
            try:
                generation, start = await _accept(sender, submission)
            except TooManyRequests:
                if not ahead:
                    raise
                await asyncio.wait(ahead)  # not all may have been let in, and who has been is counted now
                generation, start = await _accept(sender._replace(ahead=0), submission)
        if start is not None:
            self._start(generation, start, tool_choice)
        return generation

    def _start(self, generation: Generation, start: Start, tool_choice: str | None) -> None:
        run = Run(generation, start.opening, self._ticker.settling)
        work = Work(generation, start.toolbox, self._bench)
        reading = Reading(generation, start.request(tool_choice), run.draft, work, start.due)
        self._runs[generation.pk] = run
        if self._is_out_of_time:
            run.interrupt()
        self._detach(run.run(reading.read())).add_done_callback(lambda _: self._runs.pop(generation.pk, None))
        self._ticker.add(generation.pk)


def _new_supervisor() -> Supervisor:
    supervisor = Supervisor()
    Shutdown(supervisor.drain).watch()
    return supervisor


_supervisors = PerLoop(_new_supervisor)


def current() -> Supervisor:
    """The supervisor of the running event loop."""
    return _supervisors.get()


async def _accept(sender: Sender, submission: Submission) -> Accepted:
    """As `accept`. What is new is alive at once: a busy event loop may hear of it later than a lease lasts."""
    new: list[uuid.UUID] = []

    def accept_alive() -> Accepted:
        accepted = accept(sender, submission)
        if accepted.start is not None:
            new.append(accepted.generation.pk)
            alive.update(new)
        return accepted

    try:
        return await in_database(accept_alive)
    except BaseException:
        alive.difference_update(new)  # nobody will run it
        raise


async def stop(generation_id: uuid.UUID, reason: str = "user") -> StopAnswer:
    """Ask whoever runs the generation to stop; the row says so before this returns.

    Its own process leaves the provider first. Asked in another one, the owner obeys at its next tick, or where there is
    Redis at once.
    """
    run = current().find(generation_id)
    is_here = run is not None and run.is_live
    if run is not None:
        run.cancel(reason)
    is_asked = await in_database(_request_cancel, generation_id, reason)
    if run is None and is_asked and (redis := redis_journal()):
        await redis.call_stop(generation_id)
    return "stopping" if is_here or is_asked else "finished"


def _request_cancel(generation_id: uuid.UUID, reason: str) -> bool:
    reap_one(generation_id)
    return Generation.objects.filter(pk=generation_id).request_cancel(reason)
