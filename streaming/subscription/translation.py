"""The AG-UI events of an answer: translated once for all readers of this process that want them.

A translation is fed with the frames of a generation's log, in order, by whichever reader has the next ones. It keeps
the last pieces. A reader that lags further behind translates for itself.
"""

from __future__ import annotations

import uuid
from collections import deque
from typing import NamedTuple

from streaming.agui import Event, Translator, is_end, sse
from streaming.protocol.ui_stream import chunk_of
from streaming.subscription.named import tag_of
from streaming.subscription.per_generation import PerGeneration

KEPT_PIECES = 256
"""The number of frames whose events are kept: several seconds of an answer."""


class Piece(NamedTuple):
    """The events of one frame, written, and the event that ends the run, if the frame has it."""

    written: bytes
    end: Event | None


class Translation:
    """The events of one generation. `seq` is the number of the last frame that it has taken.

    `tag` is the part of each cursor that names the generation, because numbers of frames mean nothing in another one.
    """

    def __init__(self, generation_id: uuid.UUID) -> None:
        self.tag = tag_of(generation_id)
        self._generation_id = generation_id
        self.seq = 0
        self.translator = Translator()
        self._pieces: deque[Piece] = deque(maxlen=KEPT_PIECES)

    def fresh(self) -> Translation:
        """Returns another translation of the same generation, from its first frame on."""
        return Translation(self._generation_id)

    def covers(self, seq: int) -> bool:
        """Returns True if `take` has a piece for frame number `seq`."""
        return self.seq - len(self._pieces) < seq <= self.seq + 1

    def take(self, seq: int, frame: bytes) -> Piece:
        """Returns the piece of frame number `seq`, which it must cover."""
        if seq <= self.seq:
            return self._pieces[seq - self.seq - 1]
        self.events(frame)
        return self._pieces[-1]

    def events(self, frame: bytes) -> list[Event]:
        """Takes the next frame, and returns its events."""
        events = self.translator.translate(chunk_of(frame))
        self.seq += 1
        end = events.pop() if events and is_end(events[-1]) else None
        self._pieces.append(Piece(self._written(events), end))
        return events

    def cursor(self, seq: int) -> str:
        """The cursor of a reader whose last frame is number `seq`."""
        return f"{seq}-{self.tag}"

    def _written(self, events: list[Event]) -> bytes:
        """The events as one text. The last one has the cursor; a reader that was cut off before it gets all again."""
        if not events:
            return b""
        *others, last = events
        return b"".join(map(sse, others)) + sse(last, self.cursor(self.seq))


translations = PerGeneration(Translation)
"""The translations that readers share."""
