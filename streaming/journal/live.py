"""The live log: the frames of one running generation, in the memory of the process that runs it.

Readers hold a number, not a queue: a slow one costs nothing while it lags and catches up in one larger write. Waking
says only "look again", so a wake-up that nobody waits for is not lost either.
"""

from __future__ import annotations

import asyncio
import math
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable

from streaming.per_loop import PerLoop
from streaming.protocol.packing import HARD, pack, unpack
from streaming.protocol.ui_stream import chunk_of, frame

# Unpacked bytes of a page, or a single frame's.
BYTES_PER_PAGE = 2_000
# Small pages that become one, in which what is alike is said once. A reader who lags is given so much at once.
PAGES_TOGETHER = 12
BETWEEN = b"\n"  # chunks are JSON on one line


class LiveLog:
    """Append-only; `is_closed` once the last frame is in. `readers` counts those who are following."""

    def __init__(self, on_unwatched: Callable[[], None] | None = None) -> None:
        self.is_closed = False
        self.readers = 0
        # Frames that are not the newest any more are kept packed, in a tenth of the room: they are much alike.
        self._pages: list[bytes] = []
        self._starts: list[int] = []  # the number before each page's first frame
        self._loose = 0  # pages at the end that are to be put together
        self._packed = self._packed_size = 0  # frames and bytes that the pages have
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._on_unwatched = on_unwatched

    @property
    def size(self) -> int:
        """Of all frames, in bytes, unpacked."""
        return self._packed_size + self._tail_size

    @property
    def last_seq(self) -> int:
        return self._packed + len(self._tail)

    def append(self, chunks: Iterable[bytes]) -> None:
        """Number and keep `chunks`, then wake the readers."""
        before = self.last_seq
        for seq, chunk in enumerate(chunks, before + 1):
            self._tail.append(one := frame(seq, chunk))
            self._tail_size += len(one)
            if self._tail_size >= BYTES_PER_PAGE:
                self._pack()
        if self.last_seq > before:
            self._wake()

    def close(self) -> None:
        """No more frames will come."""
        self.is_closed = True
        self._on_unwatched = None  # or log and owner would keep each other in memory
        self._wake()

    def read(self, after: int) -> list[bytes]:
        """The next frames after number `after`; empty when there are none yet."""
        if after >= self._packed:
            return self._tail[after - self._packed :]
        page = bisect_right(self._starts, after) - 1
        start = self._starts[page]
        chunks = unpack(self._pages[page]).split(BETWEEN)
        return [frame(seq, chunk) for seq, chunk in enumerate(chunks[after - start :], after + 1)]

    def since(self, after: int, size: float = math.inf) -> list[bytes]:
        """The frames after number `after`, up to the one that fills `size` bytes."""
        frames: list[bytes] = []
        while size > 0 and (more := self.read(after + len(frames))):
            for one in more:
                if size <= 0:
                    break
                frames.append(one)
                size -= len(one)
        return frames

    async def wait(self, after: int, seconds: float) -> None:
        """Return when there may be something after number `after`, or after `seconds`."""
        if self.last_seq > after or self.is_closed:
            return
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        # Not asyncio.wait or timeout: this runs for every token and reader, and they cost several times as much.
        alarm = loop.call_later(seconds, _release, waiter)
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            alarm.cancel()
            self._waiting.discard(waiter)

    def enter(self) -> None:
        """A reader has come."""
        self.readers += 1

    def leave(self) -> None:
        """A reader has gone."""
        self.readers -= 1
        if self.readers == 0 and self._on_unwatched:
            self._on_unwatched()

    def _pack(self) -> None:
        """Make a page of the newest frames. Their numbers need no room: they follow from the page's place."""
        joined = BETWEEN.join(map(chunk_of, self._tail))
        self._starts.append(self._packed)
        self._pages.append(pack(joined))
        self._packed += len(self._tail)
        self._packed_size += self._tail_size
        self._tail, self._tail_size = [], 0
        self._loose = self._loose + 1 if len(joined) < 2 * BYTES_PER_PAGE else 0
        if self._loose == PAGES_TOGETHER:
            self._put_together()

    def _put_together(self) -> None:
        joined = BETWEEN.join(map(unpack, self._pages[-PAGES_TOGETHER:]))
        self._pages[-PAGES_TOGETHER:] = [pack(joined, HARD)]
        del self._starts[1 - PAGES_TOGETHER :]
        self._loose = 0

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            _release(waiter)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


_logs: PerLoop[dict[uuid.UUID, LiveLog]] = PerLoop(dict)


def live_logs() -> dict[uuid.UUID, LiveLog]:
    """The logs of the generations that run on this event loop, by generation id. The supervisor keeps the dict."""
    return _logs.get()
