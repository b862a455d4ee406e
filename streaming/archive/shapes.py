"""The shapes of the columns that hold JSON. What reads these columns relies on them."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.archive.errors import BadLine
from streaming.conf import Count
from streaming.context import Sent
from streaming.models import TimelineEntry
from streaming.providers import Tried

Entry = tuple[Count, str, Count | str]
"""A `TimelineEntry` whose numbers are none below 0."""

VALUES: dict[str, type] = {"text": int, "reasoning": int, "step": int, "call": str, "run": str, "result": str}
"""The kind of an entry -> the type of its value."""

SHAPES: dict[str, Any] = {
    "tools": list[str],
    "timeline": list[Entry],
    "context": Sent,
    "tried": list[Tried],
    "price": dict[str, str],
}
"""The name of a column -> the type of its value. The parts of a message are not here: `load_parts` reads them."""


def shaped(name: str, value: Any) -> Any:
    """Returns the value of a JSON column, with the defaults of what it leaves out.

    Raises:
        BadLine: it has not the column's shape.
    """
    try:
        found = msgspec.convert(value, SHAPES[name])
        if name == "timeline":
            _check_values(found)
    except msgspec.ValidationError as error:
        raise BadLine(f"{name!r} is wrong: {error}.") from error
    return msgspec.to_builtins(found)


def _check_values(timeline: list[TimelineEntry]) -> None:
    """Checks what a type cannot say: that the kind of an entry decides about its value.

    Raises:
        msgspec.ValidationError: an entry has a value of another type.
    """
    for number, (_, kind, value) in enumerate(timeline):
        wanted = VALUES.get(kind)
        if wanted is not None and not isinstance(value, wanted):
            words = f"Expected `{wanted.__name__}`, got `{type(value).__name__}`"
            raise msgspec.ValidationError(f"{words} - at `$[{number}][2]`")
