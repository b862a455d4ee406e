"""Messages in the JSON of OpenTelemetry's conventions (`gen_ai.input.messages`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from streaming.protocol import Part, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolResult, Turn

SHAPES: dict[type, Callable[[Any], dict[str, Any]]] = {
    TextPart: lambda part: {"type": "text", "content": part.text},
    RefusalPart: lambda part: {"type": "text", "content": part.text},
    ReasoningPart: lambda part: {"type": "reasoning", "content": part.text},
    ToolCall: lambda part: {"type": "tool_call", "id": part.id, "name": part.name, "arguments": part.raw_arguments},
    ToolResult: lambda part: {"type": "tool_call_response", "id": part.call_id, "response": part.output},
}
"""The forms of the parts. Parts without a form, such as files, are left out."""


def messages_in(turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Returns the turns of a request."""
    return [{"role": turn.role, "parts": parts_in(turn.parts)} for turn in turns]


def parts_in(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """Returns the parts of one message."""
    return [SHAPES[type(part)](part) for part in parts if type(part) in SHAPES]
