"""Which call a fragment of an OpenAI tool call belongs to, on servers that agree on nothing.

By the letter, `index` names the call and only the first fragment has an id and a name. In the wild the index is
missing, or 0 for every call, or several for one call; ids are missing, empty, repeated or changed; names are repeated
or empty; arguments are null, objects, or preceded by `{}`. The rules are tried in this order:

1. a known id is that call;
2. an unknown id without a name, at a known index, is that call (its id changed); otherwise it is a new one;
3. without an id, a known index is that call, unless the fragment has a name, the call's object is closed and another
   one begins: then it is a new one;
4. without id and index, a name begins a new call; what has none belongs to the last.

Ids and names are never concatenated.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.dialects.answer import PLACEHOLDER, AnswerWriter, Call, judge

# How often the arguments of one call so far are parsed to see whether they are closed (rule 3): bounded, so that a
# name repeated on each fragment cannot make the cost quadratic.
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
        """One item of `delta.tool_calls`; of `custom` calls the input is free text."""
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
        """Whether this begins a second call after the closed first."""
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
    """Whether a server sent the whole, closed arguments a second time."""
    return call.text == text and judge(text)[1]


def _index(index: Any) -> int | str | None:
    """The same for 0, 0.0 and "0"."""
    if isinstance(index, str):
        return int(index) if index.isdecimal() and len(index) < MAX_INDEX_DIGITS else index
    return int(index) if isinstance(index, int | float) and abs(index) < 10**MAX_INDEX_DIGITS else None


def _text(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
