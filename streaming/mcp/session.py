"""One session with a server, from the connection to its end. Only this module and `transport` import the package `mcp`.

A session belongs to the task that calls `hold`. Its calls run in a task group of that task, because the package's
cancel scopes must be left in the task that has entered them.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import math
from collections.abc import Callable
from typing import Any

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.client import Client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost

from streaming.mcp.calls import AWAY, INVALID, LOST, Call
from streaming.mcp.results import RemoteError, output_of
from streaming.mcp.servers import Server
from streaming.mcp.tools import RemoteTool, remote_tool
from streaming.mcp.transport import News, connected
from streaming.providers.redact import mask

CONNECT_SECONDS = 30
"""The longest time for a connection and its first list of tools. A command may have to be downloaded first."""

MAX_PAGES = 100
"""The number of pages of a list of tools that are read."""

LEAVE_SECONDS = 10
"""The longest time for a farewell. A server that has forgotten the session may leave it unanswered. The package ends a
command within four seconds."""

LISTEN_SECONDS = 5
"""The pause before a subscription to changes is made again. Servers and proxies end them from time to time."""

LIST_SECONDS = 1
"""The pause after a list, so that a server that tells of changes all the time does not keep the process busy."""

logger = logging.getLogger(__name__)
Listed = Callable[[tuple[RemoteTool, ...]], None]


async def hold(server: Server, calls: asyncio.Queue[Call], listed: Listed) -> None:
    """Connects, reports the tools to `listed` now and after each change, and executes `calls` until the session ends.

    Raises:
        TimeoutError: the server did not answer in time, at the beginning or at the end.
        Exception: the connection could not be made, or broke. The exception may contain secrets.
    """
    news = News()
    with anyio.CancelScope(deadline=anyio.current_time() + CONNECT_SECONDS) as limit:
        async with Client(connected(server, news), message_handler=news.hear, cache=None) as client:
            listed(await _tools(server, client))
            limit.deadline = math.inf
            try:
                await _Session(server, client, calls, listed, news).serve()
            finally:
                limit.deadline = anyio.current_time() + LEAVE_SECONDS
    if limit.cancelled_caught:
        raise TimeoutError


class _Session:
    """The tasks of one session."""

    def __init__(self, server: Server, client: Client, calls: asyncio.Queue[Call], listed: Listed, news: News) -> None:
        self._server = server
        self._client = client
        self._calls = calls
        self._listed = listed
        self._news = news
        self._can_answer = anyio.Event()

    async def serve(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_with_the_server, group)
            group.start_soon(self._list_again)
            group.start_soon(self._listen)
            group.start_soon(self._load)
            while True:
                call = await self._calls.get()
                if self._news.ended.is_set():
                    self._give_back(call)
                    return
                # In the caller's context, so that the spans of both belong together.
                call.context.run(group.start_soon, self._answer, call)

    async def _end_with_the_server(self, group: Any) -> None:
        await self._news.ended.wait()
        group.cancel_scope.cancel()

    async def _load(self) -> None:
        """Imports what the package would import at the first call. That would block the event loop, for seconds."""
        await anyio.to_thread.run_sync(importlib.import_module, "jsonschema")
        self._can_answer.set()

    async def _list_again(self) -> None:
        while True:
            await self._news.changed.wait()
            self._news.changed = anyio.Event()
            try:
                self._listed(await _tools(self._server, self._client))
            except (MCPError, ValueError):  # ValueError is pydantic's, for a list of a wrong shape
                logger.warning("The new tools of MCP server %r are unknown.", self._server.name)
            await anyio.sleep(LIST_SECONDS)

    async def _listen(self) -> None:
        """Subscribes to changes of the tools. Servers with an older version of the protocol tell them unasked."""
        while True:
            try:
                async with self._client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._news.changed.set()
            except (ListenNotSupportedError, MCPError):
                return
            except (SubscriptionLost, TimeoutError):
                pass
            await anyio.sleep(LISTEN_SECONDS)
            self._news.changed.set()  # there may have been a change in the meantime

    async def _answer(self, call: Call) -> None:
        with anyio.CancelScope() as scope:
            call.on_abandon(scope.cancel)
            try:
                await self._can_answer.wait()
                call.give(output_of(await self._client.call_tool(call.tool, call.arguments)))
            except RemoteError as told:
                call.fail(told)
            except MCPError as error:
                self._refused(call, error)
            except Exception as trouble:  # of the package's own check of the result, or pydantic's
                logger.warning("A result of MCP server %r is invalid (%s).", self._server.name, type(trouble).__name__)
                call.fail(RemoteError(INVALID))
            except BaseException:  # the session ends, or nobody waits
                call.fail(RemoteError(LOST))
                raise

    def _refused(self, call: Call, error: MCPError) -> None:
        """Fails the call. If the server does not know the session any more, the next session takes the call."""
        if self._news.has_forgotten:
            self._news.ended.set()
            self._give_back(call)
        else:
            call.fail(RemoteError(LOST if error.code == types.CONNECTION_CLOSED else mask(error.message)))

    def _give_back(self, call: Call) -> None:
        """Leaves the call to the next session. The server has not heard it."""
        if call.may_go_back():
            self._calls.put_nowait(call)
        else:
            call.fail(RemoteError(AWAY))


async def _tools(server: Server, client: Client) -> tuple[RemoteTool, ...]:
    found: list[RemoteTool] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += [remote_tool(server, tool) for tool in page.tools]
        if (cursor := page.next_cursor) is None:
            return tuple(found)
    told = "The tools of MCP server %r fill more than %d pages. Those on later pages are left out."
    logger.warning(told, server.name, MAX_PAGES)
    return tuple(found)
