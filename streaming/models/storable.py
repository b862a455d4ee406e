"""What every database can hold: PostgreSQL refuses the character NUL, and what encodes JSON refuses deep nesting."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.nesting import MAX_NESTING

REPLACEMENT = "\ufffd"
# What is kept, of a tool's arguments for one, is itself within lists and objects of ours.
MAX_LEVELS = MAX_NESTING + 10


def storable(value: Any, levels: int = MAX_LEVELS) -> Any:
    """A JSON value, or a str, with U+FFFD for each NUL in it; what is nested deeper than `levels` as JSON text."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT)
    if not isinstance(value, (dict, list, tuple)):
        return value
    if not levels:
        return _as_text(value)
    if isinstance(value, dict):
        return {storable(name): storable(item, levels - 1) for name, item in value.items()}
    return [storable(item, levels - 1) for item in value]


def _as_text(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except RecursionError:
        return REPLACEMENT
