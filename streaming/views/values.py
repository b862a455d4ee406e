"""JSON values as people read them: a table where that is possible, or else text.

chat.js does the same with the values of a stream (`static/streaming/chat/values.js`), so both must change together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

MOST_COLUMNS = 8
SUMMARY_CHARS = 80
SCALARS = (str, int, float, bool, type(None))


class ShownValue(NamedTuple):
    """A value as a table or as text. Without a `head`, the first cell of each row is the name of the second."""

    text: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.rows)


def shown_value(value: Any) -> ShownValue:
    """Returns an object as one row for each key, and a list of objects with the same keys as one row for each."""
    if value is None:
        return ShownValue()
    if isinstance(value, str):
        return ShownValue(value)
    if isinstance(value, dict) and value:
        return ShownValue(rows=tuple((key, _cell(one)) for key, one in value.items()))
    if _is_table(value):
        head = tuple(value[0])
        return ShownValue(head=head, rows=tuple(tuple(_cell(row[key]) for key in head) for row in value))
    return ShownValue(json.dumps(value, indent=2, ensure_ascii=False))


def summary_of(value: Any) -> str:
    """Returns a tool's arguments in one line: the plain values, or the first line of a text."""
    found = value.values() if isinstance(value, dict) else [value]
    plain = [_cell(one) for one in found if isinstance(one, SCALARS) and one is not None]
    line = " · ".join(" ".join(one.split()) for one in plain if one)
    return line if len(line) <= SUMMARY_CHARS else line[: SUMMARY_CHARS - 1].rstrip() + "…"


def readable_name(name: str, servers: Mapping[str, str] = MappingProxyType({})) -> str:
    """Returns `get_weather` as `Get weather`, and `shop__find_order` as `The shop: Find order`.

    `servers` has the labels of the MCP servers by name.
    """
    server, separator, tool = name.partition("__")
    if separator and server in servers:
        return f"{servers[server]}: {readable_name(tool)}"
    words = " ".join(name.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


def _is_table(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(isinstance(row, dict) for row in value):
        return False
    keys = list(value[0])
    return 0 < len(keys) <= MOST_COLUMNS and all(list(row) == keys for row in value)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
