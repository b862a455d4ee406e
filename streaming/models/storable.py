"""Makes values that every database can hold: PostgreSQL refuses the character NUL, encoders refuse deep nesting."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.nesting import MAX_NESTING

REPLACEMENT = "\ufffd"
# A stored value, for example a tool's arguments, is itself inside a few lists and objects of ours.
MAX_LEVELS = MAX_NESTING + 10


def storable(value: Any, levels: int = MAX_LEVELS) -> Any:
    """Returns a JSON value with each NUL replaced by U+FFFD. What is nested deeper than `levels` becomes JSON text."""
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
