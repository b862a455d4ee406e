"""The draft: an answer while it is being written, events in and frames out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from streaming.conf import settings
from streaming.journal import LiveLog, Opening
from streaming.protocol import (
    Cited,
    Event,
    FileReceived,
    OpaqueReceived,
    Part,
    ReasoningDelta,
    RefusalDelta,
    StepStarted,
    TextDelta,
    ToolApproval,
    ToolCallStarted,
    ToolResult,
    ToolResulted,
    Transcript,
    Usage,
)
from streaming.protocol.events import TERMINAL
from streaming.protocol.ui_stream import Outcome

# What a model is told of an approved call that the answer's end came before.
NOT_MADE = "The call was not made: the answer was broken off."
FIRST_DELTAS = (TextDelta, ReasoningDelta, RefusalDelta, ToolCallStarted, Cited, FileReceived, OpaqueReceived)


class Draft:
    """Folds events into a transcript and appends what readers see to `log`, in the same step.

    So the stream and the row that is made from the transcript say the same. Each step, one request to the model with
    what its tools gave, has a `transcript` of its own. `terminal` is the event that ended the step.
    """

    def __init__(self, opening: Opening, log: LiveLog) -> None:
        self.transcript = Transcript()
        self.terminal: Event | None = None
        self._log = log
        self._encoder = opening.encoder
        self._origin: str | None = None
        self._from_part = len(opening.earlier)
        self._done: list[Part] = []
        self._used: Usage | None = None
        self._began = self._heard = self._asked = time.monotonic()
        self._first_delta: float | None = None
        self._is_empty = True
        self._is_waiting = True
        log.append(opening.chunks)
        self.apply(opening.own_events)

    def apply(self, events: Iterable[Event]) -> None:
        """Take the events of one chunk of bytes; readers are woken once."""
        self._heard = time.monotonic()
        frames: list[bytes] = []
        for event in events:
            self.transcript.apply(event)
            if isinstance(event, TERMINAL):
                self.terminal = event
                continue
            if self._is_empty and isinstance(event, FIRST_DELTAS):
                self._is_empty = False
                self._first_delta = self._first_delta or self._heard
            frames += self._encoder.encode(event)
        self._log.append(frames)

    def begin_step(self, *, is_first: bool, origin: str | None = None) -> None:
        """The model is about to be asked. What was there before this stays, whatever becomes of the step.

        `origin` says who is asked, as the `origin` of a part does. `is_first` is False if readers see a new step.
        """
        self._origin = self._encoder.origin = origin
        self._done, self._used, self._from_part = self.parts, self.usage, self.next_part
        self.begin_again()
        self._asked = time.monotonic()
        self._is_empty = self._is_waiting = True
        if not is_first:
            self.apply((StepStarted(),))

    def begin_again(self) -> None:
        """Forget an attempt of which readers have seen nothing."""
        self.transcript, self.terminal = Transcript(origin=self._origin), None

    @contextmanager
    def working(self) -> Iterator[None]:
        """While tools work: nobody waits for the model, and what it said last is not the end."""
        terminal, self.terminal, self._is_waiting = self.terminal, None, False
        yield
        self.terminal = terminal  # not when the work was broken off

    def break_off(self, *, keeps_questions: bool) -> None:
        """The answer ends unfinished, perhaps among its tools: a call that will not be made is told to be so.

        That is one that was approved, and one that a person was asked about, unless the question stays open.
        """
        told = {part.call_id for part in self.parts if isinstance(part, ToolResult)}
        stands = {part.call_id: part.is_approved for part in self.parts if isinstance(part, ToolApproval)}
        lapsed = (True,) if keeps_questions else (True, None)
        unmade = [id for id, is_approved in stands.items() if is_approved in lapsed and id not in told]
        self.apply(
            ToolResulted(part, call_id, NOT_MADE, is_error=True, is_provider_executed=False)
            for part, call_id in list(enumerate(unmade, self.next_part))
        )

    def closing(self, outcome: Outcome) -> list[bytes]:
        """The chunks that end the stream; the caller appends them once the row is settled."""
        return self._encoder.finish(outcome)

    @property
    def parts(self) -> list[Part]:
        """All of this generation's parts."""
        return [*self._done, *self.transcript.parts]

    @property
    def next_part(self) -> int:
        """The number of the next part: those of earlier generations count in."""
        return max(self._from_part, self.transcript.next_part)

    @property
    def usage(self) -> Usage | None:
        """The sum over the steps; None when no step has told."""
        told = [usage for usage in (self._used, self.transcript.usage) if usage]
        return sum(told[1:], told[0]) if told else None

    @property
    def is_empty(self) -> bool:
        """Whether readers have seen nothing of this step yet."""
        return self._is_empty

    @property
    def size(self) -> int:
        """Of all that readers can be shown, in bytes."""
        return self._log.size

    def overdue(self) -> str | None:
        """Which limit on a provider's slowness has passed, as a key of `errors.PUBLIC_MESSAGES`."""
        now = time.monotonic()
        if now - self._began > settings.TOTAL_SECONDS:
            return "timeout_total"
        if not self._is_waiting:
            return None
        if self._is_empty:
            return "timeout_first_delta" if now - self._asked > settings.FIRST_DELTA_SECONDS else None
        return "timeout_stall" if now - self._heard > settings.STALL_SECONDS else None

    @property
    def first_delta_ms(self) -> int | None:
        """Milliseconds from the start to the first thing a reader saw."""
        return None if self._first_delta is None else round(1000 * (self._first_delta - self._began))

    @property
    def duration_ms(self) -> int:
        """Milliseconds from the start to now."""
        return round(1000 * (time.monotonic() - self._began))
