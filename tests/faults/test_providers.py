"""F16, F17, F18, F19, F29: providers that are slow, fail, send garbage, or quote secrets."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import pytest

from streaming.errors import PUBLIC_MESSAGES
from tests.faults import rows
from tests.faults.conftest import PROVIDER_PORT
from tests.faults.footprint import MEGABYTE, footprint
from tests.faults.stages import Stage, played_on
from tests.live.client import Stream, Visit, Visitor, assert_whole
from tests.live.wires import answer_wire, event, until_delta
from tests.peers import CUT, DROP, HANG, Peer, Reply, Step
from tests.servers import Site
from tests.serving import sockets

LIMIT = 2.5
TEXT = "One two three four."
BEGUN = "One two three "
OK = Reply(answer_wire("chat", TEXT))
SECRET = "sk-CANARY-of-the-provider-4711"


@pytest.fixture
def site(stage: Stage) -> Site:
    return stage.shared(
        STREAMING_FIRST_DELTA_SECONDS=LIMIT,
        STREAMING_STALL_SECONDS=LIMIT,
        STREAMING_HEARTBEAT_SECONDS=0.5,
    )


@pytest.fixture
def visitor(site: Site, visit: Visit) -> Visitor:
    return visit(site)


def _stored(visitor: Visitor) -> rows.Stored:
    (stored,) = rows.answers(visitor.site, visitor.key)
    return stored


STALLS: dict[str, tuple[Reply, str]] = {
    "no status": (Reply(delay=60), "timeout_first_delta"),
    "a status and silence": (Reply([HANG]), "timeout_first_delta"),
    "silence in mid-answer": (Reply([*until_delta("chat", TEXT, "three "), HANG]), "timeout_stall"),
}


@pytest.mark.fault("F16")
@pytest.mark.parametrize("name", STALLS)
@played_on("uvicorn sqlite")
async def test_silent_provider_is_given_up_in_time(visitor: Visitor, peer: Peer, name: str, figure: Any) -> None:
    reply, code = STALLS[name]
    peer.answers(reply)
    began = time.monotonic()
    answering = asyncio.create_task(_whole_answer(visitor))
    await peer.asked()
    if code == "timeout_stall":  # it counts from the last piece, and the first answer of a site must load the SDK
        began = time.monotonic()
    stream = await answering
    took = time.monotonic() - began
    assert LIMIT <= took < LIMIT + 1, f"{took:.1f} s"
    await peer.requests[0].gone()
    assert len(peer.requests) == 1
    _assert_failed(visitor, stream, code, BEGUN if code == "timeout_stall" else "")
    assert len(stream.heartbeats) >= 2
    figure(limit_s=LIMIT, given_up_after_s=round(took, 1), code=code)


async def _whole_answer(visitor: Visitor) -> Stream:
    return await (await visitor.ask("Hello?")).whole()


@pytest.fixture
async def deaf() -> AsyncIterator[None]:
    """A port that accepts no connection any more, because its queue is full."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", PROVIDER_PORT))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", PROVIDER_PORT))
        yield
        for each in waiting:
            each.close()


@pytest.mark.fault("F16")
@played_on("uvicorn sqlite")
async def test_provider_that_takes_no_connection_is_given_up_in_time(visitor: Visitor, deaf: None, figure: Any) -> None:
    began = time.monotonic()
    stream = await (await visitor.ask("Hello?")).whole()
    took = time.monotonic() - began
    assert LIMIT <= took < LIMIT + 1, f"{took:.1f} s"
    _assert_failed(visitor, stream, "timeout_first_delta", "")
    figure(limit_s=LIMIT, given_up_after_s=round(took, 1), code="no connection")


def _assert_failed(visitor: Visitor, stream: Stream, code: str, text: str) -> None:
    assert_whole(stream)
    assert stream.chunks[-1] == {"type": "error", "errorText": PUBLIC_MESSAGES[code]}
    stored = _stored(visitor)
    assert (stored.status, stored.error_code, stored.text, stream.text) == ("failed", code, text, text)


def _refusal(status: int, **headers: str) -> Reply:
    body = json.dumps({"error": {"message": "Not now.", "type": "server_error"}}).encode()
    return Reply([body], status, headers, "application/json")


PASSING: dict[str, Reply] = {
    "429 with a time": _refusal(429, **{"retry-after": "1"}),
    "500": _refusal(500),
    "502": _refusal(502),
    "529": _refusal(529),
    "reset": Reply([DROP]),
    "cut": Reply([CUT]),
}


@pytest.mark.fault("F17")
@pytest.mark.parametrize("name", PASSING)
@played_on("daphne sqlite")
async def test_failure_before_the_first_word_is_tried_again(
    visitor: Visitor, peer: Peer, name: str, figure: Any
) -> None:
    peer.answers(PASSING[name], OK)
    began = time.monotonic()
    stream = await (await visitor.ask("Hello?")).whole()
    took = time.monotonic() - began
    assert_whole(stream)
    stored = _stored(visitor)
    assert (stream.text, stored.text, stored.status) == (TEXT, TEXT, "finished")
    assert stored.attempts == len(peer.requests) == 2
    assert took >= (1 if "429" in name else 0.5)
    figure(failure=name, calls=2, answered_after_s=round(took, 1))


@pytest.mark.fault("F17")
@played_on("daphne sqlite")
async def test_tries_have_an_end(visitor: Visitor, peer: Peer) -> None:
    peer.answers(_refusal(529))
    stream = await (await visitor.ask("Hello?")).whole()
    _assert_failed(visitor, stream, "overloaded", "")
    assert _stored(visitor).attempts == len(peer.requests) == 3


BREAKS: dict[str, tuple[Sequence[Step], str]] = {
    "reset": ([DROP], "connection_lost"),
    "cut": ([CUT], "connection_lost"),
    "an error in the stream": (
        [event({"error": {"message": "Busy.", "type": "server_error", "code": "server_overloaded"}})],
        "overloaded",
    ),
    "an unknown error in the stream": ([event({"error": {"message": "Oops.", "type": "oops"}})], "provider_error"),
}


@pytest.mark.fault("F18")
@pytest.mark.parametrize("name", BREAKS)
@played_on("uvicorn postgres")
async def test_failure_after_the_first_word_is_never_tried_again(
    visitor: Visitor, peer: Peer, name: str, figure: Any
) -> None:
    steps, code = BREAKS[name]
    peer.answers(Reply([*until_delta("chat", TEXT, "three "), 0.1, *steps]), OK)
    stream = await (await visitor.ask("Hello?")).whole()
    await asyncio.sleep(1)
    assert_whole(stream)
    assert stream.chunks[-1] == {"type": "error", "errorText": PUBLIC_MESSAGES[code]}
    stored = _stored(visitor)
    assert stored.status == ("truncated" if code == "connection_lost" else "failed")
    assert (stored.error_code, stored.text, stream.text, stored.attempts) == (code, BEGUN, BEGUN, 1)
    assert len(peer.requests) == 1
    figure(failure=name, calls=1)


def _delta(text: str) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


class Garbage(NamedTuple):
    """A reply, and the status and text that it leads to."""

    pieces: Sequence[Step]
    status: str
    text: str


WIDE = _delta("世界").replace(b"\\u4e16\\u754c", "世界".encode())
END = answer_wire("chat", "")[1:]
DONE = b"data: [DONE]\n\n"
LONG = "x" * 5_000_000
GARBAGE = {
    "characters cut in two": Garbage([*(bytes([byte]) for byte in WIDE), *END], "finished", "世界"),
    "no UTF-8": Garbage([_delta("aQb").replace(b"Q", b"\xff"), *END], "finished", "a\ufffdb"),
    "half a character": Garbage([WIDE.replace(b'\x8c"', b'"'), *END], "finished", "世\ufffd"),
    "no JSON": Garbage([_delta("a"), b"data: {oops\n\n", _delta("b"), *END], "finished", "ab"),
    "a line of five megabytes": Garbage([_delta(LONG), *END], "finished", LONG),
    "no end": Garbage([_delta("a")], "truncated", "a"),
    "two ends": Garbage([_delta("a"), *END, DONE, _delta("b"), DONE], "finished", "a"),
    "nothing": Garbage([], "truncated", ""),
}


@pytest.mark.fault("F19")
@pytest.mark.parametrize("name", GARBAGE)
@played_on("daphne sqlite")
async def test_garbage_never_hangs_and_costs_no_text(visitor: Visitor, peer: Peer, name: str, figure: Any) -> None:
    case = GARBAGE[name]
    await visitor.http.get("/")
    before = footprint(visitor.site).memory
    peer.answers(Reply(case.pieces))
    async with asyncio.timeout(30):
        stream = await (await visitor.ask("Hello?")).whole()
    assert_whole(stream)
    stored = _stored(visitor)
    assert (stored.status, len(stored.text), len(stream.text)) == (case.status, len(case.text), len(case.text))
    assert stored.text == stream.text == case.text
    grown = (footprint(visitor.site).memory - before) / MEGABYTE
    assert grown < 100, f"{grown:.0f} MB"
    figure(case=name, status=case.status, grown_mb=round(grown))


LEAKS: dict[str, Reply] = {
    "in an error's body and headers": Reply(
        [json.dumps({"error": {"message": f"Incorrect API key provided: {SECRET}", "code": SECRET}}).encode()],
        401,
        {"x-request-key": SECRET, "www-authenticate": f"Bearer {SECRET}"},
        "application/json",
    ),
    "in an address": Reply([], 302, {"location": f"http://127.0.0.1:9/?api_key={SECRET}"}, "text/plain"),
    "in a stream": Reply([_delta("a"), event({"error": {"message": f"{SECRET} {SECRET}", "type": SECRET}})]),
    "in a status line's company": Reply([f"<h1>{SECRET}</h1>".encode()], 502, {"server": SECRET}, "text/html"),
}


@pytest.mark.fault("F29")
@pytest.mark.parametrize("is_debug", [False, True], ids=["", "DEBUG"])
@played_on("daphne sqlite redis")
async def test_secrets_turn_up_nowhere(stage: Stage, visit: Visit, peer: Peer, is_debug: bool, figure: Any) -> None:
    site = stage.shared(DEBUG=is_debug, STREAMING_PROVIDER_RETRIES=0)
    visitor = visit(site)
    seen: list[str] = []
    for number, reply in enumerate([*LEAKS.values(), *LEAKS.values()]):
        peer.answers(reply, reply)
        body = {"prompt": "Hello?", "id": f"leak-{number}"}
        response = await visitor.http.post("/api/chat", json=body)
        seen += [response.text, str(response.headers)]
        async with sockets.socket_of(visitor) as connection:
            await sockets.ask(connection, f"socket-{number}", "default")
            seen.append(json.dumps(await sockets.until(connection, "end")))
        seen.append((await visitor.http.get(f"/api/chat/leak-{number}")).text)
        peer.forget()
    tables = ("generation", "message", "conversation", "journalentry")
    seen += [str(rows.select(site, f"SELECT * FROM streaming_{table}")) for table in tables]
    for place in (*seen, site.log()):
        assert "CANARY" not in place, place
    assert len(peer.requests) >= 4 * len(LEAKS)
    figure(failures=len(peer.requests), debug=is_debug, places=len(seen) + 1, found=0)
