"""The events of an OpenAI response that are about one item, and the method of the item that reads each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.protocol.dialects.openai_responses.items import (
    CallItem,
    CodeItem,
    CustomCallItem,
    Item,
    McpCallItem,
    MessageItem,
    ReasoningItem,
)
from streaming.protocol.dialects.openai_responses.payload import Payload

ITEM_EVENTS: dict[str, tuple[type[Item], Callable[[Any, Payload], None]]] = {
    "response.output_text.delta": (MessageItem, MessageItem.grow_text),
    "response.output_text.done": (MessageItem, MessageItem.end_text),
    "response.output_text.annotation.added": (MessageItem, MessageItem.annotate),
    "response.output_text_annotation.added": (MessageItem, MessageItem.annotate),  # its name until 2025
    "response.audio.transcript.delta": (MessageItem, MessageItem.grow_text),
    "response.output_audio_transcript.delta": (MessageItem, MessageItem.grow_text),
    "response.refusal.delta": (MessageItem, MessageItem.grow_refusal),
    "response.refusal.done": (MessageItem, MessageItem.end_refusal),
    "response.reasoning_text.delta": (ReasoningItem, ReasoningItem.grow_content),
    "response.reasoning_text.done": (ReasoningItem, ReasoningItem.end_content),
    "response.reasoning_summary_text.delta": (ReasoningItem, ReasoningItem.grow_summary),
    "response.reasoning_summary_text.done": (ReasoningItem, ReasoningItem.end_summary),
    "response.reasoning_summary_part.added": (ReasoningItem, ReasoningItem.begin_summary_part),
    "response.reasoning_summary_part.done": (ReasoningItem, ReasoningItem.end_summary_part),
    "response.reasoning_part.added": (ReasoningItem, ReasoningItem.begin_content_part),
    "response.reasoning_part.done": (ReasoningItem, ReasoningItem.end_content_part),
    "response.reasoning.delta": (ReasoningItem, ReasoningItem.grow_content),  # these four: names until 2025
    "response.reasoning.done": (ReasoningItem, ReasoningItem.end_content),
    "response.reasoning_summary.delta": (ReasoningItem, ReasoningItem.grow_summary),
    "response.reasoning_summary.done": (ReasoningItem, ReasoningItem.end_summary),
    "response.function_call_arguments.delta": (CallItem, CallItem.grow),
    "response.custom_tool_call_input.delta": (CustomCallItem, CallItem.grow),
    "response.custom_tool_call_input.done": (CustomCallItem, CallItem.fill),
    "response.mcp_call_arguments.delta": (McpCallItem, CallItem.grow),
    "response.mcp_call_arguments.done": (McpCallItem, CallItem.fill),
    "response.mcp_call.arguments.delta": (McpCallItem, CallItem.grow),  # the names in OpenAI's first documentation
    "response.mcp_call.arguments.done": (McpCallItem, CallItem.fill),
    "response.code_interpreter_call_code.delta": (CodeItem, CallItem.grow),
    "response.code_interpreter_call_code.done": (CodeItem, CallItem.fill),
    "response.code_interpreter_call.code.delta": (CodeItem, CallItem.grow),
    "response.code_interpreter_call.code.done": (CodeItem, CallItem.fill),
}
"""The class of item that each type of event is about, and the method that reads it."""

PART_EVENTS: dict[str, tuple[Callable[[Any, Payload], None], Callable[[Any, Payload], None]]] = {
    "response.content_part.added": (MessageItem.begin_part, ReasoningItem.begin_content_part),
    "response.content_part.delta": (MessageItem.grow_part, ReasoningItem.grow_content),
    "response.content_part.done": (MessageItem.end_part, ReasoningItem.end_content_part),
}
"""The methods that read a part of a message, and a part of reasoning."""

THOUGHTS = frozenset({"reasoning_text", "summary_text"})
"""The types of the parts of reasoning."""
