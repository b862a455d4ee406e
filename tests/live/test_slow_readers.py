"""Readers that stop reading: the answer continues, and each of them costs a socket's buffer, not the answer."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import ExitStack, closing
from pathlib import Path

from tests.live import rows
from tests.live.client import Stream, Visit, Visitor, assert_whole
from tests.live.conftest import StartSite
from tests.live.raw import TINY_BUFFER, RawConnection
from tests.live.wires import answer_wire
from tests.peers import Peer
from tests.servers import Site

# 3 MB of text are 4 MB of frames. A copy for each reader would be more than twice the bound. The heap's own changes,
# about 30 MB in total, are well below it.
WORDS, WORD = 20_000, "w" * 149 + " "
MANY, MOST_BYTES_EACH = 50, 2_000_000


async def test_stuck_readers_neither_stall_the_answer_nor_cost_memory(
    start_site: StartSite, visit: Visit, peer: Peer
) -> None:
    site = start_site("uvicorn", STREAMING_MAX_STREAMS_PER_OWNER=100)
    visitor = await visit(site).greet()
    _, one, many = [await _growth(visitor, gate, readers) for gate, readers in _scenes(peer, 1, 1, MANY)]
    assert (many - one) / MANY < MOST_BYTES_EACH


def _scenes(peer: Peer, *readers: int) -> list[tuple[asyncio.Event, int]]:
    """A big answer for each number of readers. A gate stops each after its first word."""
    scenes = [(asyncio.Event(), number) for number in readers]
    pieces = answer_wire("chat", WORD * WORDS)
    for gate, _ in scenes:
        peer.says(*pieces[:3], gate, b"".join(pieces[3:]))
    return scenes


async def _growth(visitor: Visitor, gate: asyncio.Event, readers: int) -> int:
    """The bytes by which the server grows while `readers` of a big answer do not read."""
    visitor.key = uuid.uuid4().hex
    await (await visitor.ask("Write!", "peer-chat")).until("text-delta")
    with ExitStack() as stuck:
        connections = [stuck.enter_context(closing(_stuck_reader(visitor))) for _ in range(readers)]
        for connection in connections:
            await connection.until(b"\r\n\r\n")
        await visitor.hang_up()
        before = _memory(visitor.site)
        gate.set()
        stored = await rows.settled(visitor.site, visitor.key, within=20)
        grown = _memory(visitor.site) - before
        assert (stored.status, len(stored.text)) == ("finished", len(WORD) * WORDS)
        await _catches_up(connections[0])
    return grown


def _stuck_reader(visitor: Visitor) -> RawConnection:
    path = f"/api/chat/{visitor.key}/stream"
    return RawConnection(visitor.site, "GET", path, cookie=visitor.cookie, buffer=TINY_BUFFER)


async def _catches_up(reader: RawConnection) -> None:
    """Checks that a reader that reads again has missed nothing."""
    stream = await Stream(reader.rest_of_body()).whole()
    assert_whole(stream)
    assert stream.text == WORD * WORDS


def _memory(site: Site) -> int:
    """The resident memory of the server's process, in bytes."""
    status = Path(f"/proc/{site.process.pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return 1024 * int(kilobytes)
