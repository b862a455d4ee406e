"""The supervisor owns the generations that run on an event loop, from their submission to their end."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import uuid
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from django.utils.translation import activate, get_language
from django.utils.translation import gettext as _

from streaming import mcp
from streaming.access import open_everywhere, open_streams
from streaming.conf import settings
from streaming.errors import Overloaded
from streaming.files import kept
from streaming.intake import Sender, Start, Submission
from streaming.journal import live_logs
from streaming.models import Generation, Owner, Status
from streaming.per_loop import PerLoop
from streaming.protocol import OutputSpec, ToolSpec
from streaming.providers import close_providers, open_breakers
from streaming.runner import Fitting, Run, Steps, ToolCalls, give_title, observed
from streaming.signals import wait_for_receivers
from streaming.supervisor.accepting import accepting
from streaming.supervisor.connections import close_with_the_loop
from streaming.supervisor.shutdown import Shutdown
from streaming.supervisor.sweeper import sweep_forever
from streaming.supervisor.ticker import Ticker
from streaming.telemetry import here, span, watch
from streaming.tools import Toolbox, ToolExecutor

# How long a process that ends waits for one more row to be settled. If the database is away, another process settles
# the rows when their leases have run out.
SETTLE_SECONDS = 1.0
T = TypeVar("T")


class Supervisor:
    """Starts, finds, stops and drains generations. `worker` is its name in the rows that it holds.

    Once it `is_draining`, it starts nothing new.
    """

    def __init__(self) -> None:
        self.worker = uuid.uuid4().hex
        self.is_draining = False
        self._is_out_of_time = False
        self._accepting: set[asyncio.Task[Any]] = set()
        self._runs: dict[uuid.UUID, Run] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._naming: set[asyncio.Task[None]] = set()
        self._executor = ToolExecutor()
        self._ticker = Ticker(self.worker, self._runs)
        self._background: tuple[asyncio.Task[None], ...] = ()

    async def submit(
        self,
        owner: Owner,
        submission: Submission,
        *,
        toolbox: Toolbox | None = None,
        client_tools: tuple[ToolSpec, ...] = (),
        tool_choice: str | None = None,
        output: OutputSpec | None = None,
        context: str = "",
    ) -> Generation:
        """Accepts a message and starts its answer. If the message was sent before, returns the generation that it has.

        Without a `toolbox`, the settings and the conversation decide which tools are offered. `client_tools` are
        offered beside them; the client executes them. With an `output`, the answer must be that object. The model
        gets `context` beside the question. The submission is completed even if the caller is cancelled.

        Raises:
            RequestError: the submission is refused, and nothing was stored.
        """
        self.ensure_sweeping()
        if self.is_draining:
            raise Overloaded(_("This server is about to restart. Try again in a moment."))
        if len(self._runs) + len(self._accepting) >= settings.MAX_ACTIVE_PER_PROCESS:
            raise Overloaded(_("This site is writing as many answers as it can. Try again in a moment."))
        sender = Sender(owner, self.worker, toolbox, output, client_tools, context)
        with span("submission", conversation=submission.key, provider=submission.provider):
            submitting = self._detach(self._submit(sender, submission, tool_choice, here()))
            self._accepting.add(submitting)
            submitting.add_done_callback(self._accepting.discard)
            return await asyncio.shield(submitting)

    @property
    def running(self) -> int:
        """The number of generations that run on this event loop."""
        return len(self._runs)

    @property
    def journal_lag_seconds(self) -> float:
        """The time for which frames have been waiting to be stored; 0 if none are waiting."""
        return self._ticker.lag_seconds

    def find(self, generation_id: uuid.UUID) -> Run | None:
        """The run of a generation; None if it does not run on this event loop."""
        return self._runs.get(generation_id)

    def cancel_all(self, reason: str) -> None:
        """Stops all generations that run here. What arrived is stored."""
        for run in self._runs.values():
            run.cancel(reason)

    def ensure_sweeping(self) -> None:
        """Starts the sweeper if it does not run yet, and begins to connect to the MCP servers."""
        if not self._background:
            mcp.connect()
            self._background = (self._spawn(sweep_forever()), self._spawn(close_with_the_loop()))

    async def idle(self) -> None:
        """Returns when nothing runs any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        await self._ticker.idle()

    async def drain(self, seconds: float) -> None:
        """Prepares the end of the process.

        It starts nothing more, lets generations run for `seconds`, settles the rest as interrupted, and ends all
        streams. It may be called again while it runs; the shorter time counts.
        """
        self.is_draining = True
        for naming in self._naming:
            naming.cancel()  # the first words stay the title
        await _within(0 if self._is_out_of_time else seconds, self.idle())
        self._is_out_of_time = True
        for run in self._runs.values():
            run.interrupt()
        left = len(self._runs) + 1
        while len(self._runs) < left:
            left = len(self._runs)
            await _within(SETTLE_SECONDS, self.idle())
        await open_streams().close()
        await mcp.close()
        await _within(SETTLE_SECONDS, close_providers())
        await asyncio.to_thread(wait_for_receivers, SETTLE_SECONDS)

    def _detach(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs `work` to its end, even if its caller is cancelled."""
        task = self._spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs `work` in a fresh context, so that it inherits no request's executor or connection.

        Only the language is the caller's: the answer's error message is written for the person who asked.
        """
        context = contextvars.Context()
        if language := get_language():
            context.run(activate, language)
        return asyncio.get_running_loop().create_task(work, context=context)

    async def _submit(
        self, sender: Sender, submission: Submission, tool_choice: str | None, asked_in: Any
    ) -> Generation:
        if sender.toolbox is None:
            await mcp.ready()
        async with kept(sender.owner, submission.key, submission.files) as files:
            submission = msgspec.structs.replace(submission, files=files)
            async with accepting(sender, submission) as (generation, start):
                if start is not None:
                    self._start(generation, start, tool_choice, asked_in)
        return generation

    def _start(self, generation: Generation, start: Start, tool_choice: str | None, asked_in: Any) -> None:
        """Starts a generation. `asked_in` is the telemetry's context of the request, the parent of its span."""
        run = Run(generation, start.opening, self._ticker.settling)
        calls = ToolCalls(generation, start.toolbox, self._executor)
        fitting = Fitting(generation, start.trail, run.draft)
        steps = Steps(generation, start.request(tool_choice), run.draft, calls, start.due, fitting)
        self._runs[generation.pk] = run
        live_logs()[generation.pk] = run.log
        if self._is_out_of_time:
            run.interrupt()
        running = self._detach(observed(run.run(steps.read()), generation, asked_in))
        running.add_done_callback(functools.partial(self._after, generation))
        self._ticker.add(generation.pk)

    def _after(self, generation: Generation, _running: asyncio.Task[None]) -> None:
        """Forgets a generation that has ended, and lets its conversation be named."""
        self._runs.pop(generation.pk, None)
        live_logs().pop(generation.pk, None)
        if settings.TITLES and not self.is_draining and generation.status == Status.FINISHED:
            naming = self._detach(give_title(generation.pk))
            self._naming.add(naming)
            naming.add_done_callback(self._naming.discard)


def _new_supervisor() -> Supervisor:
    supervisor = Supervisor()
    watch(running=_running, open_streams=open_everywhere, journal_lag=_journal_lag, open_breakers=open_breakers)
    Shutdown(supervisor.drain).install()
    return supervisor


_supervisors = PerLoop(_new_supervisor)


def _running() -> float:
    return sum(supervisor.running for _, supervisor in _supervisors.items())


def _journal_lag() -> float:
    return max((supervisor.journal_lag_seconds for _, supervisor in _supervisors.items()), default=0.0)


def current() -> Supervisor:
    """The supervisor of the running event loop."""
    return _supervisors.get()


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Awaits `work` for at most so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work
