"""UIStreamEncoder turns the events of one generation into UI chunks for its readers.

Clients require an order: a part's start comes before its deltas, these before its end, and a call before its output.
The encoder opens a part with its first delta, and closes all open parts before the end. So the order holds, whatever
a provider did. If a request asked for several answers, readers see the first (`choice` 0).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from streaming.protocol import events
from streaming.protocol.json_scanner import JSONScanner
from streaming.protocol.parts import OpaquePart, ReasoningPart
from streaming.protocol.storable import storable_text
from streaming.protocol.ui_stream import chunks
from streaming.protocol.ui_stream.addresses import file_address
from streaming.protocol.ui_stream.chunks import Chunk
from streaming.protocol.ui_stream.kept import kept_citation, kept_part, kept_result, metadata
from streaming.protocol.ui_stream.outcome import Outcome
from streaming.protocol.ui_stream.sources import source_of
from streaming.protocol.ui_stream.wording import input_error_text, output_error_text

STARTS: dict[str, Callable[[str], Chunk]] = {
    "text": chunks.TextStart,
    "refusal": lambda id: chunks.TextStart(id, metadata(is_refusal=True)),
    "reasoning": chunks.ReasoningStart,
}
"""The kinds of parts that have deltas, and the chunk that begins each."""


class UIStreamEncoder:
    """Call `start()`, then `encode(event)` for each event, then `finish(outcome)`.

    Each returns chunks as JSON bytes, in order. The terminal event adds no chunk, because the outcome may be another
    one (a stop, a crash).

    `live_fields` holds, by the name of a tool, the text arguments that readers see while they grow. `origin` says who
    makes the answer, as `Transcript.origin` does.

    `fold_chunks` restores every part from the chunks, except for decisions about calls: the message has these before
    its generation begins. What clients do not show is in `providerMetadata`, or in a `data-kept-part` chunk.
    """

    def __init__(self, message_id: str) -> None:
        self.live_fields: Mapping[str, Collection[str]] = {}
        self.origin: str | None = None
        self._message_id = message_id
        self._scanners: dict[int, JSONScanner] = {}
        self._open: dict[int, str] = {}
        self._calls: dict[int, events.ToolCallStarted] = {}
        self._is_denied: dict[str, bool] = {}
        """The id of each call -> a person has denied it."""
        self._is_answered: dict[str, bool] = {}
        """The calls of the step that the provider does not execute itself, with True once one has its result."""
        self._signed: dict[int, dict[str, Any]] = {}
        self._sources = 0

    def start(self) -> list[bytes]:
        """Returns the chunks that open the message."""
        return _encoded([chunks.Start(self._message_id), chunks.StartStep()])

    def encode(self, event: events.Event) -> list[bytes]:
        """Returns the chunks that `event` adds. Events that are not for readers add none."""
        if event.__class__ is events.TextDelta and not event.choice and event.part in self._open:
            return [chunks.encode(chunks.TextDelta(str(event.part), event.text))]  # nine of ten events, so inlined
        handler = HANDLERS.get(type(event))
        return _encoded(handler(self, event)) if handler and not getattr(event, "choice", 0) else []

    def finish(self, outcome: Outcome) -> list[bytes]:
        """Returns the chunks that close all open parts and say how the generation ended. May be called again.

        Clients read nothing after `error`, so the metadata comes before it. Some clients ask again by themselves if
        the last step has calls and each has a result. An empty step after such a step prevents that.
        """
        closing = [*self._ends(), chunks.FinishStep()]
        if self._is_answered and all(self._is_answered.values()):
            closing += [chunks.StartStep(), chunks.FinishStep()]
        if outcome.error_text:
            closing += [chunks.MessageMetadata(outcome.metadata), chunks.Error(outcome.error_text)]
            return _encoded(closing)
        if outcome.status == "cancelled":
            closing.append(chunks.Abort("cancelled"))
        closing.append(chunks.Finish(outcome.ui_finish_reason, outcome.metadata))
        return _encoded(closing)

    def _text(self, event: events.TextDelta) -> list[Chunk]:
        return [*self._opened(event.part, "text"), chunks.TextDelta(str(event.part), event.text)]

    def _refusal(self, event: events.RefusalDelta) -> list[Chunk]:
        return [*self._opened(event.part, "refusal"), chunks.TextDelta(str(event.part), event.text)]

    def _reasoning(self, event: events.ReasoningDelta) -> list[Chunk]:
        return [*self._opened(event.part, "reasoning"), chunks.ReasoningDelta(str(event.part), event.text)]

    def _sign(self, event: events.ReasoningSigned) -> list[Chunk]:
        """Keeps what the reasoning's end will carry. Reasoning without words so far has no start, and is kept whole."""
        given = {"signature": event.signature, "raw": event.raw, "duration_ms": event.duration_ms}
        signed = self._signed.get(event.part, {}) | {name: value for name, value in given.items() if value is not None}
        self._signed[event.part] = signed
        if event.part in self._open:
            return []
        return [kept_part(event.part, ReasoningPart(**signed, origin=self.origin))]

    def _text_recast(self, event: events.TextRecast) -> list[Chunk]:
        """Notes it for the text's end. Clients have shown text already, and the stream cannot take it back."""
        if event.part in self._open:
            self._open[event.part] = "recast"
        return []

    def _part_ended(self, event: events.PartEnded) -> list[Chunk]:
        kind = self._open.pop(event.part, None)
        return [self._end(event.part, kind, event.raw, event.text)] if kind else []

    def _call_started(self, event: events.ToolCallStarted) -> list[Chunk]:
        self._calls[event.part] = event
        self._is_denied.setdefault(event.id, False)
        if not event.is_provider_executed:
            self._is_answered[event.id] = False
        if event.name in self.live_fields:
            self._scanners[event.part] = JSONScanner()
        kept = None if event.is_json else metadata(is_json=False)
        return [chunks.ToolInputStart(event.id, event.name, event.is_provider_executed, kept)]

    def _call_delta(self, event: events.ToolCallDelta) -> list[Chunk]:
        call = self._calls.get(event.part)
        if call is None or not event.text:
            return []
        return [chunks.ToolInputDelta(call.id, event.text), *self._grown_fields(call, event)]

    def _grown_fields(self, call: events.ToolCallStarted, event: events.ToolCallDelta) -> list[Chunk]:
        scanner = self._scanners.get(event.part)
        if scanner is None:
            return []
        live = self.live_fields[call.name]
        grown = ((delta.path[0], delta.text) for delta in scanner.feed(event.text) if len(delta.path) == 1)
        return [
            chunks.ToolField({"toolCallId": call.id, "field": str(field), "delta": storable_text(text)}, transient=True)
            for field, text in grown
            if field in live
        ]

    def _call_ended(self, event: events.ToolCallEnded) -> list[Chunk]:
        call = self._calls.get(event.part)
        if call is None:
            return []
        raw_arguments = event.raw_arguments if event.is_replaced else None
        if event.is_complete:
            value = event.arguments if call.is_json else event.raw_arguments
            kept = metadata(self.origin, raw=event.raw, raw_arguments=raw_arguments)
            return [chunks.ToolInputAvailable(call.id, call.name, value, call.is_provider_executed, kept)]
        self._note_answer(call.id)
        kept = metadata(self.origin, error=event.error, raw=event.raw, raw_arguments=raw_arguments)
        reason = input_error_text(event.error)
        return [chunks.ToolInputError(call.id, call.name, event.raw_arguments, reason, call.is_provider_executed, kept)]

    def _resulted(self, event: events.ToolResulted) -> list[Chunk]:
        self._note_answer(event.call_id)
        if self._is_denied.get(event.call_id):
            return []
        if event.call_id not in self._is_denied:  # clients drop the whole conversation at a result without its call
            return [kept_result(event, self.origin)]
        if not event.is_error:
            kept = metadata(self.origin, raw=event.raw, duration_ms=event.duration_ms)
            return [chunks.ToolOutputAvailable(event.call_id, event.output, event.is_provider_executed, kept)]
        error_text = output_error_text(event.output, is_provider_executed=event.is_provider_executed)
        output = None if event.output == error_text else event.output
        kept = metadata(self.origin, output=output, raw=event.raw, duration_ms=event.duration_ms)
        return [chunks.ToolOutputError(event.call_id, error_text, event.is_provider_executed, kept)]

    def _note_answer(self, call_id: str) -> None:
        if call_id in self._is_answered:
            self._is_answered[call_id] = True

    def _approved(self, event: events.ToolApproved) -> list[Chunk]:
        if event.is_approved is None:
            return [chunks.ToolApprovalRequest(event.call_id, event.call_id)]
        if event.is_approved:
            return []
        self._is_denied[event.call_id] = True
        return [chunks.ToolOutputDenied(event.call_id)]

    def _step_started(self, event: events.StepStarted) -> list[Chunk]:
        closing = self._ends()
        self._open.clear()
        self._is_answered.clear()
        return [*closing, chunks.FinishStep(), chunks.StartStep()]

    def _cited(self, event: events.Cited) -> list[Chunk]:
        kept = kept_citation(event.part, event.citation)
        source = source_of(event.citation)
        if source is None:
            return [kept]
        self._sources += 1
        return [chunks.SourceUrl(str(self._sources), source.url, source.title), kept]

    def _file(self, event: events.FileReceived) -> list[Chunk]:
        return [chunks.File(file_address(event.url), event.media_type, metadata(self.origin, raw=event.raw))]

    def _opaque(self, event: events.OpaqueReceived) -> list[Chunk]:
        return [kept_part(event.part, OpaquePart(raw=event.raw, origin=self.origin))]

    def _opened(self, part: int, kind: str) -> list[Chunk]:
        if part in self._open:
            return []
        self._open[part] = kind
        return [STARTS[kind](str(part))]

    def _ends(self) -> list[Chunk]:
        return [self._end(part, kind) for part, kind in self._open.items()]

    def _end(self, part: int, kind: str, raw: dict[str, Any] | None = None, text: str | None = None) -> Chunk:
        if kind == "reasoning":
            return chunks.ReasoningEnd(str(part), metadata(self.origin, **self._signed.get(part, {})))
        is_reasoning = kind == "recast" or None
        return chunks.TextEnd(str(part), metadata(self.origin, raw=raw, text=text, is_reasoning=is_reasoning))


HANDLERS: dict[type[events.Event], Callable[[UIStreamEncoder, Any], list[Chunk]]] = {
    events.TextDelta: UIStreamEncoder._text,
    events.RefusalDelta: UIStreamEncoder._refusal,
    events.ReasoningDelta: UIStreamEncoder._reasoning,
    events.ReasoningSigned: UIStreamEncoder._sign,
    events.TextRecast: UIStreamEncoder._text_recast,
    events.PartEnded: UIStreamEncoder._part_ended,
    events.ToolCallStarted: UIStreamEncoder._call_started,
    events.ToolCallDelta: UIStreamEncoder._call_delta,
    events.ToolCallEnded: UIStreamEncoder._call_ended,
    events.ToolResulted: UIStreamEncoder._resulted,
    events.ToolApproved: UIStreamEncoder._approved,
    events.StepStarted: UIStreamEncoder._step_started,
    events.Cited: UIStreamEncoder._cited,
    events.FileReceived: UIStreamEncoder._file,
    events.OpaqueReceived: UIStreamEncoder._opaque,
}


def _encoded(added: list[Chunk]) -> list[bytes]:
    return [chunks.encode(chunk) for chunk in added]
