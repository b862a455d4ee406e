"""The tool calls among the output items of an OpenAI response."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import (
    PLACEHOLDER,
    AnswerWriter,
    Arguments,
    Call,
    is_same,
    name_of,
    repeats,
    text_of,
)
from streaming.protocol.dialects.openai_responses.items.item import Item, JSONObject, id_of
from streaming.protocol.dialects.openai_responses.items.streamed import whole_of
from streaming.protocol.dialects.openai_responses.payload import Payload

USUAL_KEYS = frozenset({"id", "type", "status", "call_id", "name", "arguments", "input"})
"""The keys that every call has. An item with other keys (a namespace, an action) is kept whole."""

KEPT_KEYS = ("type", "id")
"""The keys that go back with every call, beside those that the call has itself."""


class CallItem(Item):
    """A call with input that streams as text: `function_call`, and with subclasses custom, MCP and code calls.

    A call may be held back until it is known what it is. Its start and its end then come late.
    """

    input_field = "arguments"
    output_field: str | None = None
    is_json = True
    is_provider_executed = False
    is_named = True
    """False if the name of the tool is the type of the item."""
    _is_held = False

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._id = id_of(wire)
        self._call_id: Any = None
        self._is_confirmed = False
        self._held_end: bool | None = None
        """None, or the argument `is_cut` of the end that came while the call was held back."""
        self._earlier: CallItem | None = None
        """A call with the same `call_id`, which began before this one. This one may be that call once more."""
        self._first = self
        """This call, or the one that it turned out to be once more."""
        is_known = not self.is_named or bool(wire.get("call_id") or name_of(wire.get("name")))
        id = self._id if is_known else ""  # else the `call_id` may still come
        self._call = Call(writer, id=id, is_provider_executed=self.provider_runs(wire))
        self._call.is_json = self.is_json
        self._arguments = Arguments(self._call)
        if wire:
            self.announce(wire)

    def announce(self, wire: JSONObject) -> None:
        self._call.announced = text_of(self.input_of(wire) or "")
        self._announce(wire)

    def compare_with(self, earlier: CallItem) -> None:
        """Holds this call back until its end, which shows if it is `earlier` once more: both have one `call_id`."""
        self._earlier = earlier._first
        self._is_held = True

    def provider_runs(self, wire: JSONObject) -> bool:
        """Returns True if the provider executes this call itself."""
        return self.is_provider_executed

    def done(self, wire: JSONObject) -> None:
        self._announce(wire)
        self._fill(self.input_of(wire))
        if self._drop_if_again():
            return
        self._call.identify(self._id)
        self._call.raw = self._kept(wire)
        self._end(is_cut=wire.get("status") == "incomplete")
        output = wire.get(self.output_field) if self.output_field else None
        output = output if output is not None else wire.get("error")
        if output is not None:
            self._writer.add_result(self._id, output, is_error=bool(wire.get("error")))

    def cut(self) -> None:
        """Ends a call of the site's that has no input: nothing says that it needs none. JSON shows if it is whole."""
        if self._drop_if_again():
            return
        has_input = self._call.size or self._arguments.snapshot or self._call.announced not in ("", PLACEHOLDER)
        if not (has_input or self._is_confirmed or self._call.is_provider_executed):
            self._end(is_cut=True)

    def may_be(self, wire: JSONObject) -> bool:
        ids = {self._call_id, wire.get("call_id")} - {None, ""}
        name = name_of(wire.get("name")) or self._kind_in(wire)
        if name and self._call.name not in ("", name):
            return False
        if self._call.size:
            whole = whole_of(wire)
            return whole.startswith(self._call.text) and (len(ids) < 2 or whole == self._call.text)
        return len(ids) < 2 and self._call.name == name != ""

    def is_stray_of(self, wire: JSONObject) -> bool:
        """Returns True if this call has only the arguments of `wire`: their events had another index and id."""
        return not self.is_started and not self._call.name and is_same(self._call.text, text_of(self.input_of(wire)))

    def drop(self) -> None:
        """Forgets a call that has not started."""
        self._call.drop()

    def grow(self, payload: Payload) -> None:
        delta = payload.delta
        if type(delta) is str:
            self._arguments.add(delta)
        elif isinstance(delta, dict):
            self._grow_by_object(delta)

    @property
    def is_started(self) -> bool:
        """True once the name and the id are known."""
        return self._call.is_started

    def take_names(self, wire: JSONObject) -> None:
        """Takes the name and the id that came with the input. With a name alone, the id may still come."""
        if wire.get("call_id"):
            self._announce({key: wire.get(key) for key in ("call_id", "name")})
        else:
            self._call.name = self._call.name or name_of(wire.get("name"))

    def fill(self, payload: Payload) -> None:
        """Reads the whole input. It counts as far as it did not stream."""
        self._is_confirmed = True
        self._fill(getattr(payload, self.input_field))

    def input_of(self, wire: JSONObject) -> Any:
        return wire.get(self.input_field)

    def release(self) -> None:
        """Starts a call that was held back, and ends it if its end has come."""
        self._is_held = False
        self._start()
        if self._held_end is not None:
            self._call.end(is_cut=self._held_end)

    def _kind_in(self, wire: JSONObject) -> str:
        """Returns the name of a tool that has none but the type of its item."""
        type_ = str(wire.get("type"))
        return type_.removesuffix("_call") if not self.is_named and type_.endswith("_call") else ""

    def _grow_by_object(self, delta: JSONObject) -> None:
        fragment = delta.get(self.input_field)
        if isinstance(fragment, str):
            self._arguments.add(fragment)
        elif self.is_json:
            self._arguments.snap(delta)

    def _announce(self, wire: JSONObject) -> None:
        self._call_id = self._call_id or wire.get("call_id")
        if not self._call.is_started:
            self._id = id_of({"call_id": wire.get("call_id"), "id": self._id or id_of(wire)})
        self._call.name = self._call.name or name_of(wire.get("name")) or self._kind_in(wire)
        self._start()

    def _start(self) -> None:
        if self._call.name and not self._is_held:
            self._call.identify(self._id)
            self._call.start()

    def _end(self, *, is_cut: bool) -> None:
        if self._is_held:
            self._held_end = is_cut
        else:
            self._call.end(is_cut=is_cut)

    def _drop_if_again(self) -> bool:
        """Drops a call that is an earlier one once more: the same tool, with the same arguments or none.

        Another one that was held back to be compared is released. Returns True if the call is dropped.
        """
        earlier, self._earlier = self._earlier, None
        if earlier is None:
            return False
        self._arguments.settle()
        is_again = self._id == earlier._id and self._call.name in ("", earlier._call.name)
        if is_again and repeats(earlier._call.text, self._call.text or self._call.announced):
            self._first = earlier
            self.drop()
            return True
        self.release()
        return False

    def _fill(self, whole: Any) -> None:
        if whole and self._call.id in self._writer.open_calls:
            self._arguments.complete(text_of(whole))

    def _kept(self, wire: JSONObject) -> JSONObject | None:
        """Returns what goes back with the call: the whole item, or only its id if the call has all the rest."""
        if self.provider_runs(wire) or not USUAL_KEYS.issuperset(wire):
            return wire or None
        return {key: wire[key] for key in KEPT_KEYS if key in wire} if isinstance(wire.get("id"), str) else None


class McpCallItem(CallItem):
    """A call of a tool of an MCP server, which the provider asks."""

    output_field = "output"
    is_provider_executed = True


class CodeItem(CallItem):
    """A call of the code interpreter: the provider executes the code."""

    input_field = "code"
    output_field = "outputs"
    is_json = False
    is_provider_executed = True
    is_named = False


class BuiltInItem(CallItem):
    """A call of one of the API's own tools. Its input is an object within the item and does not stream."""

    is_named = False
    inputs = ("action", "actions", "operation", "arguments", "queries")
    output_field = "results"
    run_by_provider = frozenset({"web_search_call", "file_search_call"})

    def provider_runs(self, wire: JSONObject) -> bool:
        environment = wire.get("environment")
        if isinstance(environment, dict):
            return environment.get("type") != "local"
        return str(wire.get("type")) in self.run_by_provider or wire.get("execution") == "server"

    def input_of(self, wire: JSONObject) -> Any:
        given = {key: wire[key] for key in self.inputs if wire.get(key)}
        only = next(iter(given.values()), None)
        return only if len(given) == 1 and isinstance(only, dict) else given
