"""Transcript folds the events of one answer into its parts. It can be read at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from streaming.protocol import events as ev
from streaming.protocol.packing import pack, unpack
from streaming.protocol.parts import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
)

# Half a surrogate pair is valid in JSON but not in UTF-8. It is kept, because the other half may follow.
ENCODING_ERRORS = "surrogatepass"
# The newest bytes of text stay as they are; older ones are packed, which halves them.
MAX_UNPACKED_BYTES = 2_000


class PartBuilder:
    """Builds one part: its text, its citations and the other fields of its class."""

    __slots__ = ("_newest", "_packed", "citations", "kind", "rest")

    def __init__(self, kind: type[Part]) -> None:
        self.kind = kind
        # A list of short strings would take ten times the memory, and one string up to four times.
        self._newest = bytearray()
        self._packed: list[bytes] = []
        self.citations: list[dict[str, Any]] = []
        self.rest: dict[str, Any] = {}

    def add(self, text: str) -> None:
        self._newest += text.encode("utf-8", ENCODING_ERRORS)
        if len(self._newest) > MAX_UNPACKED_BYTES:
            self._packed.append(pack(self._newest))
            self._newest.clear()

    def replace(self, text: str) -> None:
        self._packed.clear()
        self._newest.clear()
        self.add(text)

    @property
    def text(self) -> str:
        """The text so far."""
        return b"".join((*map(unpack, self._packed), self._newest)).decode("utf-8", ENCODING_ERRORS)

    def part(self, origin: str | None = None) -> Part:
        """Returns the part. `origin` is set on it only if it has something that goes back to its provider."""
        field = TEXT_FIELDS.get(self.kind)
        fields: dict[str, Any] = {} if field is None else {field: self.text}
        if self.citations:
            fields["citations"] = tuple(self.citations)
        if origin is not None and (self.rest.get("raw") or self.rest.get("signature")):
            fields["origin"] = origin
        return self.kind(**fields | self.rest)


TEXT_FIELDS: dict[Any, str] = {
    TextPart: "text",
    ReasoningPart: "text",
    RefusalPart: "text",
    ToolCall: "raw_arguments",
}


class Transcript:
    """One choice of an answer, folded from its events.

    If a request asked for several answers (`n > 1`), each has its own transcript: `Transcript(choice=1)` takes the
    parts of choice 1 and ignores those of the others. Usage, outcome and error belong to the whole stream.
    """

    def __init__(self, *, choice: int = 0, origin: str | None = None) -> None:
        self.choice = choice
        self.origin = origin
        """The name of the maker of the answer. Parts get it that hold something for their maker alone."""
        self.id: str | None = None
        self.model: str | None = None
        self.outcome: Literal["finished", "failed", "truncated"] | None = None
        """None while the stream is open."""
        self.finish_reason: ev.FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.usage: ev.Usage | None = None
        self.error: ev.StreamError | None = None
        self._builders: dict[int, PartBuilder] = {}

    def apply(self, event: ev.Event) -> None:
        """Takes the next event. Heartbeats, warnings and unknown things change nothing."""
        if event.__class__ is ev.TextDelta and event.choice == self.choice:  # nine of ten events, so it is inlined
            builder = self._builders.get(event.part)
            if builder is not None:
                builder.add(event.text)
                return
        HANDLERS[type(event)](self, event)

    @property
    def parts(self) -> list[Part]:
        """The typed parts, in order."""
        return [self._builders[at].part(self.origin) for at in sorted(self._builders)]

    @property
    def next_part(self) -> int:
        """The number that the next part gets."""
        return max(self._builders, default=-1) + 1

    @property
    def text(self) -> str:
        """All text parts, concatenated."""
        return self._words(TextPart)

    @property
    def reasoning(self) -> str:
        """All reasoning parts, concatenated."""
        return self._words(ReasoningPart)

    @property
    def refusal(self) -> str:
        """All refusal parts, concatenated."""
        return self._words(RefusalPart)

    @property
    def tool_calls(self) -> list[ToolCall]:
        return [part for part in self.parts if isinstance(part, ToolCall)]

    def _words(self, kind: type[Part]) -> str:
        return "".join(self._builders[at].text for at in sorted(self._builders) if self._builders[at].kind is kind)

    def _at(self, event: Any) -> PartBuilder | None:
        """Returns the builder of the event's part, a new one if needed; None if the part is of another choice."""
        if event.choice != self.choice:
            return None
        found = self._builders.get(event.part)
        if found is None:
            found = self._builders[event.part] = PartBuilder(PART_OF[type(event)])
        return found

    def _grow(self, event: Any) -> None:
        if found := self._at(event):
            found.add(event.text)

    def _set(self, event: Any) -> None:
        """Takes the fields that the event has in common with its part."""
        if found := self._at(event):
            found.rest.update({name: getattr(event, name) for name in SHARED_FIELDS[type(event)]})

    def _recast(self, event: ev.TextRecast) -> None:
        if found := self._at(event):
            found.kind = ReasoningPart
            found.citations = []

    def _signed(self, event: ev.ReasoningSigned) -> None:
        given = {"signature": event.signature, "raw": event.raw, "duration_ms": event.duration_ms}
        if found := self._at(event):
            found.rest.update({name: value for name, value in given.items() if value is not None})

    def _cited(self, event: ev.Cited) -> None:
        if found := self._at(event):
            found.citations.append(event.citation)

    def _started(self, event: ev.Started) -> None:
        self.id = event.id
        self.model = event.model

    def _used(self, event: ev.UsageReported) -> None:
        self.usage = event.usage

    def _finished(self, event: ev.Finished) -> None:
        self.outcome = "finished"
        self.finish_reason = event.reason
        self.raw_finish_reason = event.raw_reason

    def _failed(self, event: ev.Failed) -> None:
        self.outcome = "failed"
        self.error = event.error

    def _truncated(self, _event: ev.Truncated) -> None:
        self.outcome = "truncated"

    def _part_ended(self, event: ev.PartEnded) -> None:
        found = self._builders.get(event.part) if event.choice == self.choice else None
        if found is not None and event.raw is not None:
            found.rest["raw"] = event.raw
        if found is not None and event.text is not None:
            found.replace(event.text)

    def _pass(self, _event: ev.Event) -> None:
        """Ignores an event that adds nothing to the answer."""


PART_OF: dict[type[ev.Event], type[Part]] = {
    ev.TextDelta: TextPart,
    ev.TextRecast: TextPart,
    ev.Cited: TextPart,
    ev.ReasoningDelta: ReasoningPart,
    ev.ReasoningSigned: ReasoningPart,
    ev.RefusalDelta: RefusalPart,
    ev.ToolCallStarted: ToolCall,
    ev.ToolCallDelta: ToolCall,
    ev.ToolCallEnded: ToolCall,
    ev.ToolResulted: ToolResult,
    ev.ToolApproved: ToolApproval,
    ev.FileReceived: FilePart,
    ev.OpaqueReceived: OpaquePart,
}
"""The class of the part that an event begins, if it is the first one of its part."""

SHARED_FIELDS = {
    event: [name for name in event.__struct_fields__ if name in part.__struct_fields__]
    for event, part in PART_OF.items()
}
"""The fields that an event has in common with its part."""

HANDLERS: dict[type[ev.Event], Callable[[Transcript, Any], None]] = {
    ev.Started: Transcript._started,
    **dict.fromkeys((ev.TextDelta, ev.ReasoningDelta, ev.RefusalDelta, ev.ToolCallDelta), Transcript._grow),
    **dict.fromkeys((ev.ToolCallStarted, ev.ToolCallEnded, ev.ToolResulted, ev.ToolApproved), Transcript._set),
    **dict.fromkeys((ev.FileReceived, ev.OpaqueReceived), Transcript._set),
    ev.ReasoningSigned: Transcript._signed,
    ev.TextRecast: Transcript._recast,
    ev.Cited: Transcript._cited,
    ev.PartEnded: Transcript._part_ended,
    ev.UsageReported: Transcript._used,
    ev.Finished: Transcript._finished,
    ev.Failed: Transcript._failed,
    ev.Truncated: Transcript._truncated,
    **dict.fromkeys((ev.StepStarted, ev.Heartbeat, ev.Warning, ev.Unknown), Transcript._pass),
}
"""The handler of each class of event."""
