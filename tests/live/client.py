"""A visitor with a cookie jar, who asks over HTTP and records each frame with the time of its arrival.

The reader is strict: anything that is not exactly a frame, a comment or `[DONE]` fails the test.
"""

from __future__ import annotations

import json
import re
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import httpx
import pytest

from streaming.testing import text_in
from tests.servers import Site

FRAME = re.compile(r"id: ([1-9][0-9]*)\ndata: (\{.*\})")
ENDS = (["finish"], ["abort", "finish"], ["message-metadata", "error"])
FURTHER_STEP = ["start-step", "finish-step"]  # after calls none of which waits for a client or a person

# Without this, each HTTP client would load the machine's certificates, which takes 40 ms.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

Visit = Callable[..., "Visitor"]


def http_client(url: str, **options: Any) -> httpx.AsyncClient:
    """Returns an HTTP client of the site at `url`. A test can have a thousand of them."""
    return httpx.AsyncClient(base_url=url, verify=NO_CERTIFICATES, **{"timeout": 60, **options})


class Frame(NamedTuple):
    """A frame. `at` is the monotonic time of its arrival, in seconds."""

    seq: int
    chunk: dict[str, Any]
    at: float


class Stream:
    """A response while it streams. `frames` and `heartbeats` (times) have what has arrived so far.

    `retry_ms` is the time after which a reader that reconnects by itself should come back.
    """

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self.frames: list[Frame] = []
        self.heartbeats: list[float] = []
        self.is_done = False
        self.retry_ms = 0
        self._blocks = _blocks(body)

    async def __aiter__(self) -> AsyncIterator[Frame]:
        async for block in self._blocks:
            before = len(self.frames)
            self._take(block)
            for frame in self.frames[before:]:
                yield frame

    def _take(self, block: str) -> None:
        assert not self.is_done, f"after [DONE]: {block}"
        if block.startswith(":"):
            self.heartbeats.append(time.monotonic())
        elif block.startswith("retry: "):
            assert not self.frames, "`retry` comes first"
            self.retry_ms = int(block.removeprefix("retry: "))
        elif block == "data: [DONE]":
            self.is_done = True
        else:
            found = FRAME.fullmatch(block)
            assert found, f"not a frame: {block!r}"
            self.frames.append(Frame(int(found[1]), json.loads(found[2]), time.monotonic()))

    async def until(self, kind: str, count: int = 1) -> Stream:
        """Reads on until `count` chunks of type `kind` have arrived in total."""
        if self.types.count(kind) < count:
            async for _ in self:
                if self.types.count(kind) >= count:
                    return self
            raise AssertionError(f"no {kind} came, only {self.types}")
        return self

    async def whole(self) -> Stream:
        """Reads to the end, and checks that the end is proper."""
        async for _ in self:
            pass
        assert self.is_done
        return self

    @property
    def seqs(self) -> list[int]:
        return [frame.seq for frame in self.frames]

    @property
    def chunks(self) -> list[dict[str, Any]]:
        return [frame.chunk for frame in self.frames]

    @property
    def types(self) -> list[str]:
        return [chunk["type"] for chunk in self.chunks]

    @property
    def text(self) -> str:
        return text_in(self.chunks)


class Visitor:
    """A person with a browser. `key` names the conversation that they are in."""

    def __init__(self, site: Site, **headers: str) -> None:
        self.site = site
        self.key = uuid.uuid4().hex
        self.http = http_client(site.url, headers=headers)
        self._open = AsyncExitStack()
        self._streams: list[Stream] = []

    async def hang_up(self) -> None:
        """Closes the connections of all streams, even in the middle."""
        await self._open.aclose()

    async def leave(self) -> None:
        """Closes the browser."""
        await self.hang_up()
        await self.http.aclose()

    async def greet(self) -> Visitor:
        """Sends a first message in another conversation, so that the session exists."""
        response = await self.http.post("/api/chat", json={"prompt": "Hello?"})
        assert response.status_code == 200, response.text
        return self

    async def ask(self, prompt: str, provider: str = "default", **fields: Any) -> Stream:
        """Sends a message. The stream has begun when this returns."""
        body = {"prompt": prompt, "provider": provider, "id": self.key} | fields
        return await self._stream("POST", "/api/chat", json=body)

    async def follow(self, query: str = "", **headers: str) -> Stream:
        """Reads the running answer of the conversation, in addition to other streams."""
        return await self._stream("GET", f"/api/chat/{self.key}/stream{query}", headers=headers)

    async def _stream(self, method: str, path: str, **options: Any) -> Stream:
        response = await self._open.enter_async_context(self.http.stream(method, path, **options))
        assert response.status_code == 200, (response.status_code, await response.aread())
        # Kept, because a stream without a reference is closed.
        self._streams.append(Stream(response.aiter_bytes()))
        return self._streams[-1]

    async def stop(self) -> str:
        """Presses Stop, and returns the status in the reply."""
        response = await self.http.post(f"/api/chat/{self.key}/stop")
        assert response.status_code == 200, response.text
        status: str = response.json()["status"]
        return status

    async def conversation(self) -> dict[str, Any]:
        """Loads the conversation as a page does."""
        response = await self.http.get(f"/api/chat/{self.key}")
        assert response.status_code == 200, response.text
        loaded: dict[str, Any] = response.json()
        return loaded

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)


def assert_whole(stream: Stream) -> None:
    """Checks that frames are numbered from 1 without a gap, in the required order, and with a proper end."""
    assert stream.seqs == list(range(1, len(stream.frames) + 1))
    assert stream.types[:2] == ["start", "start-step"]
    last = stream.types.index("finish-step")
    end = stream.types[last + 1 :]
    if end[:2] == FURTHER_STEP:
        assert any(kind.startswith("tool-") for kind in stream.types)
        end = end[2:]
    assert end in ENDS
    _assert_nested(stream.chunks[2:last])
    assert stream.is_done


def _assert_nested(chunks: list[dict[str, Any]]) -> None:
    """Checks that each part begins, grows and ends, in this order."""
    begun: set[tuple[str, str]] = set()
    for chunk in chunks:
        kind, _, step = chunk["type"].rpartition("-")
        part = kind, chunk.get("id") or chunk["toolCallId"]
        if step == "start":
            begun.add(part)
        assert part in begun, chunks
        if step in ("end", "available", "error"):
            begun.remove(part)
    assert not begun, chunks


async def _blocks(body: AsyncIterator[bytes]) -> AsyncIterator[str]:
    pending = b""
    async for piece in body:
        *whole, pending = (pending + piece).split(b"\n\n")
        for block in whole:
            yield block.decode()
    assert not pending, f"the body ended inside a frame: {pending!r}"


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Makes visitors of a site. They leave at the end of the test."""
    visitors: list[Visitor] = []

    def arrive(site: Site, **headers: str) -> Visitor:
        visitors.append(Visitor(site, **headers))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        await visitor.leave()
