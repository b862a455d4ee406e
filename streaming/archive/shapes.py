"""The shapes of the columns that hold JSON. What reads these columns relies on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from streaming.archive.errors import BadLine
from streaming.context import Sent
from streaming.records import Tried, checked_timeline

SHAPES: dict[str, Callable[[Any], Any]] = {
    "tools": partial(msgspec.convert, type=list[str]),
    "timeline": checked_timeline,
    "context": partial(msgspec.convert, type=Sent),
    "tried": partial(msgspec.convert, type=list[Tried]),
    "price": partial(msgspec.convert, type=dict[str, str]),
}
"""The name of a column -> the function that returns its value as objects, or raises `msgspec.ValidationError`.

The parts of a message are not here: `load_parts` reads them.
"""


def shaped(name: str, value: Any) -> Any:
    """Returns the value of a JSON column, with the defaults of what it leaves out.

    Raises:
        BadLine: it has not the column's shape.
    """
    try:
        found = SHAPES[name](value)
    except msgspec.ValidationError as error:
        raise BadLine(f"{name!r} is wrong: {error}.") from error
    return msgspec.to_builtins(found)


def is_shaped(name: str, value: Any) -> bool:
    """Returns True if a JSON column can have this value."""
    try:
        shaped(name, value)
    except BadLine:
        return False
    return True
