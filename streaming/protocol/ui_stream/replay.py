"""Turns stored parts back into events, so that the same message can be streamed again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from streaming.protocol import events
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
from streaming.protocol.ui_stream.steps import step_starts


def events_of(parts: Sequence[Part], start: int = 0, stop: int | None = None) -> Iterator[events.Event]:
    """Yields the events whose transcript is `parts`, from position `start` up to `stop`.

    A question about a call that was approved is left out, so that readers do not see a question that has its answer.
    """
    steps = step_starts(parts)
    approved = {part.call_id for part in parts if isinstance(part, ToolApproval) and part.is_approved}
    for index, part in enumerate(parts[:stop]):
        is_answered = isinstance(part, ToolApproval) and part.is_approved is None and part.call_id in approved
        if index < start or is_answered:
            continue
        if index in steps:
            yield events.StepStarted()
        yield from PART_EVENTS[type(part)](index, part)


def _text_events(index: int, part: TextPart) -> Iterator[events.Event]:
    yield events.TextDelta(index, part.text)
    yield from (events.Cited(index, citation) for citation in part.citations)
    yield events.PartEnded(index, raw=part.raw)


def _refusal_events(index: int, part: RefusalPart) -> Iterator[events.Event]:
    yield events.RefusalDelta(index, part.text)
    yield events.PartEnded(index, raw=part.raw)


def _reasoning_events(index: int, part: ReasoningPart) -> Iterator[events.Event]:
    if part.text:
        yield events.ReasoningDelta(index, part.text)
    if part.signature or part.raw or (part.text and part.duration_ms):
        yield events.ReasoningSigned(index, part.signature, part.raw, duration_ms=part.duration_ms)
    yield events.PartEnded(index)


def _call_events(index: int, part: ToolCall) -> Iterator[events.Event]:
    yield events.ToolCallStarted(index, part.id, part.name, part.is_provider_executed, part.is_json)
    yield events.ToolCallDelta(index, part.raw_arguments)
    yield events.ToolCallEnded(index, part.raw_arguments, part.arguments, part.is_complete, part.error, part.raw)


def _result_events(index: int, part: ToolResult) -> Iterator[events.Event]:
    told = part.call_id, part.output, part.is_error, part.is_provider_executed
    yield events.ToolResulted(index, *told, raw=part.raw, duration_ms=part.duration_ms)


def _approval_events(index: int, part: ToolApproval) -> Iterator[events.Event]:
    yield events.ToolApproved(index, part.call_id, part.is_approved, part.reason)


def _file_events(index: int, part: FilePart) -> Iterator[events.Event]:
    yield events.FileReceived(index, part.media_type, part.url, raw=part.raw)


def _opaque_events(index: int, part: OpaquePart) -> Iterator[events.Event]:
    yield events.OpaqueReceived(index, part.raw)


PART_EVENTS: dict[type[Part], Callable[[int, Any], Iterator[events.Event]]] = {
    TextPart: _text_events,
    RefusalPart: _refusal_events,
    ReasoningPart: _reasoning_events,
    ToolCall: _call_events,
    ToolResult: _result_events,
    ToolApproval: _approval_events,
    FilePart: _file_events,
    OpaquePart: _opaque_events,
}
