"""A reader that does not give up: it asks once, and reconnects with its last number until it has the end."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from bisect import bisect_left
from contextlib import AsyncExitStack
from typing import Any

import httpx

from tests.faults.history import ENDS, History
from tests.faults.oracle import Order
from tests.faults.scale import scaled
from tests.live.client import Frame, Stream, http_client
from tests.peers import Request
from tests.servers import Site

PATIENCE = scaled(60, 300)
BUSY = (502, 503)


class Reader:
    """One client of the site at `url`, or behind a cable. Without a `pause` it waits as long as the site advises."""

    def __init__(self, url: str, order: Order, history: History | None, cookie: str, pause: float | None) -> None:
        self.frames: list[Frame] = []
        self.resumes = 0
        self.name = uuid.uuid4().hex
        self._order = order
        self._history = history
        self._pause = pause
        self._retry_ms = 2000
        self._url = url
        self._headers = {"Cookie": cookie}

    @property
    def seq(self) -> int:
        return self.frames[-1].seq if self.frames else 0

    @property
    def has_end(self) -> bool:
        return bool(self.frames) and self.frames[-1].chunk["type"] in ENDS

    def journeys(self, call: Request) -> list[tuple[float, float]]:
        """Returns the times at which each piece of text was sent by the provider and arrived here.

        A piece has arrived with the frame that has its last character, whatever the frames are.
        """
        frames = [frame for frame in self.frames if frame.chunk["type"] == "text-delta"]
        ends = list(itertools.accumulate(len(frame.chunk["delta"]) for frame in frames))
        pieces = itertools.accumulate(map(len, self._order.pieces))
        came = (frames[bisect_left(ends, end)].at for end in pieces if ends and end <= ends[-1])
        return list(zip(call.sent[1:], came, strict=False))

    async def has(self, seq: int) -> None:
        """Returns when frame number `seq` has arrived."""
        async with asyncio.timeout(PATIENCE):
            while self.seq < seq:  # noqa: ASYNC110  # a short delay does not matter
                await asyncio.sleep(0.02)

    async def hears(self, text: str) -> None:
        """Returns when this text, the beginning of the answer, has arrived."""
        async with asyncio.timeout(PATIENCE):
            while self._heard < len(text):  # noqa: ASYNC110  # a short delay does not matter
                await asyncio.sleep(0.02)

    @property
    def _heard(self) -> int:
        return sum(len(frame.chunk["delta"]) for frame in self.frames if frame.chunk["type"] == "text-delta")

    def go_to(self, site: Site) -> None:
        """Sets the address for the next connection."""
        self._url = site.url

    async def ask_and_read(self) -> Reader:
        """Sends the order, and reads to the end in spite of all failures."""
        async with asyncio.timeout(PATIENCE):
            while not self.has_end:
                await (self._resume() if self.frames else self._ask())
                await self._rest()
        return self

    async def read_until(self, seq: int) -> None:
        """Reads another client's answer up to frame number `seq`, and disconnects."""
        reading = asyncio.create_task(self.read())
        await self.has(seq)
        reading.cancel()
        await asyncio.wait((reading,))

    async def read(self) -> Reader:
        """Reads another client's answer, from this reader's last number on."""
        async with asyncio.timeout(PATIENCE):
            while not self.has_end:
                await self._resume()
                await self._rest()
        return self

    async def _rest(self) -> None:
        if not self.has_end:
            self.resumes += 1
            advised = self._retry_ms / 1000 * random.uniform(0.5, 1)
            await asyncio.sleep(advised if self._pause is None else self._pause)

    async def _ask(self) -> None:
        order = self._order
        body = {"prompt": order.prompt, "id": order.key, "clientId": "m1"}
        await self._take("POST", "/api/chat", json=body)

    async def _resume(self) -> None:
        headers = {"Last-Event-ID": str(self.seq), "Accept": "text/event-stream"}
        await self._take("GET", f"/api/chat/{self._order.key}/stream", headers=headers)

    async def _take(self, method: str, path: str, **options: Any) -> None:
        """Reads the frames of one connection until it breaks."""
        async with AsyncExitStack() as opened:
            http = await opened.enter_async_context(http_client(self._url, headers=self._headers, timeout=30))
            try:
                response = await opened.enter_async_context(http.stream(method, path, **options))
                assert response.status_code in (200, *BUSY), (response.status_code, await response.aread())
                if response.status_code == 200:
                    await self._note(Stream(response.aiter_bytes()))
            except httpx.TransportError:
                return

    async def _note(self, stream: Stream) -> None:
        async for frame in stream:
            self.frames.append(frame)
            if self._history:
                self._history.note("client", self._order.key, client=self.name, seq=frame.seq, chunk=frame.chunk)
        self._retry_ms = stream.retry_ms or self._retry_ms


def longest_gap(reader: Reader) -> float:
    """The longest time between two frames, in seconds."""
    times = [frame.at for frame in reader.frames]
    return max(later - earlier for earlier, later in itertools.pairwise(times))
