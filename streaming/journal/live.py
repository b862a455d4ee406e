"""The live log: the frames of one running generation, in the memory of the process that runs it.

A reader holds a number, not a queue. So a slow reader costs no memory, and catches up in one larger write. A wake-up
only says "read again", so a reader that was busy when it came misses nothing.
"""

from __future__ import annotations

import math
import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable

from streaming.journal.waiters import Waiters
from streaming.per_loop import PerLoop
from streaming.protocol.packing import HARD, pack, unpack
from streaming.protocol.ui_stream import chunk_of, frame

# The size of a page before packing, in bytes; a page with one frame may be larger.
BYTES_PER_PAGE = 2_000
# The number of small pages that are packed together again as one, which compresses better. A slow reader gets a whole
# page at once.
PAGES_PER_MERGE = 12
SEPARATOR = b"\n"  # a chunk is JSON on one line


class LiveLog:
    """An append-only list of frames. `is_closed` is True once the last frame is in.

    `readers` counts the followers. `last_seq` is the number of the newest frame, 0 if there is none.
    """

    def __init__(self, on_unwatched: Callable[[], None] | None = None) -> None:
        self.is_closed = False
        self.readers = 0
        self.last_seq = 0
        # Older frames are packed: they resemble each other, so they take a tenth of the memory.
        self._pages: list[bytes] = []
        self._starts: list[int] = []  # for each page, the number before its first frame
        self._small_pages = 0  # the number of small pages at the end
        self._packed = self._packed_size = 0  # the frames in all pages: their number, their bytes
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._waiters = Waiters()
        self._on_unwatched = on_unwatched

    @property
    def size(self) -> int:
        """The size of all frames, in bytes before packing."""
        return self._packed_size + self._tail_size

    def append(self, chunks: Iterable[bytes]) -> None:
        """Adds `chunks` as numbered frames, then wakes the readers."""
        before = self.last_seq
        for chunk in chunks:
            self.last_seq += 1
            self._tail.append(one := frame(self.last_seq, chunk))
            self._tail_size += len(one)
            if self._tail_size >= BYTES_PER_PAGE:
                self._pack()
        if self.last_seq > before:
            self._waiters.wake()

    def close(self) -> None:
        """Marks the log as complete and wakes the readers."""
        self.is_closed = True
        self._on_unwatched = None  # breaks the cycle: log and owner would keep each other in memory
        self._waiters.wake()
        self._waiters.close()

    def read(self, after: int) -> list[bytes]:
        """Returns the next frames after number `after`: the rest of a page, or the newest. Empty if there are none."""
        if after >= self._packed:
            return self._tail[after - self._packed :]
        page = bisect_right(self._starts, after) - 1
        start = self._starts[page]
        chunks = unpack(self._pages[page]).split(SEPARATOR)
        return [frame(seq, chunk) for seq, chunk in enumerate(chunks[after - start :], after + 1)]

    def since(self, after: int, size: float = math.inf) -> list[bytes]:
        """Returns the frames after number `after`, up to the one that reaches `size` bytes."""
        frames: list[bytes] = []
        while size > 0 and (more := self.read(after + len(frames))):
            for one in more:
                if size <= 0:
                    break
                frames.append(one)
                size -= len(one)
        return frames

    async def wait(self, after: int, seconds: float) -> None:
        """Returns when there may be frames after number `after`, and at the latest after `seconds`."""
        if self.last_seq <= after and not self.is_closed:
            await self._waiters.wait(seconds)

    def enter(self) -> None:
        """Counts a reader in."""
        self.readers += 1

    def leave(self) -> None:
        """Counts a reader out, and calls `on_unwatched` after the last one."""
        self.readers -= 1
        if self.readers == 0 and self._on_unwatched:
            self._on_unwatched()

    def _pack(self) -> None:
        """Packs the newest frames as one page. A page needs no numbers: its place gives them."""
        joined = SEPARATOR.join(map(chunk_of, self._tail))
        self._starts.append(self._packed)
        self._pages.append(pack(joined))
        self._packed += len(self._tail)
        self._packed_size += self._tail_size
        self._tail, self._tail_size = [], 0
        self._small_pages = self._small_pages + 1 if len(joined) < 2 * BYTES_PER_PAGE else 0
        if self._small_pages == PAGES_PER_MERGE:
            self._merge_small_pages()

    def _merge_small_pages(self) -> None:
        joined = SEPARATOR.join(map(unpack, self._pages[-PAGES_PER_MERGE:]))
        self._pages[-PAGES_PER_MERGE:] = [pack(joined, HARD)]
        del self._starts[1 - PAGES_PER_MERGE :]
        self._small_pages = 0


_logs: PerLoop[dict[uuid.UUID, LiveLog]] = PerLoop(dict)


def live_logs() -> dict[uuid.UUID, LiveLog]:
    """Returns the live logs of this event loop by generation id. The supervisor adds and removes them."""
    return _logs.get()
