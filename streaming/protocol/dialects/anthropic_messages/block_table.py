"""The content blocks of one message. The table finds the block that an event is about."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.anthropic_messages.block import Block
from streaming.protocol.dialects.anthropic_messages.blocks import ProseBlock, class_of
from streaming.protocol.dialects.anthropic_messages.call_blocks import CallBlock
from streaming.protocol.dialects.anthropic_messages.payload import INPUT, PROSE_DELTAS, WireDelta, type_of

JSONObject = dict[str, Any]

# Blocks normally come one after the other. An open block keeps the object that began it, so a server that never ends
# its blocks may have only this many open; the oldest ones are then ended.
MAX_OPEN_BLOCKS = 64

NO_INPUT = (None, "", "{}")
"""The fragments of input that say nothing."""


class BlockTable:
    """The open blocks by index, and the calls that stopped before their input was whole."""

    def __init__(self, writer: AnswerWriter) -> None:
        self.open: dict[int | None, Block] = {}
        self._writer = writer
        self._last: Block | None = None
        self._beside: Block | None = None
        """Prose that came under the index of a block of another kind (SGLang sends text into open tool calls)."""
        self._unjudged: list[CallBlock] = []
        """Calls that stopped before their input was whole."""
        self._stopped: set[int | None] = set()
        """The indexes of the calls that have stopped."""
        self._has_lost_input = False
        """True if input came of which it is not known whose it is: a call without input is then one that was cut."""

    def start(self, index: int | None, wire: JSONObject | None) -> None:
        """Begins a block. If `wire` is empty, the first delta shows which kind it is."""
        again = self._call_again(index, wire) if wire else None
        if wire and again is not None:
            self._go_on(index, again)
            again.start(wire)
            return
        self.stop(index)
        self._conclude_calls()
        if wire:
            self._open(index, class_of(wire), wire)

    def grow(self, index: int | None, delta: WireDelta) -> bool:
        """Reads a delta without an index or a type, of another type than its block, or of a block that never began.

        Returns False if no block reads it.
        """
        type_ = type_of(delta)
        block = self._reader_of(type_, index, delta)
        if block is not None:
            block.deltas[type_](delta)
        return block is not None

    def finish(self, index: int | None, wire: JSONObject | None) -> None:
        """Reads the stop of a block. Relays of the SDK's own events send a whole call with it, as `wire`."""
        block = self._block_at(index)
        if wire and isinstance(block, CallBlock):
            block.start(wire)
        self.stop(next((at for at, each in self.open.items() if each is block), index))

    def stop(self, index: int | None) -> None:
        """Ends the block with this index, if one is open."""
        beside, self._beside = self._beside, None
        for block in (self.open.pop(index, None), beside):
            if block is not None:
                block.end()
                if isinstance(block, CallBlock):
                    self._stopped.add(index)
                    self._unjudged += [block] if block.is_open else []

    def stop_all(self) -> None:
        """Ends all blocks, because the message has ended. Its stop reason shows if calls without input were cut."""
        for index in list(self.open):
            self.stop(index)
        if self._has_lost_input:
            self._conclude_calls()

    def read_whole(self, wire: JSONObject) -> None:
        """Reads a block that came whole."""
        self._conclude_calls()
        block = class_of(wire)(self._writer, wire)
        if isinstance(block, CallBlock):
            block.conclude()
        else:
            block.end()

    def _reader_of(self, type_: str | None, index: int | None, delta: WireDelta) -> Block | None:
        """Returns the block that reads a delta of this type: the one at its index, or another one that can."""
        block = self._block_at(index)
        if block is not None and type_ in block.deltas:
            return block
        if type_ == INPUT:
            return self._call_of_input(index, delta)
        if type_ not in PROSE_DELTAS:
            return None
        if block is None:
            return self._open(index, ProseBlock, {})
        self._beside = self._beside or ProseBlock(self._writer, {})
        return self._beside

    def _block_at(self, index: int | None) -> Block | None:
        """Returns the open block that an event is about. Without an index, it is the one that began last."""
        return self._last if index is None else self.open.get(index)

    def _open(self, index: int | None, kind: type[Block], wire: JSONObject) -> Block:
        self._make_room()
        self._last = self.open[index] = block = kind(self._writer, wire)
        return block

    def _make_room(self) -> None:
        for late in list(self.open)[: max(0, len(self.open) - MAX_OPEN_BLOCKS + 1)]:
            self.stop(late)

    def _calls(self) -> list[CallBlock]:
        """Returns the calls whose input may go on, in the order in which they began."""
        return [*self._unjudged, *(block for block in self.open.values() if isinstance(block, CallBlock))]

    def _call_again(self, index: int | None, wire: JSONObject) -> CallBlock | None:
        """Returns the call that `wire` begins once more: some relays begin a call again for each fragment."""
        here = self.open.get(index)
        if not issubclass(class_of(wire), CallBlock):
            return None
        if isinstance(here, CallBlock) and here.is_of(wire):
            return here
        return next((call for call in reversed(self._calls()) if call.goes_on_with(wire)), None)

    def _go_on(self, index: int | None, call: CallBlock) -> None:
        """Opens a call once more, perhaps under another index."""
        if self.open.get(index) is call:
            return
        for before in [at for at, block in self.open.items() if block is call]:
            del self.open[before]
        self._unjudged = [each for each in self._unjudged if each is not call]
        self.stop(index)
        self._make_room()
        self._last = self.open[index] = call

    def _call_of_input(self, index: int | None, delta: WireDelta) -> CallBlock | None:
        """Returns the call of input that came under an index without an open call: the only one that it can be."""
        is_late = index in self._stopped
        open_calls = [] if is_late else [block for block in self.open.values() if isinstance(block, CallBlock)]
        calls = open_calls or self._unjudged
        if len(calls) == 1:
            return calls[0]
        is_lost = delta.partial_json not in NO_INPUT and not (is_late and not calls)
        self._has_lost_input = self._has_lost_input or is_lost
        return None

    def _conclude_calls(self) -> None:
        """Ends the calls that have stopped: the model went on to another block, so they were not cut."""
        calls, self._unjudged = self._unjudged, []
        for call in calls:
            call.conclude(is_cut=self._has_lost_input)
