"""The content blocks of an Anthropic message that are tool calls."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Arguments, Call, name_of, text_of
from streaming.protocol.dialects.anthropic_messages.payload import Readers, string_of

JSONObject = dict[str, Any]


class CallBlock:
    """A tool call. Its arguments stream as fragments of JSON text, or come whole with the start."""

    is_provider_executed = False
    usual_keys = frozenset({"type", "id", "name", "input"})
    """The keys that the call has itself. All others go back with it."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._id = string_of(wire.get("id"))
        self._call = Call(
            writer,
            id=self._id,
            name=name_of(wire.get("name")),
            is_provider_executed=self.is_provider_executed or self._id.startswith(SERVER_ID),
        )
        self._arguments = Arguments(self._call)
        self._call.raw = {key: wire[key] for key in wire if key not in self.usual_keys} or None
        self._call.announced = text_of(wire.get("input") or "")
        self.deltas: Readers = {"input_json_delta": self._read_json}
        if self._call.name:
            self._call.start()

    def is_of(self, wire: JSONObject) -> bool:
        """Returns True if `wire` begins this call."""
        return bool(self._id) and wire.get("id") == self._id

    def end(self) -> None:
        """Ends the call. A call of the site's without input stays open: the stop reason shows if it was cut."""
        if self._call.size or self._call.announced or self._call.is_provider_executed:
            self._call.end()

    def conclude(self) -> None:
        """Ends the call, because another block has begun: the input was complete."""
        self._call.end()

    def _read_json(self, delta: Any) -> None:
        fragment = delta.partial_json
        if type(fragment) is str:
            self._arguments.add(fragment)
        elif isinstance(fragment, dict):
            self._arguments.snap(fragment)


SERVER_ID = "srvtoolu_"
"""The beginning of the ids of calls that the provider executes. Some relays call their blocks `tool_use`."""


class ProviderCallBlock(CallBlock):
    """A call of a tool that the provider executes itself. It goes back with its type."""

    is_provider_executed = True
    usual_keys = CallBlock.usual_keys - {"type"}
