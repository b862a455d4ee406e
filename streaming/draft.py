"""The draft: an answer while it is being written, events in and frames out."""

from __future__ import annotations

import time
from collections.abc import Iterable

from streaming.conf import settings
from streaming.journal import LiveLog
from streaming.protocol import Transcript
from streaming.protocol.events import TERMINAL, Event, ReasoningDelta, TextDelta, ToolCallStarted
from streaming.protocol.ui_stream import Outcome, UIStreamEncoder

FIRST_DELTAS = (TextDelta, ReasoningDelta, ToolCallStarted)


class Draft:
    """Folds events into a transcript and appends what readers see to `log`, in the same step.

    So the stream and the row that is made from the transcript say the same. `terminal` is the event that ended it.
    """

    def __init__(self, message_id: str, log: LiveLog) -> None:
        self.transcript = Transcript()
        self.terminal: Event | None = None
        self._log = log
        self._encoder = UIStreamEncoder(message_id)
        self._began = self._heard = time.monotonic()
        self._first_delta: float | None = None
        log.append(self._encoder.start())

    def apply(self, events: Iterable[Event]) -> None:
        """Take the events of one chunk of bytes; readers are woken once."""
        self._heard = time.monotonic()
        frames: list[bytes] = []
        for event in events:
            self.transcript.apply(event)
            if isinstance(event, TERMINAL):
                self.terminal = event
                continue
            if self._first_delta is None and isinstance(event, FIRST_DELTAS):
                self._first_delta = self._heard
            frames += self._encoder.encode(event)
        self._log.append(frames)

    def begin_again(self) -> None:
        """Forget an attempt of which readers have seen nothing."""
        self.transcript, self.terminal = Transcript(), None

    def closing(self, outcome: Outcome) -> list[bytes]:
        """The chunks that end the stream; the caller appends them once the row is settled."""
        return self._encoder.finish(outcome)

    @property
    def is_empty(self) -> bool:
        """Whether readers have seen nothing of the answer yet."""
        return self._first_delta is None

    def overdue(self) -> str | None:
        """Which limit on a provider's slowness has passed, as a key of `errors.PUBLIC_MESSAGES`."""
        now = time.monotonic()
        if now - self._began > settings.TOTAL_SECONDS:
            return "timeout_total"
        if self._first_delta is None:
            return "timeout_first_delta" if now - self._began > settings.FIRST_DELTA_SECONDS else None
        return "timeout_stall" if now - self._heard > settings.STALL_SECONDS else None

    @property
    def first_delta_ms(self) -> int | None:
        """Milliseconds from the start to the first thing a reader saw."""
        return None if self._first_delta is None else round(1000 * (self._first_delta - self._began))

    @property
    def duration_ms(self) -> int:
        """Milliseconds from the start to now."""
        return round(1000 * (time.monotonic() - self._began))
