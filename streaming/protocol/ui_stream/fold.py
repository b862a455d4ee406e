"""Folds UI chunks into parts. The parts of a generation whose process died are restored from its log this way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streaming.protocol.parts import FilePart, Part, ReasoningPart, TextPart, ToolApproval, ToolCall, ToolResult
from streaming.protocol.ui_stream import chunks


class _Fold:
    """The parts so far by their key on the wire, in order of appearance."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.fragments: dict[str, list[str]] = {}
        self.citations: dict[str, list[dict[str, Any]]] = {}
        self.latest_text = ""
        self.handlers: dict[type[chunks.Chunk], Any] = {
            chunks.TextStart: self.text_start,
            chunks.TextDelta: self.delta,
            chunks.ReasoningStart: self.reasoning_start,
            chunks.ReasoningDelta: self.delta,
            chunks.ReasoningEnd: self.reasoning_end,
            chunks.ToolInputStart: self.tool_start,
            chunks.ToolInputDelta: self.tool_delta,
            chunks.ToolInputAvailable: self.tool_input,
            chunks.ToolOutputAvailable: self.tool_output,
            chunks.ToolOutputError: self.tool_output_error,
            chunks.ToolApprovalRequest: self.tool_approval,
            chunks.ToolOutputDenied: self.tool_denied,
            chunks.SourceUrl: self.source,
            chunks.File: self.file,
        }

    def text_start(self, chunk: chunks.TextStart) -> None:
        self.latest_text = chunk.id
        self.open(chunk.id, TextPart(text=""))

    def reasoning_start(self, chunk: chunks.ReasoningStart) -> None:
        self.open(chunk.id, ReasoningPart())

    def open(self, key: str, part: Part) -> None:
        self.parts[key] = part
        self.fragments[key] = []

    def delta(self, chunk: chunks.TextDelta | chunks.ReasoningDelta) -> None:
        self.fragments[chunk.id].append(chunk.delta)

    def reasoning_end(self, chunk: chunks.ReasoningEnd) -> None:
        kept = (chunk.provider_metadata or {}).get("streaming", {})
        self.parts[chunk.id] = ReasoningPart(signature=kept.get("signature"), raw=kept.get("raw"))

    def tool_start(self, chunk: chunks.ToolInputStart) -> None:
        call = ToolCall(
            id=chunk.tool_call_id,
            name=chunk.tool_name,
            error="truncated",
            is_provider_executed=chunk.provider_executed,
        )
        self.open(f"call {call.id}", call)

    def tool_delta(self, chunk: chunks.ToolInputDelta) -> None:
        self.fragments[f"call {chunk.tool_call_id}"].append(chunk.input_text_delta)

    def tool_input(self, chunk: chunks.ToolInputAvailable) -> None:
        is_json = isinstance(chunk.input, dict)
        self.parts[f"call {chunk.tool_call_id}"] = ToolCall(
            id=chunk.tool_call_id,
            name=chunk.tool_name,
            arguments=chunk.input if is_json else None,
            is_complete=True,
            is_provider_executed=chunk.provider_executed,
            is_json=is_json,
        )

    def tool_output(self, chunk: chunks.ToolOutputAvailable) -> None:
        self.parts[f"result {chunk.tool_call_id}"] = ToolResult(
            call_id=chunk.tool_call_id,
            output=chunk.output,
            is_provider_executed=chunk.provider_executed,
        )

    def tool_output_error(self, chunk: chunks.ToolOutputError) -> None:
        self.parts[f"result {chunk.tool_call_id}"] = ToolResult(
            call_id=chunk.tool_call_id,
            output=chunk.error_text,
            is_error=True,
            is_provider_executed=chunk.provider_executed,
        )

    def tool_approval(self, chunk: chunks.ToolApprovalRequest) -> None:
        self.parts[f"approval {chunk.tool_call_id}"] = ToolApproval(call_id=chunk.tool_call_id)

    def tool_denied(self, chunk: chunks.ToolOutputDenied) -> None:
        self.parts[f"denial {chunk.tool_call_id}"] = ToolApproval(call_id=chunk.tool_call_id, is_approved=False)

    def source(self, chunk: chunks.SourceUrl) -> None:
        """Adds a source to the latest text. The chunk does not say which text it belongs to."""
        citation = {"url": chunk.url} | ({"title": chunk.title} if chunk.title is not None else {})
        self.citations.setdefault(self.latest_text, []).append(citation)

    def file(self, chunk: chunks.File) -> None:
        self.parts[f"file {len(self.parts)}"] = FilePart(media_type=chunk.media_type, url=chunk.url)

    def joined(self, key: str) -> Part:
        part, text = self.parts[key], "".join(self.fragments.get(key, ()))
        match part:
            case TextPart():
                return TextPart(text=text, citations=tuple(self.citations.get(key, ())))
            case ReasoningPart():
                return ReasoningPart(text=text, signature=part.signature, raw=part.raw)
            case ToolCall():
                return ToolCall(
                    id=part.id,
                    name=part.name,
                    raw_arguments=text,
                    arguments=part.arguments,
                    is_complete=part.is_complete,
                    error=part.error,
                    is_provider_executed=part.is_provider_executed,
                    is_json=part.is_json,
                )
            case _:
                return part


def fold_chunks(encoded: Iterable[bytes]) -> tuple[Part, ...]:
    """Returns the parts of a log's chunks: JSON bytes, from the `start` chunk on. The last ones may be missing.

    Raises:
        msgspec.ValidationError: a chunk did not come from this package.
    """
    fold = _Fold()
    for raw in encoded:
        chunk = chunks.decode(raw)
        handler = fold.handlers.get(type(chunk))
        if handler:
            handler(chunk)
    return tuple(fold.joined(key) for key in fold.parts)
