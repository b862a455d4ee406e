"""One fragment of a tool call, as an item of `delta.tool_calls`."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import SERVER_ID, name_of, text_of
from streaming.protocol.dialects.wire import is_nothing, reread

MAX_INDEX_DIGITS = 9

SERVER_TYPES = frozenset(
    {
        *("web_search", "web_browser", "retrieval", "code_interpreter", "drawing_tool", "mcp"),  # Z.ai
        *("web_search_call", "x_search_call", "code_interpreter_call", "code_execution_call", "mcp_call"),  # xAI
        *("collections_search_call", "file_search_call", "view_image_call", "view_x_video_call", "live_search"),
    }
)
"""The types of calls that the server executes itself."""

NO_ARGUMENTS = ("", "null")

ID_KEYS = ("id", "tool_call_id", "call_id")
ARGUMENTS_KEYS = ("arguments", "parameters", "input", "args")

MAX_LEVELS = 3

Index = int | str


class Fragment:
    """One item of `delta.tool_calls`. The input of a `custom` call is free text."""

    def __init__(self, wire: dict[str, Any]) -> None:
        custom = wire.get("custom")
        function = custom or wire.get("function")
        if type(function) is not dict:
            function = next(iter(objects_in(function)), wire)  # some servers leave the function's object out
        given = function.get("input" if custom else "arguments")
        if given is None:
            given = _given(function, wire)
        self.is_custom = bool(custom)
        name = function.get("name") or wire.get("name")
        self.name = name_of(name) if name else ""
        self.id = _id(wire) or _id(function)
        self.index = _index(wire.get("index"))
        self.snapshot = given if isinstance(given, dict) and not custom else None
        self.text = "" if self.snapshot is not None else text_of(given)
        extra = wire.get("extra_content")
        self.extra = extra if isinstance(extra, dict) else None
        """What Gemini wants back with the call: its thought signature."""
        self.is_servers = self.id.startswith(SERVER_ID) or str(wire.get("type")) in SERVER_TYPES

    @property
    def is_blank(self) -> bool:
        """True for a fragment without name and arguments. It may be of a call, but alone it is none."""
        has_arguments = self.snapshot is not None or self.text.strip() not in NO_ARGUMENTS
        return not (has_arguments or self.name or self.is_servers)

    def fill(self, blank: Fragment) -> None:
        """Takes over what a blank fragment at the same index said before this one."""
        self.id = self.id or blank.id
        self.extra = self.extra or blank.extra
        self.is_custom = self.is_custom or blank.is_custom

    @property
    def begins_object(self) -> bool:
        return self.snapshot is not None or self.text.lstrip().startswith("{")


def fragments_in(wire: Any) -> list[Fragment]:
    items = wire if isinstance(wire, list) else [wire]
    fragments = [Fragment(item) for item in items if type(item) is dict]
    return fragments if len(fragments) == len(items) else [Fragment(item) for item in objects_in(wire)]


def objects_in(wire: Any, levels: int = MAX_LEVELS) -> list[dict[str, Any]]:
    """Returns the objects in a list, or in lists within it. Each may be JSON text."""
    if isinstance(wire, dict):
        return [wire]
    if isinstance(wire, str) and levels and wire.lstrip().startswith(("{", "[")):
        return objects_in(reread(wire.encode("utf-8", "replace")), levels - 1)
    return [each for item in wire for each in objects_in(item, levels - 1)] if isinstance(wire, list) and levels else []


def _given(*places: dict[str, Any]) -> Any:
    """Returns the arguments from the first place that has them under any name."""
    return next((place[key] for place in places for key in ARGUMENTS_KEYS if place.get(key) is not None), None)


def _id(wire: dict[str, Any]) -> str:
    for key in ID_KEYS:
        id = wire.get(key)
        if id is not None and not is_nothing(id):
            return str(id)
    return ""


def _index(index: Any) -> Index | None:
    """Returns one value for 0, 0.0 and "0"."""
    if isinstance(index, str):
        return int(index) if index.isdecimal() and len(index) < MAX_INDEX_DIGITS else index
    return int(index) if isinstance(index, int | float) and abs(index) < 10**MAX_INDEX_DIGITS else None
