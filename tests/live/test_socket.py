"""The WebSocket, as the AI SDK's `WebSocketChatTransport` uses it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from streaming.testing import text_in
from tests.live import rows
from tests.live.client import Visit, Visitor
from tests.live.conftest import SERVERS, StartSite
from tests.live.providers import DIALECTS
from tests.servers import Site

Json = dict[str, Any]


class Socket:
    """One connection. `chunks` has those that have arrived so far, by request id."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.chunks: dict[str, list[Json]] = {}

    async def tell(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def send(self, visitor: Visitor, prompt: str, provider: str, request_id: str = "r1") -> None:
        message = {"id": f"{request_id}-message", "role": "user", "parts": [{"type": "text", "text": prompt}]}
        body = {"provider": provider}
        await self.tell(
            type="send",
            requestId=request_id,
            id=visitor.key,
            trigger="submit-message",
            messages=[message],
            headers={},
            body=body,
        )

    async def next(self) -> Json:
        """Returns the next reply. A chunk must have the next number of its request."""
        frame: Json = json.loads(await asyncio.wait_for(self.connection.recv(), 30))
        if frame["type"] == "chunk":
            chunks = self.chunks.setdefault(frame["requestId"], [])
            assert frame["sequence"] == len(chunks)
            chunks.append(frame["chunk"])
        return frame

    async def until(self, kind: str, count: int = 1, request_id: str = "r1") -> list[Json]:
        """Reads on until `count` chunks of this type have arrived, and returns all chunks of that request so far."""
        while sum(chunk["type"] == kind for chunk in self.chunks.get(request_id, [])) < count:
            await self.next()
        return self.chunks[request_id]

    async def whole(self, request_id: str = "r1") -> list[Json]:
        """Returns all chunks of a request, when it has ended."""
        while (frame := await self.next())["type"] != "end":
            assert frame["type"] == "chunk", frame
        assert frame["requestId"] == request_id
        assert frame["text"] == text_in(self.chunks[request_id])
        return self.chunks[request_id]


@asynccontextmanager
async def _socket(visitor: Visitor, origin: str | None = "", cookie: str | None = None) -> AsyncIterator[Socket]:
    """Opens a socket as a page of the site does. Without an `origin`, as a program that is no browser does."""
    site = visitor.site
    headers = {"Cookie": visitor.cookie if cookie is None else cookie}
    url = site.url.replace("http", "ws", 1) + "/ws/chat/"
    async with connect(
        url, origin=site.url if origin == "" else origin, additional_headers=headers, proxy=None
    ) as connection:
        yield Socket(connection)


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_answer_of_a_real_model_streams_over_a_socket(every_site: Site, visit: Visit, dialect: str) -> None:
    visitor = await visit(every_site).greet()
    async with _socket(visitor) as socket:
        await socket.send(visitor, "Tell me about the sea.", f"local-{dialect}")
        chunks = await socket.whole()
    assert [chunk["type"] for chunk in chunks][:3] == ["start", "start-step", "text-start"]
    assert chunks[-1]["type"] == "finish"
    stored = rows.answer(every_site, visitor.key)
    assert text_in(chunks) == stored.text != ""
    assert stored.status == "finished"


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_stop_sent_in_mid_answer_stops_a_real_model(every_site: Site, visit: Visit, dialect: str) -> None:
    visitor = await visit(every_site).greet()
    async with _socket(visitor) as socket:
        await socket.send(visitor, "Write a long story about the sea.", f"long-{dialect}")
        await socket.until("text-delta", 5)
        began = time.monotonic()
        await socket.tell(type="abort", requestId="r1")
        chunks = await socket.whole()
        assert time.monotonic() - began < 5
    assert [chunk["type"] for chunk in chunks][-4:] == ["text-end", "finish-step", "abort", "finish"]
    stored = rows.answer(every_site, visitor.key)
    assert stored.status == "cancelled"
    assert stored.text == text_in(chunks) != ""


async def test_second_socket_resumes_from_the_start(every_site: Site, visit: Visit) -> None:
    visitor = await visit(every_site).greet()
    async with _socket(visitor) as first, _socket(visitor) as second:
        await first.send(visitor, "Hello?", "slow")
        seen = len(await first.until("text-delta", 10))
        await second.tell(type="resume", requestId="r2", id=visitor.key, headers={})
        assert await second.next() == {"type": "start", "requestId": "r2"}
        replayed = await second.until("text-delta", 10, "r2")
        assert len(replayed) == seen, "the resumed socket has the same chunks as the first one"
        assert await visitor.stop() == "stopping"
        assert await first.whole() == await second.whole("r2")


async def test_closing_the_socket_is_not_a_stop(every_site: Site, visit: Visit) -> None:
    visitor = await visit(every_site).greet()
    async with _socket(visitor) as socket:
        await socket.send(visitor, "Hello?", "slow")
        await socket.until("text-delta", 3)
    await asyncio.sleep(0.3)
    async with _socket(visitor) as again:
        await again.tell(type="resume", requestId="r2", id=visitor.key, headers={})
        assert await again.next() == {"type": "start", "requestId": "r2"}
        await again.until("text-delta", 8, "r2")
        await again.tell(type="abort", requestId="r2")
        await again.whole("r2")


async def test_nothing_to_resume_is_said(every_site: Site, visit: Visit) -> None:
    visitor = await visit(every_site).greet()
    async with _socket(visitor) as socket:
        await socket.tell(type="resume", requestId="r1", id=visitor.key, headers={})
        assert await socket.next() == {"type": "no-active", "requestId": "r1"}


async def test_last_frame_says_what_was_sent_in_all(site: Site, visit: Visit) -> None:
    visitor = await visit(site).greet()
    async with _socket(visitor) as socket:
        await socket.send(visitor, "Hello?", "default")
        while (frame := await socket.next())["type"] != "end":
            pass
    assert (frame["text"], frame["status"], frame["finishReason"]) == ("Hello from the script.", "finished", "stop")
    assert frame["usage"] == {"inputTokens": 1, "outputTokens": 4}
    assert {name: frame[name] for name in socket.chunks["r1"][-1]["messageMetadata"]} == (
        socket.chunks["r1"][-1]["messageMetadata"]
    )


async def test_two_answers_share_a_socket(site: Site, visit: Visit) -> None:
    visitor, other = await visit(site).greet(), visit(site)
    async with _socket(visitor) as socket:
        await socket.send(visitor, "Hello?", "slow", "r1")
        await socket.until("text-delta", 2)
        await socket.send(other, "Hello?", "default", "r2")
        await socket.until("finish", 1, "r2")
        assert text_in(socket.chunks["r2"]) == "Hello from the script."
        await socket.tell(type="abort", requestId="r1")
        await socket.until("finish")


async def test_foreign_page_gets_no_socket(every_site: Site, visit: Visit) -> None:
    visitor = await visit(every_site).greet()
    with pytest.raises(InvalidStatus, match="403"):
        async with _socket(visitor, origin="http://evil.example"):
            pass


# With this setting, the origin validator of Channels accepts all origins.
ANY_HOST = {"ALLOWED_HOSTS": ["*"], "CSRF_TRUSTED_ORIGINS": ["https://friend.example"]}


@pytest.mark.fault("F28")
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
async def test_foreign_page_gets_no_socket_of_a_site_of_any_name(
    start_site: StartSite, visit: Visit, server: str, origin: str
) -> None:
    visitor = await visit(start_site(server, **ANY_HOST)).greet()
    with pytest.raises(InvalidStatus, match="403"):
        async with _socket(visitor, origin=origin):
            pass


@pytest.mark.parametrize("origin", ["", "https://friend.example", None])
async def test_own_pages_friends_and_programs_get_a_socket(
    start_site: StartSite, visit: Visit, origin: str | None
) -> None:
    visitor = await visit(start_site("uvicorn", **ANY_HOST)).greet()
    async with _socket(visitor, origin=origin) as socket:
        await socket.send(visitor, "Hello?", "default")
        assert text_in(await socket.whole()) == "Hello from the script."


async def test_stranger_is_told_to_sign_in(every_site: Site, visit: Visit) -> None:
    with pytest.raises(ConnectionClosed) as closed:
        async with _socket(visit(every_site), cookie="") as socket:
            await socket.next()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


JUNK: dict[str, tuple[str | bytes, str, str]] = {
    "not JSON": ("{", "", "valid JSON"),
    "nested too deep": ("[" * 100_000, "", "valid JSON"),
    "not an object": ("[1]", "", "JSON object"),
    "binary": (b"\x00\xff", "", "text"),
    "no request id": ('{"type": "send"}', "", "requestId"),
    "a number for a request id": ('{"type": "send", "requestId": 7}', "", "requestId"),
    "unknown type": ('{"type": "dance", "requestId": "r1"}', "r1", "abort, resume, send"),
    "a list for a type": ('{"type": ["send"], "requestId": "r1"}', "r1", "abort, resume, send"),
    "no message": ('{"type": "send", "requestId": "r1"}', "r1", "no message"),
    "unknown provider": ('{"type": "send", "requestId": "r1", "prompt": "x", "provider": "gpt"}', "r1", "'gpt'"),
    "unknown trigger": ('{"type": "send", "requestId": "r1", "trigger": "dance"}', "r1", "'trigger'"),
    "too large a frame": (
        json.dumps({"type": "send", "requestId": "r1", "messages": "x" * 1_000_000}),
        "r1",
        "at most",
    ),
    "too long a request id": (json.dumps({"type": "send", "requestId": "r" * 129}), "", "requestId"),
    "too large a prompt": (json.dumps({"type": "send", "requestId": "r1", "prompt": "x" * 32_001}), "r1", "32001"),
}


@pytest.mark.fault("F22")
@pytest.mark.parametrize("name", JUNK)
async def test_junk_is_answered_and_the_socket_lives_on(site: Site, visit: Visit, name: str) -> None:
    junk, request_id, said = JUNK[name]
    visitor = await visit(site).greet()
    before = rows.counts(site)
    async with _socket(visitor) as socket:
        await socket.connection.send(junk)
        answer = await socket.next()
        assert answer | {"errorText": ""} == {"type": "error", "requestId": request_id, "errorText": ""}
        assert said in answer["errorText"]
        assert rows.counts(site) == before, "something was stored"
        await socket.send(visitor, "Hello?", "default")
        assert text_in(await socket.whole()) == "Hello from the script."


async def test_socket_that_floods_is_closed(every_site: Site, visit: Visit) -> None:
    """A command that is refused is the cheapest one. A thousand of them wait in Daphne's memory."""
    visitor = await visit(every_site).greet()
    async with _socket(visitor) as socket:
        with pytest.raises(ConnectionClosed):
            await _flood(socket)
        assert socket.connection.close_code == 4429
    assert await visit(every_site).greet()


async def _flood(socket: Socket) -> None:
    for _ in range(1000):
        await socket.connection.send("{}")
    while True:
        await socket.next()


async def test_abort_of_nothing_changes_nothing(site: Site, visit: Visit) -> None:
    visitor = await visit(site).greet()
    async with _socket(visitor) as socket:
        await socket.tell(type="abort", requestId="never-sent")
        await socket.send(visitor, "Hello?", "default")
        assert text_in(await socket.whole()) == "Hello from the script."
