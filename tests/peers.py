"""A scripted HTTP server on a real socket. It sends what a test says, when it says so, and sees when the client leaves.

    async def test_something(peer):
        peer.says(b'data: {"choices": …}\n\n', 0.1, HANG)                 # 200, text/event-stream
        peer.answers(Reply(status=429, headers={"retry-after": "7"}, steps=[b"{}"]))
        …a client talks to peer.url…
        request = peer.requests[0]                                        # .method .path .headers .json
        await request.gone(within=1)                                      # the client closed the connection

Replies are used in order, and the last one is repeated. The steps of a reply are bytes (sent as one chunk each),
numbers (seconds to wait), an `asyncio.Event` (wait until the test sets it), `HANG` (send nothing more until the client
leaves), `CUT` (close the connection inside the body) and `DROP` (reset it). Any other body ends properly. Every
connection carries one request.

Load the `peer` fixture with `pytest_plugins = ["tests.peers"]`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import pytest

HANG: Literal["hang"] = "hang"
CUT: Literal["cut"] = "cut"
DROP: Literal["drop"] = "drop"
Step = bytes | float | asyncio.Event | Literal["hang", "cut", "drop"]


@dataclass(frozen=True)
class Reply:
    """One reply. `delay` is the time before the status line, in seconds."""

    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    delay: float = 0

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Scripted"]
        fields = {"content-type": self.content_type, "transfer-encoding": "chunked", "connection": "close"}
        lines += [f"{name}: {value}" for name, value in (fields | self.headers).items()]
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Request:
    """A client's request.

    `left` is set when the client has gone. `sent` has the time of each piece that was sent to it, in monotonic seconds.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    left: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[float] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    async def gone(self, within: float = 1) -> None:
        """Waits until the client has closed the connection.

        Raises:
            TimeoutError: the connection is still open after `within` seconds.
        """
        await asyncio.wait_for(self.left.wait(), within)


class Peer:
    """The server, as an async context manager. `port` 0 means any free port."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self.requests: list[Request] = []
        self._replies: list[Reply] = []
        self._arrived = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def answers(self, *replies: Reply) -> None:
        """Adds replies for the next requests to the queue."""
        self._replies += replies

    def forget(self) -> None:
        """Empties the queue."""
        self._replies.clear()

    def says(self, *steps: Step) -> None:
        """Adds one stream of server-sent events to the queue."""
        self.answers(Reply(steps))

    def reply_to(self, request: Request) -> Reply:
        """The next reply of the queue. A subclass may choose one by the request."""
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    async def asked(self, times: int = 1, within: float = 5) -> Request:
        """Waits for request number `times`, counted from 1."""
        await _until(lambda: len(self.requests) >= times, self._arrived, within)
        return self.requests[times - 1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, backlog=1024)
        self.url = "http://{}:{}".format(*self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            # The peer cancels this task when it closes. asyncio's streams would report a cancelled task as an error.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read(reader)
        self.requests.append(request)
        self._arrived.set()
        reply = self.reply_to(request)
        watch = asyncio.create_task(_watch(reader, request))
        try:
            await asyncio.sleep(reply.delay)
            writer.write(reply.head())
            for step in reply.steps:
                await _take(step, request, writer)
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        except (BrokenPipeError, ConnectionResetError):  # a write may fail before `_watch` sees it
            request.left.set()
            raise
        finally:
            watch.cancel()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:]) if name}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)


async def _watch(reader: asyncio.StreamReader, request: Request) -> None:
    """Waits until the client leaves. It sends nothing more, so the next read returns only then."""
    with suppress(ConnectionError):
        await reader.read(1)
    request.left.set()


async def _take(step: Step, request: Request, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, bytes):
        writer.write(b"%x\r\n%b\r\n" % (len(step), step))
        await writer.drain()
        request.sent.append(time.monotonic())
    elif step == HANG:
        await request.left.wait()
    elif isinstance(step, asyncio.Event):
        await step.wait()
    elif step in (CUT, DROP):
        _break_off(writer, is_reset=step == DROP)
    else:
        await asyncio.sleep(float(step))


def _break_off(writer: asyncio.StreamWriter, *, is_reset: bool) -> None:
    """Closes the connection before the end of the body, with a FIN, or with a RST (a linger time of zero)."""
    if is_reset:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionAbortedError


async def _until(is_true: Callable[[], bool], changed: asyncio.Event, within: float) -> None:
    async with asyncio.timeout(within):
        while not is_true():
            changed.clear()
            await changed.wait()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A peer for one test."""
    async with Peer() as running:
        yield running
