"""Keys in a stable order: a vendor's prompt cache knows a text only by its bytes.

PostgreSQL and MySQL do not keep the order of an object's keys. So what comes from the database would differ from what
was sent while the answer was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from streaming.protocol.parts import Part, Turn

FREE = ("raw", "output")
"""The fields of parts that hold any JSON value. The arguments of a call are sent as the model wrote them."""


def with_stable_keys(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Sorts the keys of everything in the turns that providers and tools have made."""
    return tuple(Turn(role=turn.role, parts=tuple(map(_stable, turn.parts))) for turn in turns)


def _stable(part: Part) -> Part:
    given = ((name, getattr(part, name, None)) for name in FREE)
    found = {name: value for name, value in given if value and isinstance(value, (dict, list))}
    if not found:
        return part
    try:
        return msgspec.structs.replace(part, **{name: _sorted(value) for name, value in found.items()})
    except RecursionError:  # too deep to be sorted; it cannot be stored either
        return part


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
