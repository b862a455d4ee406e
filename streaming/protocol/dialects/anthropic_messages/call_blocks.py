"""The content blocks of an Anthropic message that are tool calls."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import SERVER_ID, AnswerWriter, Arguments, Call, name_of, text_of
from streaming.protocol.dialects.anthropic_messages.block import Block, JSONObject
from streaming.protocol.dialects.anthropic_messages.payload import INPUT, string_of


class CallBlock(Block):
    """A tool call. Its arguments stream as fragments of JSON text, or come whole with the start."""

    is_provider_executed = False
    usual_keys = frozenset({"type", "id", "name", "input"})
    """The keys that the call has itself. All others go back with it."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._id = string_of(wire.get("id"))
        self._call = Call(writer, id=self._id, is_provider_executed=self.is_provider_executed)
        self._arguments = Arguments(self._call)
        self._call.raw = {key: wire[key] for key in wire if key not in self.usual_keys} or None
        self.deltas = {INPUT: self._read_json}
        self.start(wire)

    @property
    def is_open(self) -> bool:
        """True until the call has its verdict."""
        return self._call.id in self._writer.open_calls

    def start(self, wire: JSONObject) -> None:
        """Reads the start, or one more start, which may have what the first did not."""
        self._id = self._id or string_of(wire.get("id"))
        self._call.identify(self._id)
        if self._id.startswith(SERVER_ID):
            self._call.is_provider_executed = True
        self._call.name = self._call.name or name_of(wire.get("name"))
        self._call.announced = text_of(wire.get("input") or "") or self._call.announced
        if self._call.name:
            self._call.start()

    def is_of(self, wire: JSONObject) -> bool:
        """Returns True if `wire`, under the same index, begins this call once more."""
        id, name = string_of(wire.get("id")), name_of(wire.get("name"))
        is_unknown = not (self._id or self._call.name)
        return is_unknown or not (id or name) or (bool(id) and id == self._id)

    def goes_on_with(self, wire: JSONObject) -> bool:
        """Returns True if `wire`, under any index, begins the next fragment of this call."""
        id, name = string_of(wire.get("id")), name_of(wire.get("name"))
        if not name:
            return id in ("", self._id)
        is_unfinished = self._call.size and not self._call.ends_with("}")
        return bool(is_unfinished and id) and (id, name) == (self._id, self._call.name)

    def end(self) -> None:
        """Ends the call if its input is whole. Otherwise the next block, or the stop reason, shows if it was cut."""
        is_announced = bool(self._call.announced) or self._call.is_provider_executed
        if self._call.ends_with("}") if self._call.size else is_announced:
            self._call.end()

    def conclude(self, *, is_cut: bool = False) -> None:
        """Ends the call, because another block has begun. `is_cut` says that a call without input was cut."""
        self._call.end(is_cut=is_cut and not (self._call.size or self._call.announced))

    def _read_json(self, delta: Any) -> None:
        fragment = delta.input if delta.partial_json is None else delta.partial_json
        if type(fragment) is str:
            self._arguments.add(fragment)
        elif isinstance(fragment, dict):
            self._arguments.snap(fragment)


class ProviderCallBlock(CallBlock):
    """A call of a tool that the provider executes itself. It goes back with its type."""

    is_provider_executed = True
    usual_keys = CallBlock.usual_keys - {"type"}
