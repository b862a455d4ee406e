"""Text that every database can hold: PostgreSQL refuses the character NUL, in text and in JSON."""

from __future__ import annotations

from typing import Any

REPLACEMENT = "\ufffd"


def storable(value: Any) -> Any:
    """A JSON value, or a str, with U+FFFD for each NUL in it."""
    if isinstance(value, str):
        return value.replace("\0", REPLACEMENT)
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, (list, tuple)) else value
