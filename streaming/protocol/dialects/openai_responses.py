"""OpenAI Responses events, as OpenAI and compatible servers send them.

Complete at `response.completed` or `response.incomplete`; broken at `error` or `response.failed`. An item is known by
its `output_index`, not by its id: some servers send another id with every event. Only where there is no index
(llama.cpp) does the id count: two calls may be open at once there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from streaming.protocol.dialects.call_items import CallItem, CodeItem, CustomCallItem, McpCallItem
from streaming.protocol.dialects.errors import read_error
from streaming.protocol.dialects.items import ITEMS, Item, MessageItem, OpaqueItem, ReasoningItem
from streaming.protocol.dialects.usage import read_usage
from streaming.protocol.dialects.wire import reread
from streaming.protocol.events import Heartbeat

if TYPE_CHECKING:
    from streaming.protocol.dialects.answer import Answer


Key = tuple[int | str | None, type[Item]]
"""Index (or id) and class of an item: servers that number badly give a message and a call the same index."""


class Payload(msgspec.Struct, gc=False):
    """The fields of all event types that are read. One flat struct decodes nearly as fast as a tagged union."""

    type: str = ""
    delta: Any = None
    output_index: int | None = None
    item_id: Any = None
    content_index: int | None = None
    summary_index: int | None = None
    item: dict[str, Any] | None = None
    response: Any = None
    text: Any = None
    arguments: Any = None
    input: Any = None
    code: Any = None
    refusal: Any = None
    annotation: Any = None
    error: Any = None
    object: Any = None


class OpenAIResponses:
    """Events of one response to verbs on its answer."""

    payload: ClassVar[type[msgspec.Struct]] = Payload

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._items: dict[Key, Item] = {}
        self._done: dict[Key, Any] = {}
        self._latest: dict[type[Item], Key] = {}

    def read(self, payload: Payload, event: bytes, data: bytes) -> None:
        if not payload.type:
            payload.type = event.decode("utf-8", "replace")
        found = ITEM_EVENTS.get(payload.type)
        if found is not None:
            item_type, take = found
            key: Key = (payload.output_index, item_type)
            if payload.output_index is None:
                key = self._find(item_type, None, _id(payload.item_id))
            take(self._items.get(key) or self._open(key, {}), payload)
        else:
            is_error = event == b"error" or (payload.error and not payload.type)
            other = OpenAIResponses._read_error if is_error else OpenAIResponses._read_other
            EVENTS.get(payload.type, other)(self, payload, data)

    def done(self) -> None:
        self.end()

    def end(self) -> None:
        self._answer.truncate()

    def _open(self, key: Key, wire: dict[str, Any]) -> Item:
        self._answer.reserve()
        self._done.pop(key, None)  # another item under the same index
        self._items[key] = item = key[1](self._answer, wire)
        self._latest[key[1]] = key
        return item

    def _find(self, item_type: type[Item], index: int | None, item_id: str | None) -> Key:
        """The item an event is about: by index, else by id, else the latest of its class."""
        if index is not None:
            return index, item_type
        named = (item_id, item_type)
        return named if named in self._items else self._latest.get(item_type, named)

    def _read_added(self, payload: Payload, _data: bytes) -> None:
        wire = payload.item or {}
        place = _id(wire.get("id")) if payload.output_index is None else payload.output_index
        self._open((place, _class(wire)), wire)

    def _read_item_done(self, payload: Payload, _data: bytes) -> None:
        wire = payload.item or {}
        key = self._find(_class(wire), payload.output_index, _id(wire.get("id")))
        identity = wire.get("call_id") or wire.get("id")
        if key in self._done and self._done[key] == identity:
            return  # said twice
        if key in self._done or key not in self._items:
            self._open(key, wire)
        self._done[key] = identity
        self._items[key].done(wire)

    def _read_progress(self, payload: Payload, _data: bytes) -> None:
        response = _object(payload.response)
        if self._answer.is_started:
            self._answer.emit(Heartbeat())
        else:
            self._answer.start(response.get("id"), response.get("model"))

    def _skip(self, _payload: Payload, _data: bytes) -> None:
        """Says nothing that other events do not say."""

    def _read_end(self, payload: Payload, _data: bytes) -> None:
        self._read_response(_object(payload.response))

    def _read_failed(self, payload: Payload, _data: bytes) -> None:
        self._read_response({"status": "failed"} | _object(payload.response))

    def _read_incomplete(self, payload: Payload, _data: bytes) -> None:
        self._read_response({"status": "incomplete"} | _object(payload.response))

    def _read_response(self, response: dict[str, Any]) -> None:
        """A response that is over: fill in what did not stream, and end."""
        self._answer.start(response.get("id"), response.get("model"))
        self._answer.report_usage(read_usage(response.get("usage")))
        status = str(response.get("status"))
        status = status if status in STATUSES else "completed"
        if status == "failed" or response.get("error"):
            self._answer.fail(read_error(response.get("error") or "the response failed"))
            return
        self._fill(response)
        reason = _object(response.get("incomplete_details")).get("reason") if status == "incomplete" else None
        self._answer.finish(str(reason or status))

    def _fill(self, response: dict[str, Any]) -> None:
        """Take the items of kinds of which nothing streamed; indexes need not agree with those of the events."""
        streamed = set(self._latest)
        output = response.get("output")
        for wire in output if isinstance(output, list) else []:
            if isinstance(wire, dict) and _class(wire) not in streamed:
                self._open((None, _class(wire)), wire).done(wire)

    def _read_error(self, _payload: Payload, data: bytes) -> None:
        self._answer.fail(read_error(reread(data)))

    def _read_other(self, payload: Payload, data: bytes) -> None:
        if not payload.type and payload.object == "response":
            self._read_response(_object(reread(data)))  # a whole response from a server that does not stream
        elif payload.type.rpartition(".")[2] in BEATS:
            self._answer.emit(Heartbeat())
        else:
            self._answer.unknown(data)


def _class(wire: dict[str, Any]) -> type[Item]:
    return ITEMS.get(str(wire.get("type")), OpaqueItem)


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


STATUSES = frozenset({"completed", "incomplete", "failed", "cancelled"})
"""Of a response that is over. Some servers leave `in_progress` in the last event."""

BEATS = frozenset({"in_progress", "searching", "interpreting", "generating", "completed", "failed"})
"""Last words of the types that tell only how far a built-in tool has come."""

ITEM_EVENTS: dict[str, tuple[type[Item], Callable[[Any, Payload], None]]] = {
    "response.output_text.delta": (MessageItem, MessageItem.grow_text),
    "response.output_text.done": (MessageItem, MessageItem.end_text),
    "response.output_text.annotation.added": (MessageItem, MessageItem.annotate),
    "response.refusal.delta": (MessageItem, MessageItem.grow_refusal),
    "response.refusal.done": (MessageItem, MessageItem.end_refusal),
    "response.reasoning_text.delta": (ReasoningItem, ReasoningItem.grow_content),
    "response.reasoning_text.done": (ReasoningItem, ReasoningItem.end_content),
    "response.reasoning_summary_text.delta": (ReasoningItem, ReasoningItem.grow_summary),
    "response.reasoning_summary_text.done": (ReasoningItem, ReasoningItem.end_summary),
    "response.function_call_arguments.delta": (CallItem, CallItem.grow),
    "response.function_call_arguments.done": (CallItem, CallItem.fill),
    "response.custom_tool_call_input.delta": (CustomCallItem, CallItem.grow),
    "response.custom_tool_call_input.done": (CustomCallItem, CallItem.fill),
    "response.mcp_call_arguments.delta": (McpCallItem, CallItem.grow),
    "response.mcp_call_arguments.done": (McpCallItem, CallItem.fill),
    "response.code_interpreter_call_code.delta": (CodeItem, CallItem.grow),
    "response.code_interpreter_call_code.done": (CodeItem, CallItem.fill),
}
"""Type of event to the class of item it is about and what takes it."""

EVENTS: dict[str, Callable[[OpenAIResponses, Payload, bytes], None]] = {
    "response.created": OpenAIResponses._read_progress,
    "response.queued": OpenAIResponses._read_progress,
    "response.in_progress": OpenAIResponses._read_progress,
    "response.completed": OpenAIResponses._read_end,
    "response.done": OpenAIResponses._read_end,
    "response.incomplete": OpenAIResponses._read_incomplete,
    "response.failed": OpenAIResponses._read_failed,
    "error": OpenAIResponses._read_error,
    "response.error": OpenAIResponses._read_error,
    "response.output_item.added": OpenAIResponses._read_added,
    "response.output_item.done": OpenAIResponses._read_item_done,
    "response.content_part.added": OpenAIResponses._skip,
    "response.content_part.done": OpenAIResponses._skip,
    "response.reasoning_part.added": OpenAIResponses._skip,
    "response.reasoning_part.done": OpenAIResponses._skip,
    "response.reasoning_summary_part.added": OpenAIResponses._skip,
    "response.reasoning_summary_part.done": OpenAIResponses._skip,
}
"""Type of every other event that is read to what reads it."""
