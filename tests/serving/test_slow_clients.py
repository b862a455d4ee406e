"""Clients that read slowly or not at all: memory does not grow, stuck clients are cut, slow ones are not."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from pathlib import Path

import pytest

from tests.live.client import Stream, Visit, Visitor, assert_whole
from tests.live.raw import TINY_BUFFER, RawConnection, is_cut
from tests.servers import Site
from tests.serving import sockets
from tests.serving.conftest import LOOPS, SERVERS, Start

MEGABYTE = 1_000_000
STUCK = 2.0
BIG_WORDS = 8000
READERS = 15
OpenReader = Callable[[Visitor], RawConnection]


def _memory(site: Site) -> int:
    """The bytes of RAM that the server's process uses."""
    status = Path(f"/proc/{site.serving_pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def _until(condition: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.05)


async def _grown_until_cut(site: Site, before: int, stuck: Sequence[socket.socket], within: float) -> int:
    """Waits until all connections are cut. Returns the most bytes by which the server has grown meanwhile."""
    most = before

    def are_cut() -> bool:
        nonlocal most
        most = max(most, _memory(site))
        return all(map(is_cut, stuck))

    await _until(are_cut, within)
    return most - before


async def _big_answer(visitor: Visitor) -> Visitor:
    """Begins an answer of 8 MB that stays open, and returns its visitor."""
    visitor.key = uuid.uuid4().hex
    stream = await visitor.ask("Hello?", "big")
    async for frame in stream:
        if frame.seq == BIG_WORDS:
            break
    await visitor.hang_up()
    return visitor


@pytest.fixture
def reader() -> Iterator[OpenReader]:
    """Opens readers of a big answer, with the smallest buffer that is possible."""
    with ExitStack() as opened:

        def open_one(visitor: Visitor) -> RawConnection:
            path = f"/api/chat/{visitor.key}/stream?after=0"
            connection = RawConnection(visitor.site, "GET", path, cookie=visitor.cookie, buffer=TINY_BUFFER)
            return opened.enter_context(closing(connection))

        yield open_one


@pytest.mark.fault("F14")
@pytest.mark.parametrize("server", [*SERVERS, *LOOPS])
async def test_client_that_does_not_read_costs_little_and_is_cut(
    server: str, shared: Start, visit: Visit, reader: OpenReader
) -> None:
    site = shared(server, STREAMING_STUCK_SECONDS=STUCK)
    visitor = await _big_answer(await visit(site).greet())
    warm_up = reader(visitor)
    await _until(lambda: is_cut(warm_up.socket), STUCK + 5)
    before, began = _memory(site), time.monotonic()
    stuck = [reader(visitor).socket for _ in range(READERS)]
    grown = await _grown_until_cut(site, before, stuck, STUCK + 5)
    assert time.monotonic() - began > STUCK / 2, "they had no time to read"
    assert grown < 2 * MEGABYTE * READERS, f"{grown / READERS / MEGABYTE:.1f} MB for each, of 8 MB"
    assert (await visitor.http.get("/")).status_code == 200


@pytest.mark.fault("F14")
@pytest.mark.parametrize("server", [*SERVERS, *LOOPS])
async def test_socket_that_does_not_read_costs_little_and_is_cut(
    server: str, shared: Start, visit: Visit, reader: OpenReader
) -> None:
    site = shared(server, STREAMING_STUCK_SECONDS=STUCK)
    visitor = await _big_answer(await visit(site).greet())
    async with AsyncExitStack() as opened:
        warm_up = await _stuck_socket(opened, visitor)
        await _until(lambda: is_cut(warm_up), STUCK + 10)
        before = _memory(site)
        stuck = [await _stuck_socket(opened, visitor) for _ in range(READERS)]
        grown = await _grown_until_cut(site, before, stuck, STUCK + 10)
    assert grown < 2 * MEGABYTE * READERS, f"{grown / READERS / MEGABYTE:.1f} MB for each, of 8 MB"
    assert await visitor.stop() == "stopping"


async def _stuck_socket(opened: AsyncExitStack, visitor: Visitor) -> socket.socket:
    connection = await opened.enter_async_context(sockets.socket_of(visitor, TINY_BUFFER))
    await sockets.resume(connection, visitor.key)
    plain: socket.socket = connection.transport.get_extra_info("socket")
    return plain


@pytest.mark.fault("F14")
@pytest.mark.parametrize("server", ["daphne", "uvicorn", "uvicorn-uvloop"])  # granian may keep such a rest
async def test_client_that_reads_nothing_is_cut_although_the_rest_of_the_answer_fits_the_servers_buffer(
    server: str, start: Start, visit: Visit
) -> None:
    """The answers differ in length by half of uvicorn's buffer. So one ends in the buffer, however much a kernel takes.

    An answer that the kernel takes as a whole leaves the process as well: it needs no connection any more.
    """
    site = start(server, STREAMING_STUCK_SECONDS=STUCK, STREAMING_MAX_STREAMS_PER_OWNER=1000)
    visitor = await _big_answer(await visit(site).greet())
    assert await visitor.stop() == "stopping"
    await visitor.follow()
    await visitor.hang_up()
    idle = site.open_sockets
    with ExitStack() as opened:
        for size in range(1_500_000, 3_500_000, 32_000):
            path = f"/api/chat/{visitor.key}/stream?after={BIG_WORDS - size // 1000}"
            one = RawConnection(site, "GET", path, cookie=visitor.cookie, buffer=TINY_BUFFER)
            opened.enter_context(closing(one))
        await _until(lambda: site.open_sockets > idle + 10, 10)
        await _until(lambda: site.open_sockets <= idle, STUCK + 60)
        assert site.stop() != -signal.SIGKILL


@pytest.mark.fault("F15")
@pytest.mark.parametrize("server", [*SERVERS, *LOOPS])
async def test_slow_client_is_not_cut(server: str, start: Start, visit: Visit, reader: OpenReader) -> None:
    """It reads slowly for three times as long as a stuck client has; then it reads the rest and has everything."""
    site = start(server, STREAMING_STUCK_SECONDS=1)
    visitor = await _big_answer(await visit(site).greet())
    slow = reader(visitor)
    await slow.until(b"\r\n\r\n")
    for _ in range(30):
        await asyncio.sleep(0.1)
        slow.received += await asyncio.get_running_loop().sock_recv(slow.socket, 4096)
    assert len(slow.received) < 0.3 * MEGABYTE
    assert await visitor.stop() == "stopping"
    stream = await Stream(_quickly(slow)).whole()
    assert_whole(stream)
    assert len(stream.text) == 1000 * BIG_WORDS


async def _quickly(reader: RawConnection) -> AsyncIterator[bytes]:
    reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)
    async for piece in reader.rest_of_body():
        yield piece
