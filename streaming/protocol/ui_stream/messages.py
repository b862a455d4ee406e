"""Stored parts → what clients load: UIMessage parts, or the events that stream the same message once more."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from streaming.protocol import events
from streaming.protocol.parts import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from streaming.protocol.ui_stream.sources import source_of
from streaming.protocol.ui_stream.wording import TOOL_FAILED, input_error_text

JsonDict = dict[str, Any]


class _Around(NamedTuple):
    """What a part's picture depends on besides the part: the results of calls, and the sources counted so far."""

    results: dict[str, ToolResult]
    numbers: Iterator[int]


def ui_parts(parts: tuple[Part, ...]) -> list[JsonDict]:
    """UIMessage parts. A call and its result are one part there; opaque parts have no picture and are left out."""
    around = _Around({part.call_id: part for part in parts if isinstance(part, ToolResult)}, itertools.count(1))
    return [shown for part in parts for shown in _UI_PARTS[type(part)](part, around)]


def _text(part: TextPart, around: _Around) -> Iterator[JsonDict]:
    yield {"type": "text", "text": part.text, "state": "done"}
    for source in filter(None, map(source_of, part.citations)):
        shown = {"type": "source-url", "sourceId": str(next(around.numbers)), "url": source.url}
        yield shown | ({"title": source.title} if source.title is not None else {})


def _refusal(part: RefusalPart, _: _Around) -> Iterator[JsonDict]:
    yield {"type": "text", "text": part.text, "state": "done"}


def _reasoning(part: ReasoningPart, _: _Around) -> Iterator[JsonDict]:
    if part.text:
        yield {"type": "reasoning", "text": part.text, "state": "done"}


def _file(part: FilePart, _: _Around) -> Iterator[JsonDict]:
    shown = {"type": "file", "mediaType": part.media_type, "url": part.url}
    yield shown | ({"filename": part.filename} if part.filename else {})


def _tool_call(part: ToolCall, around: _Around) -> Iterator[JsonDict]:
    yield _described_call(part, around.results.get(part.id))


def _described_call(part: ToolCall, result: ToolResult | None) -> JsonDict:
    shown: JsonDict = {"type": f"tool-{part.name}", "toolCallId": part.id}
    if part.is_provider_executed:
        shown["providerExecuted"] = True
    if not part.is_complete:
        return shown | {
            "state": "output-error",
            "rawInput": part.raw_arguments,
            "errorText": input_error_text(part.error),
        }
    shown["input"] = part.arguments if part.is_json else part.raw_arguments
    if result is None:
        return shown | {"state": "input-available"}
    if result.is_error:
        error_text = TOOL_FAILED if result.is_provider_executed else str(result.output)
        return shown | {"state": "output-error", "errorText": error_text}
    return shown | {"state": "output-available", "output": result.output}


def _nothing(part: Part, _: _Around) -> Iterator[JsonDict]:
    """A result is shown with its call; an opaque part not at all."""
    yield from ()


_UI_PARTS: dict[type[Part], Callable[[Any, _Around], Iterator[JsonDict]]] = {
    TextPart: _text,
    RefusalPart: _refusal,
    ReasoningPart: _reasoning,
    ToolCall: _tool_call,
    ToolResult: _nothing,
    FilePart: _file,
    OpaquePart: _nothing,
}


def events_of(parts: tuple[Part, ...]) -> Iterator[events.Event]:
    """Events whose transcript is `parts`: a replay for readers whose log is gone."""
    for index, part in enumerate(parts):
        yield from _EVENTS[type(part)](index, part)


def _text_events(index: int, part: TextPart) -> Iterator[events.Event]:
    yield events.TextDelta(index, part.text)
    yield from (events.Cited(index, citation) for citation in part.citations)
    yield events.PartEnded(index)


def _refusal_events(index: int, part: RefusalPart) -> Iterator[events.Event]:
    yield events.RefusalDelta(index, part.text)
    yield events.PartEnded(index)


def _reasoning_events(index: int, part: ReasoningPart) -> Iterator[events.Event]:
    yield events.ReasoningDelta(index, part.text)
    if part.signature or part.raw:
        yield events.ReasoningSigned(index, part.signature, part.raw)
    yield events.PartEnded(index)


def _call_events(index: int, part: ToolCall) -> Iterator[events.Event]:
    yield events.ToolCallStarted(index, part.id, part.name, part.is_provider_executed, part.is_json)
    yield events.ToolCallDelta(index, part.raw_arguments)
    yield events.ToolCallEnded(index, part.raw_arguments, part.arguments, part.is_complete, part.error, part.raw)


def _result_events(index: int, part: ToolResult) -> Iterator[events.Event]:
    yield events.ToolResulted(index, part.call_id, part.output, part.is_error)


def _file_events(index: int, part: FilePart) -> Iterator[events.Event]:
    yield events.FileReceived(index, part.media_type, part.url)


def _opaque_events(index: int, part: OpaquePart) -> Iterator[events.Event]:
    yield events.OpaqueReceived(index, part.raw)


_EVENTS: dict[type[Part], Callable[[int, Any], Iterator[events.Event]]] = {
    TextPart: _text_events,
    RefusalPart: _refusal_events,
    ReasoningPart: _reasoning_events,
    ToolCall: _call_events,
    ToolResult: _result_events,
    FilePart: _file_events,
    OpaquePart: _opaque_events,
}
