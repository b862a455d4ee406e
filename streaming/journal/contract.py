"""What a journal is: the numbered frames of generations, for readers in every process.

    held = await journal.append({generation_id: Batch(1, frames)})
    with closing(journal.watch(generation_id)) as watch:      # before the first read, so that nothing is missed
        frames = await journal.read(generation_id, after)
        await watch.wait(after, seconds)                      # then look again

`database` is the truth, `redis` only quicker. One suite, `tests/journal/`, holds every backend to this contract.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from streaming.protocol.ui_stream import split_frames

# Most frames handed to a reader at once: some 30 KB of text deltas, a write that a slow socket can still take.
MAX_FRAMES_PER_READ = 256
# Most bytes of an entry, unless a single frame has more. MariaDB takes statements of 16 MB (`max_allowed_packet`).
MAX_BYTES_PER_ENTRY = 1_000_000


class JournalUnavailable(Exception):
    """A journal did not answer in time. It is not known what it has stored of what it was given: send it again."""


class Batch(NamedTuple):
    """Consecutive frames of one generation, `first_seq` the number of the first."""

    first_seq: int
    frames: Sequence[bytes]

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.frames) - 1

    def pieces(self) -> Iterator[Batch]:
        """The batch in pieces of one read each: a burst becomes several entries, not one that is read whole."""
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
        """In bytes."""
        return sum(map(len, self.frames))


class Watch(Protocol):
    """A reader's ear for one generation."""

    async def wait(self, after: int, seconds: float) -> None:
        """Return when there may be something after number `after`, at the latest after `seconds`."""

    def close(self) -> None:
        """The reader has gone. May be called twice."""


class Journal(Protocol):
    """Append-only. One process appends to a generation; any number read it."""

    async def append(self, batches: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, int]:
        """Store frames; give, for each generation, the number up to which its frames are held.

        The next batch begins after that number, which is less than the batch's last if the journal has lost something.
        A batch that is sent again, as it was or with more frames at its end, is stored once.

        Raises:
            JournalUnavailable
        """

    async def read(self, generation_id: uuid.UUID, after: int) -> list[bytes]:
        """The next frames after number `after`, about `MAX_FRAMES_PER_READ` at most, and never with a gap.

        Empty when there are none, and when the one after `after` has been lost.
        """

    def watch(self, generation_id: uuid.UUID) -> Watch:
        """Listen for new frames."""


def without_gap(entries: Iterable[tuple[int, bytes]], after: int, limit: int = MAX_FRAMES_PER_READ) -> list[bytes]:
    """The frames after number `after` in `entries`, up to the first gap, and to the entry that passes `limit`.

    An entry is the number of its first frame and its frames, joined. Entries are in order and may overlap.
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
