"""Reads Anthropic Messages events, as Anthropic, its clouds and compatible servers send them.

An answer is complete at `message_stop`, or at EOF after a `message_delta` with a stop reason. The type of an event is
the `type` in its data, or else its SSE name, because some servers leave one of them out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose, read_usage
from streaming.protocol.dialects.anthropic_messages.blocks import BLOCKS, Block, CallBlock, OpaqueBlock, ProseBlock
from streaming.protocol.dialects.anthropic_messages.opening import Opening
from streaming.protocol.dialects.anthropic_messages.payload import DELTA_TYPES, PROSE_DELTAS, Payload, WireDelta
from streaming.protocol.dialects.wire import is_error, read_error, reports_error, reread, shape, unwrapped
from streaming.protocol.events import Heartbeat, OpaqueReceived

# Blocks normally come one after the other. An open block keeps the object that began it, so a server that never ends
# its blocks may have only this many open; the oldest ones are then ended.
MAX_OPEN_BLOCKS = 64


class AnthropicMessagesStream:
    """Reads the events of one message."""

    payload: ClassVar[type[msgspec.Struct]] = Payload
    awaits_usage = False

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._blocks: dict[int | None, Block] = {}
        self._last: Block | None = None
        self._beside: Block | None = None
        """Prose that came under the index of a block of another kind (SGLang sends text into open tool calls)."""
        self._unjudged: list[CallBlock] = []
        """Calls of the site's that ended without input."""
        self._opening = Opening()
        self._container: dict[str, Any] | None = None
        self._id: Any = None
        self._stop_reason: str | None = None

    def read(self, payload: Payload, event: bytes, data: bytes) -> None:
        block = self._blocks.get(payload.index)
        if block is not None and payload.delta is not None and payload.type == "content_block_delta":
            take = block.deltas.get(payload.delta.type)  # nine of ten events, so it is inlined
            if take is not None:
                take(payload.delta)
                return
        type_ = payload.type or event.decode("utf-8", "replace")
        read = EVENTS.get(type_)
        if self._opening and type_ not in BEATS and not (self._blocks and type_ in WITHIN_BLOCKS):
            self._read_opening(payload)
        if read is not None:
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
        if self._stop_reason is not None:
            self._finish()
        else:
            self._keep_container()
            self._writer.truncate()

    def _read_start(self, payload: Payload, _data: bytes) -> None:
        message = payload.message if isinstance(payload.message, dict) else {}
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
            self._read_whole(wire)

    def _read_whole(self, wire: dict[str, Any]) -> None:
        """Reads a block that came whole."""
        self._conclude_calls()
        block = BLOCKS.get(str(wire.get("type")), OpaqueBlock)(self._writer, wire)
        if isinstance(block, CallBlock):
            block.conclude()
        else:
            block.end()

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
        if not (self._blocks or self._opening or self._writer.has_parts):
            self._id = message.get("id")
            self._begin(message)
        else:
            self._writer.warn("spliced", "a second message began before the first had ended")
            self._writer.truncate()

    def _read_block_start(self, payload: Payload, _data: bytes) -> None:
        wire, block = payload.content_block, self._blocks.get(payload.index)
        if wire and isinstance(block, CallBlock) and block.is_of(wire):
            return  # the same start once more
        self._end_block(payload.index)
        self._conclude_calls()
        if wire:  # else the first delta shows which kind it is
            self._open(payload.index, BLOCKS.get(str(wire.get("type")), OpaqueBlock), wire)

    def _open(self, index: int | None, kind: type[Block], wire: dict[str, Any]) -> Block:
        for late in list(self._blocks)[: max(0, len(self._blocks) - MAX_OPEN_BLOCKS + 1)]:
            self._end_block(late)
        self._last = self._blocks[index] = block = kind(self._writer, wire)
        return block

    def _read_block_delta(self, payload: Payload, data: bytes) -> None:
        """Reads a delta without an index or a type, of another type than its block, or of a block that never began."""
        delta = payload.delta or WireDelta()
        type_ = DELTA_TYPES.get(delta.type or "", delta.type)
        type_ = type_ or next((DELTA_TYPES[key] for key in DELTA_TYPES if getattr(delta, key) is not None), None)
        block = self._last if payload.index is None else self._blocks.get(payload.index)
        if block is None and type_ in PROSE_DELTAS:
            block = self._open(payload.index, ProseBlock, {})
        elif block is not None and type_ not in block.deltas and type_ in PROSE_DELTAS:
            block = self._beside = self._beside or ProseBlock(self._writer, {})
        if block is not None and type_ in block.deltas:
            block.deltas[type_](delta)
        else:
            self._writer.unknown(data)

    def _read_block_stop(self, payload: Payload, _data: bytes) -> None:
        if payload.index is None and self._last is not None:
            self._last.end()
        self._end_block(payload.index)

    def _end_block(self, index: int | None) -> None:
        beside, self._beside = self._beside, None
        for block in (self._blocks.pop(index, None), beside):
            if block is not None:
                block.end()
                if isinstance(block, CallBlock):
                    self._unjudged.append(block)

    def _conclude_calls(self) -> None:
        """Ends the calls without input: the model went on to another block, so they were not cut."""
        calls, self._unjudged = self._unjudged, []
        for call in calls:
            call.conclude()

    def _read_message_delta(self, payload: Payload, _data: bytes) -> None:
        delta = payload.delta or WireDelta()
        self._writer.report_usage(read_usage(payload.usage))
        self._note_container(delta.container or payload.container)
        self._read_stop(delta.stop_reason, delta.stop_details)

    def _read_stop(self, reason: Any, details: Any) -> None:
        if reason:
            self._stop_reason = str(reason)
        explanation = details.get("explanation") if isinstance(details, dict) else None
        if isinstance(explanation, str) and explanation:
            Prose(self._writer).refusal(explanation)

    def _read_message_stop(self, payload: Payload, _data: bytes) -> None:
        self._writer.report_usage(read_usage(payload.usage))
        self._read_stop(payload.stop_reason, payload.stop_details)
        self._finish()

    def _finish(self) -> None:
        for index in list(self._blocks):
            self._end_block(index)
        self._keep_container()
        self._writer.finish(self._stop_reason)

    def _read_ping(self, _payload: Payload, _data: bytes) -> None:
        self._writer.emit(Heartbeat())

    def _read_error(self, _payload: Payload, data: bytes) -> None:
        self._keep_container()
        self._writer.fail(read_error(reread(data)))

    def _read_other(self, payload: Payload, data: bytes) -> None:
        """Reads an event without a known type: one that a gateway wrapped, an error, or anything else."""
        wire = reread(data)
        inner = unwrapped(wire, _is_event)
        if inner is not None:
            self.read(shape(inner, Payload), b"", msgspec.json.encode(inner))
        elif not payload.type and is_error(wire):
            self._writer.fail(read_error(wire))
        else:
            self._writer.unknown(data)

    def _read_message(self, payload: Payload, _data: bytes) -> None:
        """Reads a whole message, from a server that does not stream."""
        self._writer.start(payload.id, payload.model)
        for wire in payload.content if isinstance(payload.content, list) else []:
            if isinstance(wire, dict):
                self._read_block_start(Payload(content_block=wire), b"")
        self._writer.report_usage(read_usage(payload.usage))
        self._note_container(payload.container)
        self._read_stop(payload.stop_reason, payload.stop_details)
        self._finish()


def _is_event(wire: dict[str, Any]) -> bool:
    return str(wire.get("type")) in EVENTS


BEATS = frozenset({"ping", "error"})
"""The events that say nothing about the blocks."""

WITHIN_BLOCKS = frozenset({"content_block_delta", "content_block_stop"})

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
