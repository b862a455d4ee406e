"""Finds the tool call that each fragment belongs to, although compatible servers number them in many ways.

In OpenAI's own streams `index` says which call it is, and only the first fragment has an id and a name. Other servers
send no index, or 0 for every call, or several indexes for one call. Their ids are missing, empty, repeated or changed.
Their names are repeated or empty. Their arguments are null, objects, or come after a `{}`. These rules are tried in
order:

1. A known id is that call.
2. An unknown id without a name, at a known index, is the call at that index: its id changed. Any other unknown id is
   a new call.
3. Without an id, a known index is that call. But if the fragment has a name, the call's JSON object is closed and
   another object begins, it is a new call.
4. Without an id and an index, a name begins a new call. A fragment without a name belongs to the last call.

Ids and names are never concatenated.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.dialects.answer import PLACEHOLDER, AnswerWriter, Call, judge

# How often rule 3 parses the arguments of one call to see if they are closed. Without a bound, a server that repeats
# the name with each fragment would make the cost quadratic.
MAX_CLOSED_CHECKS = 8

MAX_INDEX_DIGITS = 9


class ToolCalls:
    """The calls of one choice."""

    def __init__(self, writer: AnswerWriter, choice: int = 0) -> None:
        self._writer = writer
        self._choice = choice
        self._by_index: dict[int | str, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._last: Call | None = None
        self._checks: dict[Call, int] = {}

    def take(self, fragment: dict[str, Any]) -> None:
        """Reads one item of `delta.tool_calls`. The input of a `custom` call is free text."""
        custom = fragment.get("custom")
        function = custom or fragment.get("function")
        function = function if isinstance(function, dict) else {}
        name = function["name"] if isinstance(function.get("name"), str) else ""
        id = str(fragment["id"]) if fragment.get("id") not in (None, "") else ""
        text = _text(function.get("input" if custom else "arguments"))
        index = _index(fragment.get("index"))
        self._last = call = self._find(index, id, name, text) or self._new(id)
        if index is not None and self._by_index.get(index) is not call:
            self._writer.reserve()
            self._by_index[index] = call
        if custom:
            call.is_json = False
        if isinstance(fragment.get("extra_content"), dict):
            call.raw = {"extra_content": fragment["extra_content"]}  # Gemini wants its thought signature back
        self._grow(call, name, text)

    def _find(self, index: int | str | None, id: str, name: str, text: str) -> Call | None:
        at_index = self._by_index.get(index) if index is not None else None
        if id:
            return self._by_id.get(id) or (at_index if not name else None)
        if index is not None:
            return None if at_index and name and self._is_another(at_index, name, text) else at_index
        return None if name else self._last

    def _is_another(self, call: Call, name: str, text: str) -> bool:
        """Returns True if the fragment begins a second call, after the first one is closed."""
        if not call.size or (name == call.name and not text.lstrip().startswith("{")):
            return False
        self._checks[call] = self._checks.get(call, 0) + 1
        may_wait = name == call.name and call.text == PLACEHOLDER
        return self._checks[call] <= MAX_CLOSED_CHECKS and not may_wait and judge(call.text)[1]

    def _new(self, id: str) -> Call:
        call = Call(self._writer, id=id, choice=self._choice)
        if id:
            self._by_id[id] = call
        return call

    def _grow(self, call: Call, name: str, text: str) -> None:
        if name and not call.name:
            call.name = name
            call.start()
        if not text or (len(text) == call.size and _repeats(call, text)):
            return
        if call.size == len(PLACEHOLDER) and call.text == PLACEHOLDER and text.lstrip().startswith("{"):
            call.restart()
        call.add(text)


def _repeats(call: Call, text: str) -> bool:
    """Returns True if the server sent the complete arguments a second time."""
    return call.text == text and judge(text)[1]


def _index(index: Any) -> int | str | None:
    """Returns one value for 0, 0.0 and "0"."""
    if isinstance(index, str):
        return int(index) if index.isdecimal() and len(index) < MAX_INDEX_DIGITS else index
    return int(index) if isinstance(index, int | float) and abs(index) < 10**MAX_INDEX_DIGITS else None


def _text(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
