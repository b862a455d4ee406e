"""Reads OpenAI Responses events, as OpenAI and compatible servers send them.

An answer is complete at `response.completed` or `response.incomplete`. It has failed at `error` or `response.failed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, read_usage
from streaming.protocol.dialects.openai_responses.item_events import ITEM_EVENTS, PART_EVENTS, THOUGHTS
from streaming.protocol.dialects.openai_responses.item_table import ItemTable
from streaming.protocol.dialects.openai_responses.items import CallItem, MessageItem, ReasoningItem, words_of
from streaming.protocol.dialects.openai_responses.payload import Payload
from streaming.protocol.dialects.wire import is_error, object_of, read_error, reports_error, reread, shape, unwrapped
from streaming.protocol.events import Heartbeat


class OpenAIResponsesStream:
    """Reads the events of one response."""

    payload: ClassVar[type[msgspec.Struct]] = Payload

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._items = ItemTable(writer)
        self._only = self._items.only
        self._id: Any = None
        """The id in the last `response.created`. Other events may have other ids (GitHub Copilot)."""
        self.awaits_late = False
        """True after a failure without a reason: Azure sends the reason in another event."""
        self._status = "completed"
        """The worst status so far of a response that is over."""
        self._is_wrapped = False
        """True if the events come in objects of a gateway."""

    def read(self, payload: Payload, event: bytes, data: bytes) -> None:
        found = ITEM_EVENTS.get(payload.type)
        if found is None and not payload.type:
            payload.type = event.decode("utf-8", "replace")
            found = ITEM_EVENTS.get(payload.type)
        if found is not None:
            kind, take = found
            item = self._only.get((payload.output_index, kind))
            take(self._items.take(kind, payload) if item is None else item, payload)
        else:
            is_error = event == b"error" or (not payload.type and reports_error(payload.error))
            other = OpenAIResponsesStream._read_error if is_error else OpenAIResponsesStream._read_other
            EVENTS.get(payload.type, other)(self, payload, data)

    def done(self) -> None:
        self.end()

    def read_late(self, payload: Payload) -> None:
        """Reads the reason of a failure. Usage comes before the end in this dialect."""
        if reports_error(payload.error):
            self._fail(payload.error)

    def end(self) -> None:
        if self.awaits_late:
            self._writer.fail(read_error("the response failed"))
        else:
            self._items.cut()
            self._writer.truncate()

    def _fail(self, error: Any) -> None:
        self._items.cut()
        self._writer.fail(read_error(error))

    def _read_added(self, payload: Payload, _data: bytes) -> None:
        if payload.item:
            self._items.announce(payload.output_index, payload.item)

    def _read_item_done(self, payload: Payload, _data: bytes) -> None:
        if payload.item:
            self._items.finish(payload.output_index, payload.item)

    def _read_arguments_done(self, payload: Payload, data: bytes) -> None:
        call = self._items.take(CallItem, payload)
        if isinstance(call, CallItem):
            if not call.is_started:
                call.take_names(object_of(reread(data)))
            call.fill(payload)

    def _read_part(self, payload: Payload, _data: bytes) -> None:
        in_message, in_reasoning = PART_EVENTS[payload.type]
        part = payload.delta if payload.part is None else payload.part
        kind, take = (ReasoningItem, in_reasoning) if self._is_thought(payload, part) else (MessageItem, in_message)
        item = self._items.find(kind, payload.output_index, payload.item_id)
        if item is None and words_of(part):
            item = self._items.take(kind, payload)
        if item is not None:
            take(item, payload)

    def _is_thought(self, payload: Payload, part: Any) -> bool:
        """Returns True for a part of reasoning. vLLM calls it `output_text`, so the item that is open there decides."""
        place = payload.output_index, payload.item_id
        is_open = payload.output_index is not None and self._items.is_open(ReasoningItem, *place)
        is_named = str(object_of(part).get("type")) in THOUGHTS
        return is_named or (is_open and self._items.find(MessageItem, *place) is None)

    def _read_created(self, payload: Payload, data: bytes) -> None:
        """Reads the start of a response. A second one with another id goes on with the answer (LiteLLM's tool rounds).

        If it comes within words, it is a relay's retry, and these words are cut.
        """
        id = _response_of(payload, data).get("id")
        is_another = None not in (id, self._id) and id != self._id
        if is_another and self._writer.open_prose:
            self._writer.warn("spliced", "a second response began before the first had ended")
            self.end()
            return
        self._id = id
        self._read_progress(payload, data)

    def _read_progress(self, payload: Payload, data: bytes) -> None:
        if self._writer.is_started:
            self._writer.emit(Heartbeat())
        else:
            response = _response_of(payload, data)
            self._writer.start(response.get("id"), response.get("model"))

    def _read_end(self, payload: Payload, data: bytes) -> None:
        response = _response_of(payload, data)
        if not response.get("usage"):
            response["usage"] = object_of(reread(data)).get("usage")  # some relays put it beside the response
        self._read_response(response, payload.type.rpartition(".")[2], payload.error)

    def _read_response(self, response: dict[str, Any], word: str, error: Any = None) -> None:
        """Reads a response that is over: adds what did not stream, and ends the answer.

        `word` is the last word of the event's type. It and the response's status may differ, because some servers
        leave an old status in the response. The worse of the two counts.
        """
        self._writer.start(response.get("id"), response.get("model"))
        self._writer.report_usage(read_usage(response.get("usage")))
        self._status = max((self._status, word, str(response.get("status"))), key=lambda each: SEVERITY.get(each, 0))
        found = next(filter(reports_error, (response.get("error"), error)), None)
        if found is not None or self._status == "failed":
            self._read_failure(found or (response if is_error(response) else None))
            return
        self._items.complete(self._output_of(response))
        self._items.cut()
        reason = object_of(response.get("incomplete_details")).get("reason") if self._status == "incomplete" else None
        self._writer.finish(str(reason or self._status))

    def _output_of(self, response: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns the items of a whole response. Some servers only send their text, as the SDK's `output_text`."""
        output = response.get("output")
        if not (output or self._writer.has_parts) and words_of(response.get("output_text")):
            return [{"type": "message", "content": response["output_text"]}]
        return [wire for wire in output if isinstance(wire, dict)] if isinstance(output, list) else []

    def _read_failure(self, error: Any) -> None:
        """Ends the answer if the reason of the failure is known. Otherwise the next event may have it."""
        if error is not None:
            self._fail(error)
        else:
            self._items.cut()
            self.awaits_late = True

    def _read_error(self, payload: Payload, data: bytes) -> None:
        self._fail(object_of(payload.response).get("error") or reread(data))

    def _read_other(self, payload: Payload, data: bytes) -> None:
        if payload.type.rpartition(".")[2] in BEATS:
            self._writer.emit(Heartbeat())
        else:
            self._read_unknown(payload, data)

    def _read_unknown(self, payload: Payload, data: bytes) -> None:
        """Reads an event without a known type: one that a gateway wrapped, an error, or anything else.

        Within a stream of plain events it is no wrapped one, even if it looks so: servers report on their tools there.
        """
        wire = reread(data) if not payload.type else None
        is_first = not self._writer.has_begun
        inner = unwrapped(wire, _is_event) if self._is_wrapped or is_first else None
        if inner is not None:
            self._is_wrapped = True
            self.read(shape(inner, Payload), b"", msgspec.json.encode(inner))
        elif _is_response(object_of(wire), is_first=is_first):  # a whole one, from a server that does not stream
            self._read_response(object_of(wire), "completed")
            self.end()  # no event follows
        elif is_error(wire):
            self._fail(wire)
        else:
            self._writer.unknown(data)


def _is_event(wire: dict[str, Any]) -> bool:
    return str(wire.get("type")) in ITEM_EVENTS or str(wire.get("type")) in EVENTS


def _is_response(wire: dict[str, Any], *, is_first: bool) -> bool:
    return wire.get("object") == "response" or (is_first and isinstance(wire.get("output"), list))


def _response_of(payload: Payload, data: bytes) -> dict[str, Any]:
    """Returns the response of an event. Some relays put its fields into the event itself."""
    return payload.response if isinstance(payload.response, dict) else object_of(reread(data))


SEVERITY = {"completed": 1, "cancelled": 2, "incomplete": 2, "failed": 3}
"""The statuses of a response that is over, by how bad they are. Others do not count."""

BEATS = frozenset(
    {
        *("in_progress", "searching", "interpreting", "generating", "completed", "failed"),  # of a built-in tool
        *("keepalive", "ping", "heartbeat"),
    }
)
"""The last words of the event types that only say that work goes on."""

EVENTS: dict[str, Callable[[OpenAIResponsesStream, Payload, bytes], None]] = {
    "response.created": OpenAIResponsesStream._read_created,
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
    "response.function_call_arguments.done": OpenAIResponsesStream._read_arguments_done,
    "response.content_part.added": OpenAIResponsesStream._read_part,
    "response.content_part.delta": OpenAIResponsesStream._read_part,  # OpenRouter
    "response.content_part.done": OpenAIResponsesStream._read_part,
}
"""The reader of each other type of event."""
