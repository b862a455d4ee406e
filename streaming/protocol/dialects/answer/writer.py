"""AnswerWriter numbers the parts of an answer and ends each stream exactly once.

A dialect calls its methods and never makes the ordered events itself. So the order that `events` promises is kept in
one place for all dialects.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from streaming.protocol import events as ev
from streaming.protocol.dialects.answer.call_ids import CallIds
from streaming.protocol.dialects.answer.reasons import failure_of, finish_reason_of, meaning_of
from streaming.protocol.dialects.answer.tool_names import OfferedTools
from streaming.protocol.dialects.answer.usage import merge
from streaming.protocol.dialects.wire import stream_error

# A part costs about a kilobyte here and in the transcript, but as little as fifty bytes on the wire. Recorded answers
# have a few dozen parts.
MAX_PARTS = 10_000


class StreamTooLarge(Exception):
    """The stream exceeds a bound, which the text names. The parser catches it and turns it into `Failed`."""


class OpenProse(Protocol):
    """Prose with a part that may still grow."""

    def end(self) -> None:
        """Ends the part. Does nothing if no part is open."""


class OpenCall(Protocol):
    """A tool call that has no verdict yet."""

    size: int
    """Characters of the arguments so far."""
    announced: str
    """Arguments that came whole. They count if none stream."""
    is_json: bool
    """False if the input is free text."""

    def start(self) -> None:
        """Adds `ToolCallStarted`. Does nothing the second time."""

    def note_loss(self) -> None:
        """Notes that an event of the stream was lost, which may have had some of the arguments."""

    def end(self, *, is_cut: bool = False) -> None:
        """Gives the verdict. `is_cut` says that the stream broke off inside the call."""


class AnswerWriter:
    """Collects the events of one stream, in order. The parser takes `events` after each chunk."""

    def __init__(
        self,
        *,
        split_think_tags: bool = False,
        first_part: int = 0,
        taken_ids: Collection[str] = (),
        choices: int | None = None,
        tools: Collection[str] | None = None,
    ) -> None:
        self.events: list[ev.Event] = []
        self.is_over = False
        self.is_started = False
        self.split_think_tags = split_think_tags
        self.choices_asked = choices
        self.tools = OfferedTools(tools or ())
        self.has_unknown = False
        self.usage = ev.Usage()
        self.open_prose: dict[OpenProse, None] = {}
        self.open_calls: dict[str, OpenCall] = {}
        """The calls without a verdict, by their ids."""
        self.intact_calls: dict[OpenCall, None] = {}
        """Those of them that have not noted a lost event. Without this table, many such events would cost much time."""
        self.model: str | None = None
        self.silent_parts = 0
        """The number of parts that say nothing to the people who read: reasoning, and what only goes back."""
        self.stray_error: ev.StreamError | None = None
        """What seems to be an error, on a line outside of the stream's events. It counts if the stream breaks off."""
        self.ids = CallIds(taken_ids)
        self._first_part = first_part
        self._next_parts: dict[int, int] = {}
        """The number of the next part of each choice."""
        self._parts = 0
        self._reserved = 0
        self._unanswered: dict[str, None] = {}
        self._naming: OpenCall | None = None
        """The call whose name may go on. It starts at the latest when another part begins."""
        self._is_ending = False
        self._has_refused = False

    def emit(self, event: ev.Event) -> None:
        """Adds an event that begins and ends no part."""
        self.events.append(event)

    def start(self, id: Any, model: Any) -> None:
        """Adds `Started` at the first call. Values that are not strings, or are empty, count as unknown."""
        if not self.is_started:
            self.is_started = True
            self.model = _name(model)
            if not self.has_parts and self.usage == ev.Usage():  # else the stream was joined in its middle
                self.emit(ev.Started(_name(id), self.model))

    def reserve(self) -> None:
        """Counts something that takes memory, even if it had only a few bytes on the wire.

        Raises:
            StreamTooLarge: there are `MAX_PARTS` already.
        """
        if self._reserved >= MAX_PARTS and not self._is_ending:
            raise StreamTooLarge(f"the answer has more than {MAX_PARTS} parts")
        self._reserved += 1

    def new_part(self, choice: int = 0) -> int:
        """Returns the number of the next part of `choice`."""
        self.end_naming()
        self.reserve()
        self._parts += 1
        part = self._next_parts.get(choice, self._first_part)
        self._next_parts[choice] = part + 1
        return part

    def wait_for_name(self, call: OpenCall) -> None:
        """Notes that the name of `call` may go on. Another such call starts."""
        if self._naming is not call:
            self.end_naming()
            self._naming = call

    def end_naming(self, started: OpenCall | None = None) -> None:
        """Starts the call whose name may go on, unless it is the one that is just `started`."""
        waiting, self._naming = self._naming, None
        if waiting is not None and waiting is not started:
            waiting.start()

    @property
    def has_parts(self) -> bool:
        return self._parts > 0

    @property
    def has_begun(self) -> bool:
        """True after the start of the answer, or its first part."""
        return self.is_started or self.has_parts

    def note_refusal(self) -> None:
        self._has_refused = True

    def note_call(self, id: str) -> None:
        """Notes that a call began which the provider does not execute itself."""
        self._unanswered[id] = None

    def add_result(self, given: str, output: Any, *, is_error: bool = False, raw: dict[str, Any] | None = None) -> None:
        """Adds the result of the oldest call with the id `given` that has none. The call is complete by then."""
        id = self.ids.answer(given)
        if id in self.open_calls:
            self.open_calls[id].end()
        self._unanswered.pop(id, None)
        self.emit(ev.ToolResulted(self.new_part(), id, output, is_error, raw=raw))

    def report_usage(self, usage: ev.Usage) -> None:
        """Merges newer totals, and adds `UsageReported` if they change anything."""
        merged = merge(self.usage, usage)
        if merged != self.usage:
            self.usage = merged
            self.emit(ev.UsageReported(merged))

    def warn(self, code: str, detail: str = "") -> None:
        self.emit(ev.Warning(code, detail))

    def note_loss(self) -> None:
        """Notes that an event cannot be read. The open calls may lack what it had."""
        for call in self.intact_calls:
            call.note_loss()
        self.intact_calls.clear()

    def unknown(self, raw: bytes) -> None:
        self.has_unknown = True
        self.emit(ev.Unknown(raw.decode("utf-8", "replace")))

    def finish(self, raw_reason: str | None, reason: ev.FinishReason | None = None) -> None:
        """Ends the answer as complete. `raw_reason` is the provider's word; `reason` is ours if there is none."""
        if word := failure_of(raw_reason):
            self.fail(stream_error(word, None, f"finish reason {raw_reason!r}"))
            return
        if meaning_of(raw_reason) == "length":
            # Free text, and a call without arguments so far, may be cut without a sign of it. JSON shows a cut.
            for call in list(self.open_calls.values()):
                if not (call.is_json and (call.size or call.announced)):
                    call.end(is_cut=True)
        self._end_parts(is_cut=False)
        has_called = bool(self._unanswered)
        reason = reason or finish_reason_of(raw_reason, has_refused=self._has_refused, has_called=has_called)
        if not self.is_over and self._parts <= self.silent_parts:
            self.warn("empty_answer")
        self._end(ev.Finished(reason, raw_reason), is_cut=False)

    def fail(self, error: ev.StreamError) -> None:
        """Ends the answer with an error that the provider reported, or that the parser found."""
        self._end(ev.Failed(error), is_cut=True)

    def truncate(self) -> None:
        """Ends the answer after a stream that ended without a signal of completion."""
        self._end(ev.Failed(self.stray_error) if self.stray_error else ev.Truncated(), is_cut=True)

    def _end(self, terminal: ev.Event, *, is_cut: bool) -> None:
        if self.is_over:
            return
        self._end_parts(is_cut=is_cut)
        self.is_over = True
        self.emit(terminal)

    def _end_parts(self, *, is_cut: bool) -> None:
        self._is_ending = True
        for prose in list(self.open_prose):
            prose.end()
        for call in list(self.open_calls.values()):
            call.end(is_cut=is_cut)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
