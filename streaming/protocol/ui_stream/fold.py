"""Folds UI chunks into parts. The parts of a generation whose process died are restored from its log this way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from streaming.protocol.parts import (
    FilePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
    load_parts,
)
from streaming.protocol.ui_stream import chunks
from streaming.protocol.ui_stream.kept import fields_of


class _Fold:
    """The parts so far by their key on the wire, in order of appearance."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.fragments: dict[str, list[str]] = {}
        self.citations: dict[str, list[dict[str, Any]]] = {}

    def text_start(self, chunk: chunks.TextStart) -> None:
        is_refusal = fields_of(chunk).get("is_refusal")
        self.open(chunk.id, RefusalPart(text="") if is_refusal else TextPart(text=""))

    def reasoning_start(self, chunk: chunks.ReasoningStart) -> None:
        """Begins reasoning. It may be there already, if its signature came before its words."""
        self.open(chunk.id, self.parts.get(chunk.id, ReasoningPart()))

    def open(self, key: str, part: Part) -> None:
        self.parts[key] = part
        self.fragments[key] = []

    def delta(self, chunk: chunks.TextDelta | chunks.ReasoningDelta) -> None:
        self.fragments[chunk.id].append(chunk.delta)

    def end(self, chunk: chunks.TextEnd | chunks.ReasoningEnd) -> None:
        fields = fields_of(chunk)
        part = ReasoningPart() if fields.pop("is_reasoning", False) else self.parts[chunk.id]
        self.parts[chunk.id] = msgspec.structs.replace(part, **fields)

    def tool_start(self, chunk: chunks.ToolInputStart) -> None:
        call = ToolCall(
            id=chunk.tool_call_id,
            name=chunk.tool_name,
            error="truncated",
            is_provider_executed=chunk.provider_executed,
            **fields_of(chunk),
        )
        self.open(_call(call.id), call)

    def tool_delta(self, chunk: chunks.ToolInputDelta) -> None:
        self.fragments[_call(chunk.tool_call_id)].append(chunk.input_text_delta)

    def tool_input(self, chunk: chunks.ToolInputAvailable) -> None:
        arguments = chunk.input if isinstance(chunk.input, dict) else None
        self.tool_ended(chunk, is_complete=True, error=None, arguments=arguments)

    def tool_input_error(self, chunk: chunks.ToolInputError) -> None:
        self.tool_ended(chunk)

    def tool_ended(self, chunk: chunks.ToolInputAvailable | chunks.ToolInputError, **verdict: Any) -> None:
        key = _call(chunk.tool_call_id)
        self.parts[key] = msgspec.structs.replace(self.parts[key], **verdict | fields_of(chunk))

    def tool_output(self, chunk: chunks.ToolOutputAvailable) -> None:
        self.result(chunk, output=chunk.output)

    def tool_output_error(self, chunk: chunks.ToolOutputError) -> None:
        self.result(chunk, output=chunk.error_text, is_error=True)

    def result(self, chunk: chunks.ToolOutputAvailable | chunks.ToolOutputError, **told: Any) -> None:
        told |= {"call_id": chunk.tool_call_id, "is_provider_executed": chunk.provider_executed}
        self.add(ToolResult(**told | fields_of(chunk)))

    def tool_approval(self, chunk: chunks.ToolApprovalRequest) -> None:
        self.add(ToolApproval(call_id=chunk.tool_call_id))

    def tool_denied(self, chunk: chunks.ToolOutputDenied) -> None:
        self.add(ToolApproval(call_id=chunk.tool_call_id, is_approved=False))

    def cite(self, key: str, citation: dict[str, Any]) -> None:
        """Adds a citation. It may come before the first word of its text."""
        self.parts.setdefault(key, TextPart(text=""))
        self.citations.setdefault(key, []).append(citation)

    def file(self, chunk: chunks.File) -> None:
        self.add(FilePart(media_type=chunk.media_type, url=chunk.url, **fields_of(chunk)))

    def kept(self, chunk: chunks.KeptPart) -> None:
        data = chunk.data
        if "citation" in data:
            self.cite(data["id"], data["citation"])
        else:
            (self.parts[data["id"]],) = load_parts([data["part"]])

    def add(self, part: Part) -> None:
        self.parts[f"{len(self.parts)}th"] = part

    def whole(self, key: str) -> Part:
        """Returns the part with its text and its citations. A text that its end brought replaces the deltas."""
        part, text = self.parts[key], "".join(self.fragments.get(key, ()))
        match part:
            case TextPart():
                citations = tuple(self.citations.get(key, ()))
                return msgspec.structs.replace(part, text=part.text or text, citations=citations)
            case ReasoningPart() | RefusalPart():
                return msgspec.structs.replace(part, text=part.text or text)
            case ToolCall():
                return msgspec.structs.replace(part, raw_arguments=part.raw_arguments or text)
            case _:
                return part


def _call(call_id: str) -> str:
    return f"call {call_id}"


HANDLERS: dict[type[chunks.Chunk], Callable[[_Fold, Any], None]] = {
    chunks.TextStart: _Fold.text_start,
    chunks.TextDelta: _Fold.delta,
    chunks.TextEnd: _Fold.end,
    chunks.ReasoningStart: _Fold.reasoning_start,
    chunks.ReasoningDelta: _Fold.delta,
    chunks.ReasoningEnd: _Fold.end,
    chunks.ToolInputStart: _Fold.tool_start,
    chunks.ToolInputDelta: _Fold.tool_delta,
    chunks.ToolInputAvailable: _Fold.tool_input,
    chunks.ToolInputError: _Fold.tool_input_error,
    chunks.ToolOutputAvailable: _Fold.tool_output,
    chunks.ToolOutputError: _Fold.tool_output_error,
    chunks.ToolApprovalRequest: _Fold.tool_approval,
    chunks.ToolOutputDenied: _Fold.tool_denied,
    chunks.File: _Fold.file,
    chunks.KeptPart: _Fold.kept,
}


def fold_chunks(encoded: Iterable[bytes]) -> tuple[Part, ...]:
    """Returns the parts of a log's chunks: JSON bytes, from the `start` chunk on. The last ones may be missing.

    Raises:
        msgspec.ValidationError: a chunk did not come from this package.
    """
    fold = _Fold()
    for raw in encoded:
        chunk = chunks.decode(raw)
        handler = HANDLERS.get(type(chunk))
        if handler:
            handler(fold, chunk)
    return tuple(fold.whole(key) for key in fold.parts)
