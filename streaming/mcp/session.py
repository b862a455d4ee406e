"""One session with a server, from the connection to its end. This module alone imports the package `mcp`.

A session belongs to the task that calls `hold`. Its calls run in a task group of that task, because the package's
cancel scopes must be left in the task that has entered them.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx2
import mcp_types as types
from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost

from streaming.mcp.calls import INVALID, LOST, Call
from streaming.mcp.results import RemoteError, output_of
from streaming.mcp.servers import Server
from streaming.mcp.tools import RemoteTool, remote_tool
from streaming.providers.redact import mask

CONNECT_SECONDS = 30
"""The longest time for a connection and its first list of tools. A command may have to be downloaded first."""

MAX_PAGES = 100
"""The number of pages of a list of tools that are read."""

LISTEN_SECONDS = 5
"""The pause before a subscription to changes is made again. Servers and proxies end them from time to time."""

SESSION_GONE = "Session terminated"
"""The error with which the package reports that a server has forgotten the session, because it was started again."""


def _without_traceback(record: logging.LogRecord) -> bool:
    """Removes the exception from a log record. It shows what a command printed, which may contain secrets."""
    record.exc_info = None
    return True


logging.getLogger(stdio_client.__module__).addFilter(_without_traceback)

logger = logging.getLogger(__name__)
Listed = Callable[[tuple[RemoteTool, ...]], None]


async def hold(server: Server, calls: asyncio.Queue[Call], listed: Listed) -> None:
    """Connects, reports the tools to `listed` now and after each change, and executes `calls` until the session ends.

    Raises:
        TimeoutError: the server did not answer in time.
        Exception: the connection could not be made, or broke. The exception may contain secrets.
    """
    ended, changed = anyio.Event(), anyio.Event()

    async def noted(message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            changed.set()

    with anyio.CancelScope(deadline=anyio.current_time() + CONNECT_SECONDS) as limit:
        async with Client(_watched(server, ended), message_handler=noted, cache=None) as client:
            listed(await _tools(server, client))
            limit.deadline = math.inf
            await _Session(server, client, listed, ended, changed).serve(calls)
    if limit.cancelled_caught:
        raise TimeoutError


class _Session:
    """The tasks of one session. `ended` is set when the server's messages end, `changed` when its tools changed."""

    def __init__(
        self, server: Server, client: Client, listed: Listed, ended: anyio.Event, changed: anyio.Event
    ) -> None:
        self._server = server
        self._client = client
        self._listed = listed
        self._ended = ended
        self._changed = changed
        self._can_answer = anyio.Event()

    async def serve(self, calls: asyncio.Queue[Call]) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_with_the_server, group)
            group.start_soon(self._list_again)
            group.start_soon(self._listen)
            group.start_soon(self._load)
            while True:
                group.start_soon(self._answer, await calls.get())

    async def _end_with_the_server(self, group: Any) -> None:
        await self._ended.wait()
        group.cancel_scope.cancel()

    async def _load(self) -> None:
        """Imports what the package would import at the first call. That would block the event loop, for seconds."""
        await anyio.to_thread.run_sync(importlib.import_module, "jsonschema")
        self._can_answer.set()

    async def _list_again(self) -> None:
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            try:
                self._listed(await _tools(self._server, self._client))
            except MCPError:
                logger.warning("The new tools of MCP server %r are unknown.", self._server.name)

    async def _listen(self) -> None:
        """Subscribes to changes of the tools. Servers with an older version of the protocol tell them unasked."""
        while True:
            try:
                async with self._client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._changed.set()
            except (ListenNotSupportedError, MCPError):
                return
            except (SubscriptionLost, TimeoutError):
                pass
            await anyio.sleep(LISTEN_SECONDS)
            self._changed.set()  # there may have been a change in the meantime

    async def _answer(self, call: Call) -> None:
        with anyio.CancelScope() as scope:
            call.on_abandon(scope.cancel)
            try:
                await self._can_answer.wait()
                call.give(output_of(await self._client.call_tool(call.tool, call.arguments)))
            except RemoteError as told:
                call.fail(told)
            except MCPError as error:
                call.fail(RemoteError(self._meaning(error)))
            except (RuntimeError, ValueError):  # the package's own check of the result, or pydantic's
                call.fail(RemoteError(INVALID))
            finally:
                call.fail(RemoteError(LOST))  # does nothing if there is a result

    def _meaning(self, error: MCPError) -> str:
        """The text of an error for the model. The session ends if the server does not know it any more."""
        is_gone = error.message == SESSION_GONE
        if is_gone:
            self._ended.set()
        return LOST if is_gone or error.code == types.CONNECTION_CLOSED else mask(error.message)


async def _tools(server: Server, client: Client) -> tuple[RemoteTool, ...]:
    found: list[RemoteTool] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [remote_tool(server, tool) for tool in page.tools]
        if (cursor := page.next_cursor) is None:
            break
    return tuple(found)


@asynccontextmanager
async def _watched(server: Server, ended: anyio.Event) -> AsyncIterator[Any]:
    """The server's transport. It sets `ended` when the server's messages end."""
    async with AsyncExitStack() as stack:
        read, write = await stack.enter_async_context(await _transport(server, stack))
        yield _Watched(read, ended), write


async def _transport(server: Server, stack: AsyncExitStack) -> Any:
    if server.command:
        # "replace", because with "strict" one byte that is not UTF-8 makes the package wait for ever.
        command = StdioServerParameters(
            command=server.command, args=list(server.args), env=server.env, encoding_error_handler="replace"
        )
        errors: Any = sys.__stderr__ or subprocess.DEVNULL
        return stdio_client(command, errlog=errors)
    # A server may be silent for as long as a call may take; the executor has the time limit of a call.
    timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)
    client = await stack.enter_async_context(httpx2.AsyncClient(headers=server.headers, timeout=timeout))
    return streamable_http_client(server.url, http_client=client)


class _Watched:
    """A stream of messages that sets `ended` at its end."""

    def __init__(self, stream: Any, ended: anyio.Event) -> None:
        self._stream = stream
        self._ended = ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def receive(self) -> Any:
        try:
            return await self._stream.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._ended.set()
            raise

    async def __aenter__(self) -> _Watched:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> Any:
        return await self._stream.__aexit__(*exc_info)
