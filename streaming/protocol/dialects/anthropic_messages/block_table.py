"""The content blocks of one message. The table finds the block that an event is about."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.anthropic_messages.blocks import BLOCKS, Block, OpaqueBlock, ProseBlock
from streaming.protocol.dialects.anthropic_messages.call_blocks import CallBlock
from streaming.protocol.dialects.anthropic_messages.payload import DELTA_TYPES, PROSE_DELTAS, WireDelta

JSONObject = dict[str, Any]

# Blocks normally come one after the other. An open block keeps the object that began it, so a server that never ends
# its blocks may have only this many open; the oldest ones are then ended.
MAX_OPEN_BLOCKS = 64


class BlockTable:
    """The open blocks by index, and the calls that ended without input."""

    def __init__(self, writer: AnswerWriter) -> None:
        self.open: dict[int | None, Block] = {}
        self._writer = writer
        self._last: Block | None = None
        self._beside: Block | None = None
        """Prose that came under the index of a block of another kind (SGLang sends text into open tool calls)."""
        self._unjudged: list[CallBlock] = []
        """Calls of the site's that ended without input."""

    def start(self, index: int | None, wire: JSONObject | None) -> None:
        """Begins a block. If `wire` is empty, the first delta shows which kind it is."""
        block = self.open.get(index)
        if wire and isinstance(block, CallBlock) and block.is_of(wire):
            return  # the same start once more
        self.stop(index)
        self._conclude_calls()
        if wire:
            self._open(index, _class_of(wire), wire)

    def grow(self, index: int | None, delta: WireDelta) -> bool:
        """Reads a delta without an index or a type, of another type than its block, or of a block that never began.

        Returns False if no block reads it.
        """
        type_ = DELTA_TYPES.get(delta.type or "", delta.type)
        type_ = type_ or next((DELTA_TYPES[key] for key in DELTA_TYPES if getattr(delta, key) is not None), None)
        block = self._last if index is None else self.open.get(index)
        if block is None and type_ in PROSE_DELTAS:
            block = self._open(index, ProseBlock, {})
        elif block is not None and type_ not in block.deltas and type_ in PROSE_DELTAS:
            block = self._beside = self._beside or ProseBlock(self._writer, {})
        take = None if block is None else block.deltas.get(type_)
        if take is not None:
            take(delta)
        return take is not None

    def stop(self, index: int | None) -> None:
        """Ends the block with this index, if one is open."""
        beside, self._beside = self._beside, None
        for block in (self.open.pop(index, None), beside):
            if block is not None:
                block.end()
                if isinstance(block, CallBlock):
                    self._unjudged.append(block)

    def stop_last(self) -> None:
        """Ends the block that began last: the event has no index."""
        if self._last is not None:
            self._last.end()

    def stop_all(self) -> None:
        for index in list(self.open):
            self.stop(index)

    def read_whole(self, wire: JSONObject) -> None:
        """Reads a block that came whole."""
        self._conclude_calls()
        block = _class_of(wire)(self._writer, wire)
        if isinstance(block, CallBlock):
            block.conclude()
        else:
            block.end()

    def _open(self, index: int | None, kind: type[Block], wire: JSONObject) -> Block:
        for late in list(self.open)[: max(0, len(self.open) - MAX_OPEN_BLOCKS + 1)]:
            self.stop(late)
        self._last = self.open[index] = block = kind(self._writer, wire)
        return block

    def _conclude_calls(self) -> None:
        """Ends the calls without input: the model went on to another block, so they were not cut."""
        calls, self._unjudged = self._unjudged, []
        for call in calls:
            call.conclude()


def _class_of(wire: JSONObject) -> type[Block]:
    return BLOCKS.get(str(wire.get("type")), OpaqueBlock)
