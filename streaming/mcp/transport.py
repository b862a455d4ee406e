"""The two transports of a session, and the notices that a server sends over them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx2
import mcp_types as types
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from streaming.mcp.logs import keep_secret
from streaming.mcp.servers import Server

CONNECT_SECONDS = 30
"""The longest time for a connection over HTTP."""


class News:
    """The notices from a server that are not answers to calls.

    `ended` is set when its messages end, `changed` when its tools have changed. `has_forgotten` is True if it does not
    know the session any more, because it was started again.
    """

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.changed = anyio.Event()
        self.has_forgotten = False

    async def hear(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.changed.set()

    async def see(self, response: httpx2.Response) -> None:
        """Reads the status with which a server must answer requests of a session that it does not know."""
        request = response.request
        # Some servers have no GET: that 404 says nothing about the session.
        if response.status_code == 404 and request.method == "POST" and "mcp-session-id" in request.headers:
            self.has_forgotten = True


@asynccontextmanager
async def connected(server: Server, news: News) -> AsyncIterator[Any]:
    """The server's transport. It tells `news`."""
    async with AsyncExitStack() as stack:
        read, write = await stack.enter_async_context(await _transport(server, stack, news))
        yield _Watched(read, news), write


async def _transport(server: Server, stack: AsyncExitStack, news: News) -> Any:
    if server.command:
        # "replace", because with "strict" one byte that is not UTF-8 makes the package wait for ever.
        command = StdioServerParameters(
            command=server.command, args=list(server.args), env=server.env, encoding_error_handler="replace"
        )
        errors: Any = sys.__stderr__ or subprocess.DEVNULL
        return stdio_client(command, errlog=errors)
    keep_secret(server)
    # A server may be silent for as long as a call may take; the executor has the time limit of a call.
    timeout = httpx2.Timeout(CONNECT_SECONDS, read=None)
    client = httpx2.AsyncClient(headers=server.headers, timeout=timeout, event_hooks={"response": [news.see]})
    await stack.enter_async_context(client)
    return streamable_http_client(server.url, http_client=client)


class _Watched:
    """A stream of messages that tells `news` of its end."""

    def __init__(self, stream: Any, news: News) -> None:
        self._stream = stream
        self._news = news

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
            self._news.ended.set()
            raise

    async def __aenter__(self) -> _Watched:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *exc_info: Any) -> Any:
        return await self._stream.__aexit__(*exc_info)
