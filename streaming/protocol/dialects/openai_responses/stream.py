"""Reads OpenAI Responses events, as OpenAI and compatible servers send them.

An answer is complete at `response.completed` or `response.incomplete`. It has failed at `error` or `response.failed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, read_usage
from streaming.protocol.dialects.openai_responses.call_items import CallItem, CodeItem, CustomCallItem, McpCallItem
from streaming.protocol.dialects.openai_responses.item_table import ItemTable
from streaming.protocol.dialects.openai_responses.items import Item
from streaming.protocol.dialects.openai_responses.message_item import MessageItem
from streaming.protocol.dialects.openai_responses.payload import Payload
from streaming.protocol.dialects.openai_responses.reasoning_item import ReasoningItem
from streaming.protocol.dialects.wire import is_error, read_error, reports_error, reread, shape, unwrapped
from streaming.protocol.events import Heartbeat


class OpenAIResponsesStream:
    """Reads the events of one response."""

    payload: ClassVar[type[msgspec.Struct]] = Payload
    awaits_usage = False

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._items = ItemTable(writer)

    def read(self, payload: Payload, event: bytes, data: bytes) -> None:
        if not payload.type:
            payload.type = event.decode("utf-8", "replace")
        found = ITEM_EVENTS.get(payload.type)
        if found is not None:
            kind, take = found
            item = self._items.only.get((payload.output_index, kind))
            take(item or self._items.take(kind, payload.output_index, payload.item_id), payload)
        else:
            is_error = event == b"error" or (not payload.type and reports_error(payload.error))
            other = OpenAIResponsesStream._read_error if is_error else OpenAIResponsesStream._read_other
            EVENTS.get(payload.type, other)(self, payload, data)

    def done(self) -> None:
        self.end()

    def read_late(self, _payload: Payload) -> None:
        """Does nothing: usage comes before the end in this dialect."""

    def end(self) -> None:
        self._writer.truncate()

    def _read_added(self, payload: Payload, _data: bytes) -> None:
        if payload.item:
            self._items.announce(payload.output_index, payload.item)

    def _read_item_done(self, payload: Payload, _data: bytes) -> None:
        if payload.item:
            self._items.finish(payload.output_index, payload.item)

    def _read_part_done(self, payload: Payload, _data: bytes) -> None:
        item = self._items.find(MessageItem, payload.output_index, payload.item_id)
        if isinstance(item, MessageItem) and _object(payload.part).get("type") != "reasoning_text":
            item.end_part(payload)

    def _read_progress(self, payload: Payload, _data: bytes) -> None:
        response = _object(payload.response)
        if self._writer.is_started:
            self._writer.emit(Heartbeat())
        else:
            self._writer.start(response.get("id"), response.get("model"))

    def _skip(self, _payload: Payload, _data: bytes) -> None:
        """Ignores an event that only repeats what other events say."""

    def _read_end(self, payload: Payload, _data: bytes) -> None:
        self._read_response(_object(payload.response), payload.type.rpartition(".")[2], payload.error)

    def _read_response(self, response: dict[str, Any], word: str, error: Any = None) -> None:
        """Reads a response that is over: adds what did not stream, and ends the answer.

        `word` is the last word of the event's type. It and the response's status may differ, because some servers
        leave an old status in the response. The worse of the two counts.
        """
        self._writer.start(response.get("id"), response.get("model"))
        self._writer.report_usage(read_usage(response.get("usage")))
        status = max(("completed", word, str(response.get("status"))), key=lambda each: SEVERITY.get(each, 0))
        error = response.get("error") or error
        if error or status == "failed":
            self._writer.fail(read_error(error or "the response failed"))
            return
        output = response.get("output")
        self._items.complete([wire for wire in output if isinstance(wire, dict)] if isinstance(output, list) else [])
        reason = _object(response.get("incomplete_details")).get("reason") if status == "incomplete" else None
        self._writer.finish(str(reason or status))

    def _read_error(self, payload: Payload, data: bytes) -> None:
        self._writer.fail(read_error(_object(payload.response).get("error") or reread(data)))

    def _read_other(self, payload: Payload, data: bytes) -> None:
        if not payload.type and payload.object == "response":  # a whole one, from a server that does not stream
            self._read_response(_object(reread(data)), "completed")
        elif payload.type.rpartition(".")[2] in BEATS:
            self._writer.emit(Heartbeat())
        else:
            self._read_unknown(payload, data)

    def _read_unknown(self, payload: Payload, data: bytes) -> None:
        """Reads an event without a known type: one that a gateway wrapped, an error, or anything else."""
        wire = reread(data) if not payload.type else None
        inner = unwrapped(wire, _is_event)
        if inner is not None:
            self.read(shape(inner, Payload), b"", msgspec.json.encode(inner))
        elif is_error(wire):
            self._writer.fail(read_error(wire))
        else:
            self._writer.unknown(data)


def _is_event(wire: dict[str, Any]) -> bool:
    return str(wire.get("type")) in ITEM_EVENTS or str(wire.get("type")) in EVENTS


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


SEVERITY = {"completed": 1, "cancelled": 2, "incomplete": 2, "failed": 3}
"""The statuses of a response that is over, by how bad they are. Others do not count."""

BEATS = frozenset(
    {
        *("in_progress", "searching", "interpreting", "generating", "completed", "failed"),  # of a built-in tool
        *("keepalive", "ping", "heartbeat"),
    }
)
"""The last words of the event types that only say that work goes on."""

ITEM_EVENTS: dict[str, tuple[type[Item], Callable[[Any, Payload], None]]] = {
    "response.output_text.delta": (MessageItem, MessageItem.grow_text),
    "response.output_text.done": (MessageItem, MessageItem.end_text),
    "response.output_text.annotation.added": (MessageItem, MessageItem.annotate),
    "response.output_text_annotation.added": (MessageItem, MessageItem.annotate),  # its name until 2025
    "response.refusal.delta": (MessageItem, MessageItem.grow_refusal),
    "response.refusal.done": (MessageItem, MessageItem.end_refusal),
    "response.reasoning_text.delta": (ReasoningItem, ReasoningItem.grow_content),
    "response.reasoning_text.done": (ReasoningItem, ReasoningItem.end_content),
    "response.reasoning_summary_text.delta": (ReasoningItem, ReasoningItem.grow_summary),
    "response.reasoning_summary_text.done": (ReasoningItem, ReasoningItem.end_summary),
    "response.reasoning_summary_part.done": (ReasoningItem, ReasoningItem.end_summary_part),
    "response.reasoning_part.done": (ReasoningItem, ReasoningItem.end_content_part),
    "response.reasoning.delta": (ReasoningItem, ReasoningItem.grow_content),  # these four: names until 2025
    "response.reasoning.done": (ReasoningItem, ReasoningItem.end_content),
    "response.reasoning_summary.delta": (ReasoningItem, ReasoningItem.grow_summary),
    "response.reasoning_summary.done": (ReasoningItem, ReasoningItem.end_summary),
    "response.function_call_arguments.delta": (CallItem, CallItem.grow),
    "response.function_call_arguments.done": (CallItem, CallItem.fill),
    "response.custom_tool_call_input.delta": (CustomCallItem, CallItem.grow),
    "response.custom_tool_call_input.done": (CustomCallItem, CallItem.fill),
    "response.mcp_call_arguments.delta": (McpCallItem, CallItem.grow),
    "response.mcp_call_arguments.done": (McpCallItem, CallItem.fill),
    "response.code_interpreter_call_code.delta": (CodeItem, CallItem.grow),
    "response.code_interpreter_call_code.done": (CodeItem, CallItem.fill),
}
"""The class of item that each type of event is about, and the method that reads it."""

EVENTS: dict[str, Callable[[OpenAIResponsesStream, Payload, bytes], None]] = {
    "response.created": OpenAIResponsesStream._read_progress,
    "response.queued": OpenAIResponsesStream._read_progress,
    "response.in_progress": OpenAIResponsesStream._read_progress,
    "response.completed": OpenAIResponsesStream._read_end,
    "response.done": OpenAIResponsesStream._read_end,
    "response.incomplete": OpenAIResponsesStream._read_end,
    "response.failed": OpenAIResponsesStream._read_end,
    "response.cancelled": OpenAIResponsesStream._read_end,
    "error": OpenAIResponsesStream._read_error,
    "response.error": OpenAIResponsesStream._read_error,
    "response.output_item.added": OpenAIResponsesStream._read_added,
    "response.output_item.done": OpenAIResponsesStream._read_item_done,
    "response.content_part.added": OpenAIResponsesStream._skip,
    "response.content_part.done": OpenAIResponsesStream._read_part_done,
    "response.reasoning_part.added": OpenAIResponsesStream._skip,
    "response.reasoning_summary_part.added": OpenAIResponsesStream._skip,
}
"""The reader of each other type of event."""
