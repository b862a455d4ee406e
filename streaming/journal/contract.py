"""The contract of a journal: it stores the numbered frames of generations for readers in every process.

    held = await journal.append({generation_id: Batch(1, frames)})
    with closing(journal.watch(generation_id)) as watch:      # before the first read, so that nothing is missed
        frames = await journal.read(generation_id, after)
        await watch.wait(after, seconds)                      # then read again

If `database` and `redis` differ, `database` is right; `redis` is only quicker. `tests/journal/test_contract.py` tests
both against this contract.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from streaming.protocol.ui_stream import split_frames

# The largest number of frames in one read: about 30 KB of text deltas, which a slow socket takes in one write.
MAX_FRAMES_PER_READ = 256
# The largest size of an entry with more than one frame, in bytes. MariaDB takes statements of 16 MB
# (`max_allowed_packet`).
MAX_BYTES_PER_ENTRY = 1_000_000


class JournalUnavailable(Exception):
    """A journal did not answer in time. It may have stored some of the frames or none, so send them again."""


class Batch(NamedTuple):
    """Consecutive frames of one generation. `first_seq` is the number of the first."""

    first_seq: int
    frames: Sequence[bytes]

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.frames) - 1

    def pieces(self) -> Iterator[Batch]:
        """Splits the batch into pieces of at most one read. Each piece becomes one entry."""
        start, size = 0, 0
        for at, one in enumerate(self.frames):
            if at > start and (at - start == MAX_FRAMES_PER_READ or size + len(one) > MAX_BYTES_PER_ENTRY):
                yield Batch(self.first_seq + start, self.frames[start:at])
                start, size = at, 0
            size += len(one)
        if self.frames:
            yield Batch(self.first_seq + start, self.frames[start:])

    @property
    def size(self) -> int:
        """The size of all frames, in bytes."""
        return sum(map(len, self.frames))


class Watch(Protocol):
    """One reader's wait for new frames of one generation."""

    async def wait(self, after: int, seconds: float) -> None:
        """Returns when there may be frames after number `after`, and at the latest after `seconds`."""

    def close(self) -> None:
        """Ends the watch. May be called twice."""


class Journal(Protocol):
    """An append-only store of frames. One process appends to a generation; any number of processes read it."""

    async def append(self, batches: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, int]:
        """Stores frames. Returns, for each generation, the number of the last frame that the journal has.

        The next batch must begin after that number. If the journal has lost frames, it is lower than the batch's last
        number. A batch may be sent again, also with more frames at its end; each frame is stored once.

        Raises:
            JournalUnavailable: the journal did not answer in time.
        """

    async def read(self, generation_id: uuid.UUID, after: int) -> list[bytes]:
        """Returns the next frames after number `after`, without a gap, about `MAX_FRAMES_PER_READ` at most.

        Empty if there are none yet, or if the frame after `after` has been lost.
        """

    def watch(self, generation_id: uuid.UUID) -> Watch:
        """Begins to wait for new frames of a generation."""


def without_gap(entries: Iterable[tuple[int, bytes]], after: int, limit: int = MAX_FRAMES_PER_READ) -> list[bytes]:
    """Returns the frames after number `after` in `entries`, up to a gap or the entry that reaches `limit` frames.

    An entry is a pair: the number of its first frame, and its frames, joined. Entries are in order and may overlap.
    """
    frames: list[bytes] = []
    for first_seq, joined in entries:
        wanted = after + len(frames) + 1
        if first_seq > wanted:
            break
        frames += split_frames(joined)[wanted - first_seq :]
        if len(frames) >= limit:
            break
    return frames
