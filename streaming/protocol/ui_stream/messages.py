"""Turns stored parts into UIMessage parts, which clients load."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

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
from streaming.protocol.ui_stream.addresses import file_address
from streaming.protocol.ui_stream.sources import source_of
from streaming.protocol.ui_stream.steps import step_starts
from streaming.protocol.ui_stream.wording import input_error_text, output_error_text

JSONObject = dict[str, Any]
STEP_START: JSONObject = {"type": "step-start"}


class _Context(NamedTuple):
    """The context of a part: the results and approvals of all calls, the counter of sources, and who made the part."""

    results: dict[str, ToolResult]
    approvals: dict[str, ToolApproval]
    numbers: Iterator[int]
    is_persons: bool


def ui_parts(parts: tuple[Part, ...], *, is_persons: bool = False) -> list[JSONObject]:
    """Returns the UIMessage parts. A call and its result are one of them; opaque parts are left out.

    The address of a model's file is replaced if it is not allowed. That of a person's file (`is_persons`) is the app's.
    """
    context = _Context(
        {part.call_id: part for part in parts if isinstance(part, ToolResult)},
        {part.call_id: part for part in parts if isinstance(part, ToolApproval)},
        itertools.count(1),
        is_persons,
    )
    steps = step_starts(parts)
    return [
        shown
        for at, part in enumerate(parts)
        for shown in [*([STEP_START] if at in steps else []), *UI_PARTS[type(part)](part, context)]
    ]


def _text(part: TextPart, context: _Context) -> Iterator[JSONObject]:
    yield {"type": "text", "text": part.text, "state": "done"}
    for source in filter(None, map(source_of, part.citations)):
        shown = {"type": "source-url", "sourceId": str(next(context.numbers)), "url": source.url}
        yield shown | ({"title": source.title} if source.title is not None else {})


def _refusal(part: RefusalPart, _: _Context) -> Iterator[JSONObject]:
    yield {"type": "text", "text": part.text, "state": "done"}


def _reasoning(part: ReasoningPart, _: _Context) -> Iterator[JSONObject]:
    if part.text:
        yield {"type": "reasoning", "text": part.text, "state": "done"}


def _file(part: FilePart, context: _Context) -> Iterator[JSONObject]:
    url = part.url if context.is_persons else file_address(part.url)
    shown = {"type": "file", "mediaType": part.media_type, "url": url}
    yield shown | ({"filename": part.filename} if part.filename else {})


def _tool_call(part: ToolCall, context: _Context) -> Iterator[JSONObject]:
    approval = context.approvals.get(part.id)
    shown = _call_fields(part, context.results.get(part.id), approval)
    yield shown if approval is None else shown | {"approval": _approval_fields(approval)}


def _approval_fields(approval: ToolApproval) -> JSONObject:
    known = {"id": approval.call_id, "approved": approval.is_approved, "reason": approval.reason or None}
    return {name: value for name, value in known.items() if value is not None}


# The state of a call without a result, by the last decision about it.
_UNDECIDED = {None: "approval-requested", True: "approval-responded"}


def _call_fields(part: ToolCall, result: ToolResult | None, approval: ToolApproval | None) -> JSONObject:
    shown: JSONObject = {"type": f"tool-{part.name}", "toolCallId": part.id}
    if part.is_provider_executed:
        shown["providerExecuted"] = True
    if not part.is_complete:
        return shown | {
            "state": "output-error",
            "rawInput": part.raw_arguments,
            "errorText": input_error_text(part.error),
        }
    shown["input"] = part.arguments if part.is_json else part.raw_arguments
    if approval is not None and approval.is_approved is False:
        return shown | {"state": "output-denied"}
    if result is None:
        return shown | {"state": _UNDECIDED[approval.is_approved] if approval else "input-available"}
    if result.is_error:
        error_text = output_error_text(result.output, is_provider_executed=result.is_provider_executed)
        return shown | {"state": "output-error", "errorText": error_text}
    return shown | {"state": "output-available", "output": result.output}


def _nothing(part: Part, _: _Context) -> Iterator[JSONObject]:
    """Yields nothing: a result is shown with its call, and an opaque part is not shown."""
    yield from ()


UI_PARTS: dict[type[Part], Callable[[Any, _Context], Iterator[JSONObject]]] = {
    TextPart: _text,
    RefusalPart: _refusal,
    ReasoningPart: _reasoning,
    ToolCall: _tool_call,
    ToolResult: _nothing,
    ToolApproval: _nothing,
    FilePart: _file,
    OpaquePart: _nothing,
}
