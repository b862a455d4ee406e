"""The tool executor: it executes tool calls, a limited number at once, each with a time limit."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

import msgspec
from django.utils.functional import Promise

from streaming.conf import settings
from streaming.database import close_connections
from streaming.protocol import ToolCall, ToolResult
from streaming.protocol.nesting import MAX_NESTING, is_too_deep
from streaming.tools.tool import Tool, ToolContext, ToolError

logger = logging.getLogger(__name__)

# Error texts for the model. It may call the tool again, or tell the person.
FAILED = "The tool failed."
TOO_SLOW = "The tool took too long and was given up; it may have had its effect."
BROKEN_OFF = "The call was broken off; it may have had its effect."
TOO_LARGE = "The tool's output is too large: {size} characters, at most {limit} are taken."
TOO_DEEP = f"The tool's output is nested too deep: more than {MAX_NESTING} levels."
NO_JSON = "The tool gave something that is not JSON."


class ToolEnded(Exception):
    """A tool raised an exception that would end more than its call: SystemExit, StopIteration, or a BaseException."""

    def __init__(self, raised: BaseException) -> None:
        super().__init__(repr(raised))
        self.__cause__ = raised


class ToolExecutor:
    """Executes the calls of all generations of one supervisor, at most `STREAMING_TOOL_CONCURRENCY` at once."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(settings.TOOL_CONCURRENCY)

    async def execute(self, tool: Tool, call: ToolCall, context: ToolContext) -> ToolResult:
        """Executes a call. A failure becomes a result with `is_error`; only CancelledError is raised."""
        try:
            work = tool.bound(call.arguments or {}, context)
        except msgspec.ValidationError as misfit:
            return failure(call, f"The arguments do not fit: {misfit}.")
        seconds = settings.TOOL_SECONDS if tool.seconds is None else tool.seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                output = await (self._awaited(work) if tool.is_async else self._in_thread(work))
                if inspect.isawaitable(output):  # of an async function behind a decorator that is not async
                    output = await self._awaited(lambda: output)
        except ToolError as told:
            return failure(call, str(told))
        except Exception as trouble:
            if isinstance(trouble, TimeoutError) and limit.expired():
                logger.warning("Tool %s was given up after %g seconds.", tool.name, seconds)
                return failure(call, TOO_SLOW)
            logger.exception("Tool %s failed.", tool.name)
            return failure(call, FAILED)
        return _result(tool, call, output)

    async def asks_first(self, tool: Tool, call: ToolCall) -> bool:
        """Returns True if a person must approve the call. Only CancelledError is raised.

        A call with wrong arguments needs no approval, because it cannot be executed.
        """
        rule = tool.needs_approval
        try:
            given = tool.given(call.arguments or {})
        except msgspec.ValidationError:
            return False
        if not callable(rule):
            return rule
        try:
            async with asyncio.timeout(settings.TOOL_SECONDS):
                return bool(await self._in_thread(functools.partial(rule, given)))
        except Exception:
            # A rule that fails must not let a call through.
            logger.exception("The approval rule of tool %s failed, so a person is asked.", tool.name)
            return True

    async def _awaited(self, work: Callable[[], Any]) -> Any:
        async with self._places:
            try:
                return await work()
            except SystemExit as raised:  # it would end the server's loop
                raise ToolEnded(raised) from raised

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        """Runs `work` in a thread of its own. A thread cannot be stopped, so it keeps its place until it ends.

        The thread is a daemon, so a tool that hangs does not keep the process from ending.
        """
        await self._places.acquire()
        loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
        context = contextvars.copy_context()
        target = functools.partial(context.run, _report, work, loop, self._places, done)
        try:
            threading.Thread(target=target, name="streaming-tool", daemon=True).start()
        except RuntimeError:  # the process has too many
            self._places.release()
            raise
        return await done


def failure(call: ToolCall, text: str) -> ToolResult:
    """Returns the result of a failed call. `text` is for the model. It is cut to the length that an output may have."""
    most = settings.MAX_TOOL_OUTPUT_CHARS
    return ToolResult(call_id=call.id, output=text if len(text) <= most else f"{text[: most - 1]}…", is_error=True)


def _report(
    work: Callable[[], Any], loop: asyncio.AbstractEventLoop, places: asyncio.Semaphore, done: asyncio.Future[Any]
) -> None:
    """Does the work and hands its result to the loop, unless the loop has ended in the meantime."""
    output: Any = None
    trouble: Exception | None = None
    try:
        output = work()
    except StopIteration as raised:  # a future refuses it
        trouble = ToolEnded(raised)
    except Exception as raised:
        trouble = raised
    except BaseException as raised:
        trouble = ToolEnded(raised)
    finally:
        close_connections()  # they belong to this thread, which ends here

    def hand_over() -> None:
        places.release()
        if done.done():
            return
        if trouble is None:
            done.set_result(output)
        else:
            done.set_exception(trouble)

    with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits
        loop.call_soon_threadsafe(hand_over)


def _result(tool: Tool, call: ToolCall, output: Any) -> ToolResult:
    try:
        encoded = msgspec.json.encode(output, enc_hook=_plain).decode()
    except Exception:  # of any kind: a text may be made only when it is read
        logger.exception("The output of tool %s is not JSON.", tool.name)
        return failure(call, NO_JSON)
    if len(encoded) > settings.MAX_TOOL_OUTPUT_CHARS:
        return failure(call, TOO_LARGE.format(size=len(encoded), limit=settings.MAX_TOOL_OUTPUT_CHARS))
    plain = msgspec.json.decode(encoded)
    if is_too_deep(plain):
        return failure(call, TOO_DEEP)
    return ToolResult(call_id=call.id, output=plain)


def _plain(value: Any) -> Any:
    """Turns Django's lazy and safe texts into plain strings.

    Raises:
        TypeError: the value is no text.
    """
    if isinstance(value, str | Promise):
        return str.__str__(str(value))  # `str` alone returns a safe text unchanged
    raise TypeError(f"{type(value).__name__} is not JSON")
