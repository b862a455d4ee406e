"""Finds the tool call that each fragment belongs to, although compatible servers number them in many ways.

In OpenAI's own streams `index` says which call it is, and only the first fragment has an id and a name. Other servers
send no index, or 0 for every call, or several indexes for one call. Their ids are missing, empty, repeated or changed,
or two calls have the same. Their names are repeated or empty. Their arguments are null, objects, the whole text so
far, or come after a `{}`. These rules are tried in order:

1. A known id is that call. But if the fragment has another name at another index, or begins another object after the
   call's object is closed, it is a new call with the same id. If it has the same name at another index, it is a new
   call as soon as its arguments differ, and else a repetition.
2. An unknown id without a name, at a known index, is the call at that index: its id changed. Any other unknown id is
   a new call.
3. Without an id, a known index is that call. But if the fragment has a name, the call's JSON object is closed and
   another object begins, it is a new call.
4. Without an id and an index, a name begins a new call, unless it is the last call's name and that call is open. A
   fragment without a name belongs to the last call.

Ids and names are never concatenated.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Call, judge, name_of
from streaming.protocol.dialects.openai_chat.arguments import Arguments, extends

# How often the arguments of one call are parsed to see if they are closed. Without a bound, a server that repeats the
# name with each fragment would make the cost quadratic.
MAX_CLOSED_CHECKS = 8

MAX_INDEX_DIGITS = 9

SERVER_ID = "srvtoolu_"
"""The beginning of Anthropic's ids of calls that it executes itself. Gateways hand them on as tool calls (LiteLLM)."""

SERVER_TYPES = frozenset(
    {
        *("web_search", "web_browser", "retrieval", "code_interpreter", "drawing_tool", "mcp"),  # Z.ai
        *("web_search_call", "x_search_call", "code_interpreter_call", "code_execution_call", "mcp_call"),  # xAI
        *("collections_search_call", "file_search_call", "view_image_call", "view_x_video_call", "live_search"),
    }
)
"""The types of calls that the server executes itself."""

ID_KEYS = ("id", "tool_call_id", "call_id")

Index = int | str


class Fragment:
    """One item of `delta.tool_calls`. The input of a `custom` call is free text."""

    def __init__(self, wire: dict[str, Any]) -> None:
        custom = wire.get("custom")
        function = custom or wire.get("function")
        function = function if isinstance(function, dict) else {}
        given = function.get("input" if custom else "arguments")
        self.is_custom = bool(custom)
        self.name = name_of(function.get("name"))
        self.id = _id(wire) or _id(function)
        self.index = _index(wire.get("index"))
        self.snapshot = given if isinstance(given, dict) and not custom else None
        self.text = "" if self.snapshot is not None else _text(given)
        self.is_servers = self.id.startswith(SERVER_ID) or str(wire.get("type")) in SERVER_TYPES

    @property
    def begins_object(self) -> bool:
        return self.snapshot is not None or self.text.lstrip().startswith("{")


class Echo:
    """A call with the id and name of another one. It is a repetition (LocalAI) until its arguments differ."""

    def __init__(self, first: Call, arguments: Arguments) -> None:
        self.first = first
        self._text = first.text or _text(arguments.snapshot)
        self._reads = 0
        self._size = 0

    @property
    def text(self) -> str:
        """The arguments so far, which are the beginning of the first call's."""
        return self._text[: self._size]

    def repeats(self, fragment: Fragment) -> bool:
        """Returns True if the first call has the fragment's text at the same place."""
        text = fragment.text if fragment.snapshot is None else _text(fragment.snapshot)
        if len(self._text) < self.first.size and self._reads < MAX_CLOSED_CHECKS:
            self._reads += 1
            self._text = self.first.text
        is_same = self._text.startswith(text, self._size)
        self._size += len(text) if is_same else 0
        return is_same


class ToolCalls:
    """The calls of one choice."""

    def __init__(self, writer: AnswerWriter, choice: int = 0) -> None:
        self._writer = writer
        self._choice = choice
        self._by_index: dict[Index, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._ids: dict[Call, str] = {}
        self._numbered: set[Call] = set()
        self._echoes: dict[Index, Echo] = {}
        self._arguments: dict[Call, Arguments] = {}
        self._last: Call | None = None
        self._checks: dict[Call, int] = {}

    def __bool__(self) -> bool:
        return self._last is not None

    def take(self, wire: dict[str, Any]) -> None:
        """Reads one item of `delta.tool_calls`."""
        fragment = Fragment(wire)
        echo = self._echo_of(fragment)
        if echo is not None and echo.repeats(fragment):
            return
        call = self._divided(fragment, echo) if echo is not None else self._find(fragment)
        self._last = call = call or self._new(fragment.id, is_servers=fragment.is_servers)
        self._place(call, fragment.index)
        if fragment.is_custom:
            call.is_json = False
        if isinstance(wire.get("extra_content"), dict):
            call.raw = {"extra_content": wire["extra_content"]}  # Gemini wants its thought signature back
        if fragment.snapshot is not None:
            self._arguments[call].snap(fragment.snapshot)
        self._grow(call, fragment.name, fragment.text)

    def _place(self, call: Call, index: Index | None) -> None:
        if index is not None and self._by_index.get(index) is not call:
            self._writer.reserve()
            self._by_index[index] = call
            self._numbered.add(call)

    def _echo_of(self, fragment: Fragment) -> Echo | None:
        """Returns the echo that the fragment belongs to or begins."""
        index, id = fragment.index, fragment.id
        if index is None:
            return None
        echo = self._echoes.get(index)
        if echo is not None:
            return echo if not id or id == self._ids[echo.first] else None
        first = self._by_id.get(id)
        if first is None or index in self._by_index or not fragment.name or fragment.name != first.name:
            return None
        self._writer.reserve()
        self._echoes[index] = Echo(first, self._arguments[first])
        return self._echoes[index]

    def _divided(self, fragment: Fragment, echo: Echo) -> Call:
        """Returns the new call that an echo turned out to be."""
        self._echoes = {index: other for index, other in self._echoes.items() if other is not echo}
        call = self._new(self._ids[echo.first], is_servers=fragment.is_servers)
        self._grow(call, echo.first.name, echo.text)
        return call

    def _find(self, fragment: Fragment) -> Call | None:
        index = fragment.index
        at_index = self._by_index.get(index) if index is not None else None
        if fragment.id:
            return self._find_by_id(fragment, at_index)
        if index is not None:
            return None if at_index and fragment.name and self._is_another(at_index, fragment) else at_index
        return self._last if self._continues_last(fragment) else None

    def _find_by_id(self, fragment: Fragment, at_index: Call | None) -> Call | None:
        id, name = fragment.id, fragment.name
        known = at_index if at_index is not None and self._ids[at_index] == id else self._by_id.get(id)
        if known is None:
            place = at_index if fragment.index is not None else self._last
            goes_on = place is not None and name == place.name and place.size > 0 and not fragment.begins_object
            return at_index if not name else place if goes_on and fragment.text else None
        if not name or not known.name:
            return known
        is_elsewhere = at_index is not known and not known.name.startswith(name) and not name.startswith(known.name)
        return None if is_elsewhere or self._is_another(known, fragment) else known

    def _is_another(self, call: Call, fragment: Fragment) -> bool:
        """Returns True if the fragment begins a second call, after the first one is closed."""
        is_same = fragment.name == call.name
        if is_same and (not fragment.begins_object or self._arguments[call].is_placeholder):
            return False
        if is_same and (fragment.id or fragment.snapshot is not None) and self._repeats(call, fragment):
            return False
        return self._is_closed(call)

    def _continues_last(self, fragment: Fragment) -> bool:
        """Returns True if a fragment without id and index belongs to the last call."""
        last, name = self._last, fragment.name
        if last is None or not name:
            return last is not None
        if name != last.name:
            return False
        is_numbered = last in self._numbered
        if not fragment.begins_object:
            return is_numbered or bool(fragment.text)
        return not self._is_closed(last) or (is_numbered and self._repeats(last, fragment))

    def _is_closed(self, call: Call) -> bool:
        if not call.size:
            return bool(call.announced)
        self._checks[call] = self._checks.get(call, 0) + 1
        return self._checks[call] <= MAX_CLOSED_CHECKS and judge(call.text)[1]

    def _repeats(self, call: Call, fragment: Fragment) -> bool:
        """Returns True if the fragment has the call's arguments once more, perhaps longer."""
        if fragment.snapshot is None:
            return len(fragment.text) >= call.size > 0 and fragment.text.startswith(call.text)
        if call.size and not self._is_closed(call):
            return True
        known = judge(call.text)[0] if call.size else self._arguments[call].snapshot
        return known is not None and extends(known, fragment.snapshot)

    def _new(self, id: str, *, is_servers: bool) -> Call:
        call = Call(self._writer, id=id, choice=self._choice, is_provider_executed=is_servers)
        self._arguments[call] = Arguments(call)
        self._ids[call] = id
        if id:
            self._by_id[id] = call
        return call

    def _grow(self, call: Call, name: str, text: str) -> None:
        if name and not call.name:
            call.name = name
            call.start()
        if text:
            self._arguments[call].add(text)


def _id(wire: dict[str, Any]) -> str:
    return next((str(wire[key]) for key in ID_KEYS if wire.get(key) not in (None, "")), "")


def _index(index: Any) -> Index | None:
    """Returns one value for 0, 0.0 and "0"."""
    if isinstance(index, str):
        return int(index) if index.isdecimal() and len(index) < MAX_INDEX_DIGITS else index
    return int(index) if isinstance(index, int | float) and abs(index) < 10**MAX_INDEX_DIGITS else None


def _text(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
