"""The draft: an answer that is being written. It takes events and appends frames to the live log."""

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
    GenerationRequest,
    OpaqueReceived,
    Part,
    PartEnded,
    ReasoningDelta,
    ReasoningSigned,
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
from streaming.protocol.requests import completed, tokens_sent
from streaming.protocol.storable import storable_fields
from streaming.protocol.ui_stream import Outcome
from streaming.runner.timeline import Timeline

# The model gets this as the result of a call that was not executed because the answer ended first.
NOT_MADE = "The call was not made: the answer was broken off."
NOTABLE_SECONDS = 1
TIMED = frozenset({ReasoningDelta, PartEnded})
ENDS = frozenset(TERMINAL)
FIRST_DELTAS = frozenset(
    {TextDelta, ReasoningDelta, RefusalDelta, ToolCallStarted, Cited, FileReceived, OpaqueReceived}
)


def milliseconds_since(began: float) -> int | None:
    """Returns the time since `began` on the monotonic clock; None if it is too short for people to care."""
    seconds = time.monotonic() - began
    return round(1000 * seconds) if seconds >= NOTABLE_SECONDS else None


class Draft:
    """Folds each event into a transcript and appends its frames to `log`.

    Both happen in one call, so the row, which is made from the transcript, has the text that readers have seen. What no
    database can hold is replaced before that. Each step has a `transcript` of its own. `terminal` is the event that
    ended the step, or None. `timeline` says when the answer grew.
    """

    def __init__(self, opening: Opening, log: LiveLog) -> None:
        self.transcript = Transcript()
        self.terminal: Event | None = None
        self.timeline = Timeline()
        self._log = log
        self._encoder = opening.encoder
        self._origin: str | None = None
        self._from_part = len(opening.earlier)
        self._done: list[Part] = []
        self._used: Usage | None = None
        self._asked_for: GenerationRequest | None = None
        self._began = self._heard = self._asked = time.monotonic()
        self._first_delta: float | None = None
        self._thinking: dict[int, float] = {}
        self._is_empty = True
        self._is_waiting = True
        log.append(opening.chunks)
        self.apply(opening.own_events)

    def apply(self, events: Iterable[Event]) -> None:
        """Takes the events of one chunk. Readers are woken once, whatever the number of events."""
        self._heard = time.monotonic()
        spent = round(1000 * (self._heard - self._began))
        frames: list[bytes] = []
        for event in map(storable_fields, events):
            kind = event.__class__
            if kind in TIMED:
                frames += self._time(event)  # type: ignore[arg-type]
            self.transcript.apply(event)
            self.timeline.note(spent, event)
            if kind in ENDS:
                self.terminal = event
                continue
            if self._is_empty and kind in FIRST_DELTAS:
                self._is_empty = False
                self._first_delta = self._first_delta or self._heard
            frames += self._encoder.encode(event)
        self._log.append(frames)

    def _time(self, event: ReasoningDelta | PartEnded) -> list[bytes]:
        """Measures reasoning. Adds at its end how long it took, if that is notable, and returns the frames."""
        if isinstance(event, ReasoningDelta):
            self._thinking.setdefault(event.part, self._heard)
            return []
        began = self._thinking.pop(event.part, self._heard)
        taken = milliseconds_since(began)
        if taken is None:
            return []
        measured = ReasoningSigned(event.part, choice=event.choice, duration_ms=taken)
        self.transcript.apply(measured)
        return self._encoder.encode(measured)

    def begin_step(self, *, is_first: bool, origin: str | None = None) -> None:
        """Begins a step, before the model is asked. Earlier parts stay, even if this step fails.

        `origin` names who is asked, as the `origin` of a part does. `is_first` is False if readers see a new step.
        """
        self._done, self._used, self._from_part = self.parts, self.usage, self.next_part
        self.begin_again(origin)
        self._asked, self._asked_for = time.monotonic(), None
        self._is_empty = self._is_waiting = True
        if not is_first:
            self.apply((StepStarted(),))

    def asking(self, request: GenerationRequest | None) -> None:
        """Notes the request that the provider works on. None: it ended without a word, and is assumed to cost nothing.

        The time limit of the first delta begins anew if other work came before this request.
        """
        self._asked_for = request
        if request is not None and not self._is_waiting:
            self._is_waiting, self._asked = True, time.monotonic()

    def begin_again(self, origin: str | None = None) -> None:
        """Forgets a failed attempt. Readers have seen nothing of it. `origin` names who is asked now."""
        self._origin = self._encoder.origin = origin
        self.transcript, self.terminal = Transcript(origin=origin), None
        self._thinking.clear()

    @contextmanager
    def working(self) -> Iterator[None]:
        """The context in which tools work: time limits on the model pause, and `terminal` is None.

        `terminal` comes back only if the work completes: an answer that is stopped among its tools is not finished.
        """
        terminal, self.terminal, self._is_waiting = self.terminal, None, False
        yield
        self.terminal = terminal

    def break_off(self, *, keeps_questions: bool) -> None:
        """Ends an unfinished answer: each call that will not be executed gets `NOT_MADE` as its result.

        These are the approved calls without a result and, unless `keeps_questions`, those that wait for a decision.
        """
        done = {part.call_id for part in self.parts if isinstance(part, ToolResult)}
        decisions = {part.call_id: part.is_approved for part in self.parts if isinstance(part, ToolApproval)}
        lapsed = (True,) if keeps_questions else (True, None)
        unmade = [id for id, decision in decisions.items() if decision in lapsed and id not in done]
        self.apply(
            ToolResulted(part, call_id, NOT_MADE, is_error=True, is_provider_executed=False)
            for part, call_id in list(enumerate(unmade, self.next_part))
        )

    def closing(self, outcome: Outcome) -> list[bytes]:
        """The chunks that end the stream. The caller appends them when the row is settled."""
        return self._encoder.finish(outcome)

    @property
    def parts(self) -> list[Part]:
        """All parts of this generation, of earlier steps and of this one."""
        return [*self._done, *self.transcript.parts]

    @property
    def next_part(self) -> int:
        """The number of the next part. The parts of the answer's earlier generations are counted, too."""
        return max(self._from_part, self.transcript.next_part)

    @property
    def usage(self) -> Usage | None:
        """The sum over the steps; None if the provider has reported none."""
        reported = [usage for usage in (self._used, self.transcript.usage) if usage]
        return sum(reported[1:], reported[0]) if reported else None

    def usage_so_far(self) -> tuple[Usage | None, bool]:
        """The usage of an answer that broke off. True if it is estimated, in whole or in part."""
        if self._asked_for is None:
            return self.usage, False
        step, is_estimated = completed(self.transcript.usage, tokens_sent(self._asked_for), self.transcript.parts)
        return self._used + step if self._used else step, is_estimated

    @property
    def is_empty(self) -> bool:
        """True while readers have seen nothing of this step."""
        return self._is_empty

    @property
    def size(self) -> int:
        """The size of all frames, in bytes."""
        return self._log.size

    def overdue(self) -> str | None:
        """Returns the code of the time limit that the provider has passed, or None.

        The code is a key of `errors.PUBLIC_MESSAGES`.
        """
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
        """Milliseconds from the start to the first delta; None if there was none."""
        return None if self._first_delta is None else round(1000 * (self._first_delta - self._began))

    @property
    def duration_ms(self) -> int:
        """Milliseconds from the start to now."""
        return round(1000 * (time.monotonic() - self._began))
