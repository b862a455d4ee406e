"""The live log: the frames of one running generation, in the memory of the process that runs it.

Readers hold a number, not a queue: a slow one costs nothing while it lags and catches up in one larger write. Waking
says only "look again", so a wake-up that nobody waits for is not lost either.
"""

from __future__ import annotations

import asyncio
import math
import zlib
from collections.abc import Callable, Iterable

from streaming.protocol.ui_stream import frame, split_frames

# Frames that are packed together. So many are handed to a reader who lags at once, some 2 KB of text deltas.
FRAMES_PER_PAGE = 32
# The quickest: others take twice as long for a thirtieth less.
PACKING_LEVEL = 1


class LiveLog:
    """Append-only; `is_closed` once the last frame is in. `readers` counts those who are following.

    `size` is in bytes, unpacked.
    """

    def __init__(self, on_unwatched: Callable[[], None] | None = None) -> None:
        self.size = 0
        self.is_closed = False
        self.readers = 0
        # Frames that are not the newest any more are kept packed, in a seventh of the room: they are much alike.
        self._pages: list[bytes] = []
        self._tail: list[bytes] = []
        self._waiting: set[asyncio.Future[None]] = set()
        self._on_unwatched = on_unwatched

    @property
    def last_seq(self) -> int:
        return len(self._pages) * FRAMES_PER_PAGE + len(self._tail)

    def append(self, chunks: Iterable[bytes]) -> None:
        """Number and keep `chunks`, then wake the readers."""
        before = self.last_seq
        for seq, chunk in enumerate(chunks, before + 1):
            self._tail.append(one := frame(seq, chunk))
            self.size += len(one)
            if len(self._tail) == FRAMES_PER_PAGE:
                self._pages.append(zlib.compress(b"".join(self._tail), PACKING_LEVEL))
                self._tail = []
        if self.last_seq > before:
            self._wake()

    def close(self) -> None:
        """No more frames will come."""
        self.is_closed = True
        self._on_unwatched = None  # or log and owner would keep each other in memory
        self._wake()

    def read(self, after: int) -> list[bytes]:
        """The next frames after number `after`; empty when there are none yet."""
        page, at = divmod(after, FRAMES_PER_PAGE)
        if page < len(self._pages):
            return split_frames(zlib.decompress(self._pages[page]))[at:]
        return self._tail[at:] if page == len(self._pages) else []

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

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            _release(waiter)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
