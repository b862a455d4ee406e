"""Reads Anthropic Messages events, as Anthropic, its clouds and compatible servers send them.

An answer is complete at `message_stop`, or at EOF after a `message_delta` with a stop reason. The type of an event is
the `type` in its data, or else its SSE name, because some servers leave one of them out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose, read_usage
from streaming.protocol.dialects.anthropic_messages.block_table import BlockTable
from streaming.protocol.dialects.anthropic_messages.ending import Ending, usage_elsewhere
from streaming.protocol.dialects.anthropic_messages.opening import Opening
from streaming.protocol.dialects.anthropic_messages.payload import Payload, WireDelta, string_of
from streaming.protocol.dialects.wire import is_error, object_of, read_error, reports_error, reread, shape, unwrapped
from streaming.protocol.events import Heartbeat, OpaqueReceived


class AnthropicMessagesStream:
    """Reads the events of one message."""

    payload: ClassVar[type[msgspec.Struct]] = Payload
    awaits_late = False

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._blocks = BlockTable(writer)
        self._open = self._blocks.open
        self._opening = Opening()
        self._container: dict[str, Any] | None = None
        self._id: Any = None
        self._ending = Ending()
        self._is_wrapped = False
        """True if the events come in objects of a gateway."""

    def read(self, payload: Payload, event: bytes, data: bytes) -> None:
        block = self._open.get(payload.index)
        if block is not None and payload.delta is not None and payload.type == "content_block_delta":
            take = block.deltas.get(payload.delta.type)  # nine of ten events, so it is inlined
            if take is not None:
                take(payload.delta)
                return
        type_ = payload.type or event.decode("utf-8", "replace")
        read = EVENTS.get(type_)
        if read is not None:
            if self._opening and type_ not in BESIDE_BLOCKS and not (self._open and type_ in WITHIN_BLOCKS):
                self._read_opening(payload)
            read(self, payload, data)
        elif reports_error(payload.error) or event == b"error":
            self._read_error(payload, data)
        else:
            self._read_other(payload, data)

    def done(self) -> None:
        self.end()

    def read_late(self, _payload: Payload) -> None:
        """Does nothing: usage comes before the end in this dialect."""

    def end(self) -> None:
        self._read_opening(Payload())
        if self._ending.reason is not None:
            self._finish()
        else:
            self._keep_container()
            self._writer.truncate()

    def _read_start(self, payload: Payload, _data: bytes) -> None:
        message = object_of(payload.message)
        if self._writer.is_started:
            self._read_second_start(message)
            return
        self._id = message.get("id")
        self._writer.start(self._id, message.get("model"))
        self._begin(message)

    def _begin(self, message: dict[str, Any]) -> None:
        self._writer.report_usage(read_usage(message.get("usage"), is_early=True))
        self._note_container(message.get("container"))
        self._opening = Opening(message.get("content"))

    def _read_opening(self, payload: Payload) -> None:
        for wire in self._opening.take(payload):
            self._blocks.read_whole(wire)

    def _note_container(self, container: Any) -> None:
        if isinstance(container, dict) and isinstance(container.get("id"), str):
            self._container = container

    def _keep_container(self) -> None:
        """Adds the container in which the code ran. The next turn has to name it to go on there."""
        container, self._container = self._container, None
        if container is not None and not self._writer.is_over:
            self._writer.silent_parts += 1
            self._writer.emit(OpaqueReceived(self._writer.new_part(), {**container, "type": "container"}))

    def _read_second_start(self, message: dict[str, Any]) -> None:
        """Reads a second start. The same id is a repetition; another id is a relay's retry, so what came is cut."""
        if message.get("id") == self._id:
            return
        if not (self._open or self._opening or self._writer.has_parts):
            self._id = message.get("id")
            self._begin(message)
        else:
            self._writer.warn("spliced", "a second message began before the first had ended")
            self._writer.truncate()

    def _read_block_start(self, payload: Payload, _data: bytes) -> None:
        self._blocks.start(payload.index, payload.content_block)

    def _read_block_delta(self, payload: Payload, data: bytes) -> None:
        if not self._blocks.grow(payload.index, payload.delta or WireDelta()):
            self._writer.unknown(data)

    def _read_block_stop(self, payload: Payload, _data: bytes) -> None:
        self._blocks.finish(payload.index, payload.content_block)

    def _read_message_delta(self, payload: Payload, data: bytes) -> None:
        delta = payload.delta or WireDelta()
        self._read_usage(payload, data)
        self._note_container(delta.container or payload.container)
        self._read_stop(delta.stop_reason, delta.stop_details, data)

    def _read_usage(self, payload: Payload, data: bytes) -> None:
        is_elsewhere = payload.usage is None and self._writer.usage.output_tokens is None
        usage = usage_elsewhere(reread(data)) if is_elsewhere else payload.usage
        self._writer.report_usage(read_usage(usage))

    def _read_stop(self, reason: Any, details: Any, data: bytes) -> None:
        self._ending.read(reason, data)
        explanation = string_of(object_of(details).get("explanation"))
        if explanation and self._ending.failure is None:
            Prose(self._writer).refusal(explanation)

    def _read_message_stop(self, payload: Payload, data: bytes) -> None:
        self._read_usage(payload, data)
        self._read_stop(payload.stop_reason, payload.stop_details, data)
        self._finish()

    def _finish(self) -> None:
        self._blocks.stop_all()
        self._keep_container()
        if self._ending.error is not None:
            self._writer.fail(self._ending.error)
        else:
            self._writer.finish(self._ending.reason)

    def _read_ping(self, _payload: Payload, _data: bytes) -> None:
        self._writer.emit(Heartbeat())

    def _read_error(self, _payload: Payload, data: bytes) -> None:
        self._read_opening(Payload())
        self._keep_container()
        self._writer.fail(read_error(reread(data)))

    def _read_other(self, payload: Payload, data: bytes) -> None:
        """Reads an event without a known type: one that a gateway wrapped, an error, or anything else.

        Within a stream of plain events it is no wrapped one and no message, even if it looks so: servers report on
        their tools there.
        """
        wire = reread(data)
        is_first = not self._writer.has_begun
        inner = unwrapped(wire, _is_event) if self._is_wrapped or is_first else None
        if inner is not None:
            self._is_wrapped = True
            self.read(shape(inner, Payload), b"", msgspec.json.encode(inner))
        elif is_first and not payload.type and isinstance(payload.content, list):
            self._read_message(payload, data)
        elif not payload.type and is_error(wire):
            self._read_error(payload, data)
        else:
            self._writer.unknown(data)

    def _read_message(self, payload: Payload, data: bytes) -> None:
        """Reads a whole message, from a server that does not stream."""
        if reports_error(payload.error):
            self._read_error(payload, data)
            return
        self._writer.start(payload.id, payload.model)
        for wire in payload.content if isinstance(payload.content, list) else []:
            if isinstance(wire, dict):
                self._blocks.start(None, wire)
        self._read_usage(payload, data)
        self._note_container(payload.container)
        self._read_stop(payload.stop_reason, payload.stop_details, data)
        self._finish()


def _is_event(wire: dict[str, Any]) -> bool:
    return str(wire.get("type")) in EVENTS


BESIDE_BLOCKS = frozenset({"ping", "error"})
"""The events that say nothing about the blocks."""

WITHIN_BLOCKS = frozenset({"content_block_delta", "content_block_stop"})
"""The events that say nothing about other blocks while one is open."""

EVENTS: dict[str, Callable[[AnthropicMessagesStream, Payload, bytes], None]] = {
    "content_block_delta": AnthropicMessagesStream._read_block_delta,
    "message_start": AnthropicMessagesStream._read_start,
    "content_block_start": AnthropicMessagesStream._read_block_start,
    "content_block_stop": AnthropicMessagesStream._read_block_stop,
    "message_delta": AnthropicMessagesStream._read_message_delta,
    "message_stop": AnthropicMessagesStream._read_message_stop,
    "ping": AnthropicMessagesStream._read_ping,
    "error": AnthropicMessagesStream._read_error,
    "message": AnthropicMessagesStream._read_message,
}
