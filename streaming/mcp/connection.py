"""The connection to one server: one task that holds sessions one after the other, and asks again when one has ended."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import logging
import random
from collections.abc import Callable
from typing import Any

from streaming.mcp.calls import AWAY, Call
from streaming.mcp.results import RemoteError
from streaming.mcp.servers import Server
from streaming.mcp.tools import RemoteTool

logger = logging.getLogger(__name__)

# Seconds before a server is asked again. The pause doubles with each try. Up to a quarter is added at random.
RETRY_SECONDS = 1.0
MAX_RETRY_SECONDS = 60.0
MOST_DOUBLINGS = 6  # more would not change the pause, and at last overflow
# A session that lasted for so long was a good one: the pauses begin anew, and its end is logged.
GOOD_SECONDS = 60.0
# How long a call waits for a server that is away. It keeps a place of `STREAMING_TOOL_CONCURRENCY` meanwhile.
AWAY_SECONDS = 10.0
# How long the end of the process waits for a server. The package closes a command's input, waits for two seconds,
# terminates it, waits for two seconds, and kills it.
CLOSE_SECONDS = 5.0


class Connection:
    """One server on one event loop. `on_list` gets the server's name and its tools, at first and after each change.

    `tried` is set when the first try has ended, well or not. `began` is the loop's time at which it began.
    """

    def __init__(self, server: Server, on_list: Callable[[str, tuple[RemoteTool, ...]], None]) -> None:
        self.server = server
        self.began = asyncio.get_running_loop().time()
        self._on_list = on_list
        self.tried = asyncio.Event()
        self._calls: asyncio.Queue[Call] = asyncio.Queue()
        self._is_open = False
        self._was_open = False
        self._outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wanted = asyncio.Event()
        self._failures = 0
        # A fresh context, because the current one belongs to the request that came first.
        self._task = asyncio.get_running_loop().create_task(self._hold_forever(), context=contextvars.Context())

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """Calls the server's tool. If the server was away, it is asked at once, and the call waits for that.

        Raises:
            RemoteError: the call failed.
        """
        if not self._is_open:
            self._wanted.set()
            if not await self._opens():
                raise RemoteError(AWAY)
        call = Call(tool, arguments)
        self._calls.put_nowait(call)
        return await call.result()

    @property
    def has_ended(self) -> bool:
        """True if the session is not held any more, and never will be."""
        return self._task.done()

    async def _opens(self) -> bool:
        """Waits for the end of the next try, for at most `AWAY_SECONDS`. Returns True if there is a session then."""
        if self._task.done():
            return False
        done, _ = await asyncio.wait((self._outcome,), timeout=AWAY_SECONDS)
        return bool(done) and self._is_open

    def cancel(self) -> None:
        """Begins to end the session. A command that was started ends, too."""
        self._task.cancel()

    async def close(self) -> None:
        """Ends the session."""
        self.cancel()
        await asyncio.wait((self._task,), timeout=CLOSE_SECONDS)

    async def _hold_forever(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            # A task group that fails at the same moment swallows a cancellation. The task still has the request for it.
            while not (task and task.cancelling()):
                began = loop.time()
                trouble = await self._hold()
                self._end_session(trouble, was_good=loop.time() - began >= GOOD_SECONDS)
                if not (task and task.cancelling()):
                    await self._pause()
        finally:
            self._give_up_calls()
            self._tell(is_open=False)

    async def _hold(self) -> BaseException | None:
        """Holds one session to its end. Returns the exception that ended it, if any."""
        try:
            # A thread imports the package, because that takes half a second.
            session = await asyncio.to_thread(importlib.import_module, "streaming.mcp.session")
            await session.hold(self.server, self._calls, self._listed)
        except Exception as trouble:  # of any kind: it is another program's, and must not end this task
            return _innermost(trouble)
        return None

    def _listed(self, tools: tuple[RemoteTool, ...]) -> None:
        self._on_list(self.server.name, tools)
        if not self._is_open:
            if self._failures:
                logger.info("MCP server %r answers again.", self.server.name)
            self._was_open = True
            self._tell(is_open=True)
        for name in self._misnamed(tools):
            logger.warning("The approval of MCP server %r names %r, which is not one of its tools.", *name)

    def _misnamed(self, tools: tuple[RemoteTool, ...]) -> list[tuple[str, str]]:
        asked = self.server.approval
        known = {tool.name for tool in tools}
        return [(self.server.name, name) for name in asked if name not in known] if isinstance(asked, tuple) else []

    def _tell(self, *, is_open: bool) -> None:
        """Tells the callers that wait how the try has ended."""
        self._is_open = is_open
        self.tried.set()
        self._outcome.set_result(is_open)
        self._outcome = asyncio.get_running_loop().create_future()

    def _end_session(self, trouble: BaseException | None, *, was_good: bool) -> None:
        """Gives up the calls that wait, if there was no session. Logs the first of several failures.

        It logs the type of the exception alone, because the text may contain secrets.
        """
        if not self._is_open:
            self._give_up_calls()
        self._failures = 1 if was_good else self._failures + 1
        if self._failures == 1:
            what = "was lost" if self._was_open else "cannot be reached"
            why = type(trouble).__name__ if trouble else "it ended"
            logger.warning("MCP server %r %s (%s). It is asked again from time to time.", self.server.name, what, why)
        self._tell(is_open=False)

    def _give_up_calls(self) -> None:
        while not self._calls.empty():
            self._calls.get_nowait().fail(RemoteError(AWAY))

    async def _pause(self) -> None:
        """Waits until the server is asked again: for the pause, or until a call waits for it."""
        if not self._calls.empty():  # it came when the last session had ended
            return
        seconds = min(RETRY_SECONDS * 2 ** min(self._failures - 1, MOST_DOUBLINGS), MAX_RETRY_SECONDS)
        self._wanted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds * random.uniform(1, 1.25)):  # noqa: S311  # spreads load, hides nothing
                await self._wanted.wait()


def _innermost(trouble: BaseException) -> BaseException:
    """Returns the first exception inside the groups that anyio makes."""
    while isinstance(trouble, BaseExceptionGroup):
        trouble = trouble.exceptions[0]
    return trouble
