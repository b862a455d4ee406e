"""A server that is told to end: some answers finish, the rest are settled, and every reader gets an end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from typing import Any

import pytest

from streaming.testing import text_in
from tests.faults.scale import scaled
from tests.live import rows
from tests.live.client import Stream, Visit, Visitor, assert_whole
from tests.servers import Site
from tests.serving import sockets
from tests.serving.conftest import LOOPS, SERVERS, Start

pytestmark = pytest.mark.fault("F3")

DRAIN = 2.5
GRACE = 20.0  # a loaded machine is given its time
READERS = scaled(10, 25)  # of each kind
IN_WORKERS = ("uvicorn-workers", "granian-workers")
WRAPPED, BARE = "project.asgi:application", "tests.serving.bare:application"


async def _ended(site: Site, within: float) -> float:
    """Waits for the end of the server's process and returns the seconds."""
    began = time.monotonic()
    while site.process.poll() is None:
        assert time.monotonic() - began < within, site.log()
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def _drains(visitor: Visitor) -> None:
    """Waits until the process has begun to drain. With workers, uvicorn hands a signal on after half a second."""
    async with asyncio.timeout(30):
        while (await visitor.http.get("/streaming/health")).status_code == 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _open(visitor: Visitor, provider: str) -> tuple[str, Stream]:
    key = uuid.uuid4().hex
    stream = await visitor.ask("Hello?", provider, id=key)
    await stream.until("text-delta")
    return key, stream


def _status(stream: Stream) -> str:
    told = [chunk["messageMetadata"] for chunk in stream.chunks if "messageMetadata" in chunk]
    status: str = told[-1]["status"]
    return status


@pytest.mark.parametrize(
    ("server", "application"),
    [*((server, WRAPPED) for server in (*SERVERS, *LOOPS, *IN_WORKERS)), ("daphne", BARE)],
    ids=lambda value: value.partition(".")[0],
)
async def test_sigterm_lets_answers_finish_and_settles_the_rest(
    server: str, application: str, start: Start, visit: Visit, figure: Any
) -> None:
    site = start(server, application=application, STREAMING_DRAIN_SECONDS=DRAIN)
    visitor = await visit(site).greet()
    endless = [await _open(visitor, "endless") for _ in range(READERS)]
    brief = await asyncio.gather(*(_open(visitor, "brief") for _ in range(READERS)))
    unread, on_socket = uuid.uuid4().hex, uuid.uuid4().hex
    async with sockets.socket_of(visitor) as socket:
        await sockets.ask(socket, on_socket, "endless")
        seen = await sockets.until(socket, "text-delta")
        await sockets.ask(socket, unread, "brief", "r2")
        seen += await sockets.until(socket, "start-step")
        site.send_signal(signal.SIGTERM)
        ended = asyncio.create_task(_ended(site, DRAIN + GRACE))
        await _drains(visitor)
        refused = await visitor.http.post("/api/chat", json={"prompt": "Too late?"})
        took, *_ = await asyncio.gather(ended, *(stream.whole() for _, stream in [*endless, *brief]))
        while (seen[-1]["type"], seen[-1]["requestId"]) != ("end", "r1"):
            seen += await sockets.until(socket, "end")
    assert took > DRAIN - 0.2, "the server did not wait for running answers"
    assert (refused.status_code, "restart" in refused.text) == (503, True)
    for status, streams in {"interrupted": endless, "finished": brief}.items():
        for key, stream in streams:
            assert_whole(stream)
            assert _status(stream) == status
            stored = rows.answer(site, key)
            assert (stored.status, stored.text) == (status, stream.text)
    stored = rows.answer(site, on_socket)
    told = [frame["chunk"] for frame in seen if frame["type"] == "chunk" and frame["requestId"] == "r1"]
    assert (stored.status, stored.text) == ("interrupted", text_in(told))
    assert rows.answer(site, unread).status == "finished"
    figure(streams=2 * READERS + 2, drain_s=DRAIN, ended_after_s=round(took, 1))


@pytest.mark.parametrize(
    ("server", "second"), [("daphne", signal.SIGINT), ("uvicorn", signal.SIGTERM), ("granian", signal.SIGTERM)]
)
async def test_second_signal_ends_at_once(server: str, second: signal.Signals, start: Start, visit: Visit) -> None:
    site = start(server, STREAMING_DRAIN_SECONDS=60)
    visitor = await visit(site).greet()
    key, stream = await _open(visitor, "endless")
    site.send_signal(signal.SIGTERM)
    await _drains(visitor)
    assert site.process.poll() is None
    # Granian does not pass a second signal on. At a terminal its workers get it directly.
    os.kill(site.serving_pid, second)
    await asyncio.gather(_ended(site, GRACE), stream.whole())
    assert (_status(stream), rows.answer(site, key).status) == ("interrupted", "interrupted")


@pytest.mark.parametrize("server", ["uvicorn", "runserver"])
async def test_ctrl_c_settles_and_ends_at_once(server: str, start: Start, visit: Visit) -> None:
    site = start(server, STREAMING_DRAIN_SECONDS=60)
    visitor = await visit(site).greet()
    key, stream = await _open(visitor, "endless")
    site.send_signal(signal.SIGINT)
    await asyncio.gather(_ended(site, GRACE), stream.whole())
    assert rows.answer(site, key).text == stream.text


async def test_code_reload_settles_running_answers(start: Start, visit: Visit) -> None:
    """The reloader ends the process from its main thread, while the server's loop still runs in another one."""
    site = start("reloading", STREAMING_DRAIN_SECONDS=60)
    visitor = await visit(site).greet()
    key, stream = await _open(visitor, "endless")
    os.kill(site.serving_pid, signal.SIGTERM)  # Django's reloader then calls sys.exit, as after a changed file
    await asyncio.gather(_ended(site, GRACE), stream.whole())
    stored = rows.answer(site, key)
    assert (stored.status, stored.text) == ("interrupted", stream.text)


async def test_readers_of_another_process_are_sent_to_it(start: Start, visit: Visit) -> None:
    """A reader that reconnects by itself gets a clean end without `[DONE]`.

    Others get an error, because they would take a clean end for the end of the answer.
    """
    owner = start("uvicorn")
    other = start("uvicorn", database=f"sqlite:///{owner.database}")
    visitor = await visit(owner).greet()
    await (await visitor.ask("Hello?", "endless")).until("text-delta")
    elsewhere = visit(other, Cookie=visitor.cookie)
    elsewhere.key = visitor.key
    resuming = await elsewhere.follow(Accept="text/event-stream")
    stock = await elsewhere.follow()
    await asyncio.gather(resuming.until("text-delta"), stock.until("text-delta"))
    other.send_signal(signal.SIGTERM)
    with pytest.raises(AssertionError, match=r"not a frame.*errorText"):
        await stock.whole()
    async for _ in resuming:
        pass
    assert not resuming.is_done
    await _ended(other, GRACE)
    assert rows.answer(owner, visitor.key).status in ("pending", "running")
    again = await visitor.follow(f"?after={resuming.seqs[-1]}")
    await again.until("text-delta")
    assert [*resuming.seqs, *again.seqs] == list(range(1, again.seqs[-1] + 1))
