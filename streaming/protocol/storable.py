"""Makes values that every database can hold and every client can read. What is streamed and what is stored pass here.

PostgreSQL refuses the character NUL, UTF-8 has no half surrogate pairs, JSON has no infinite numbers, and encoders
refuse deep nesting.
"""

from __future__ import annotations

import functools
import math
from typing import Any, TypeVar

import msgspec

from streaming.protocol.nesting import MAX_NESTING

S = TypeVar("S", bound=msgspec.Struct)

REPLACEMENT = "\ufffd"
# A stored value, for example a tool's arguments, is itself inside a few lists and objects of ours.
MAX_LEVELS = MAX_NESTING + 10


def storable(value: Any, levels: int = MAX_LEVELS) -> Any:
    """Returns a JSON value with U+FFFD for each NUL and each half surrogate pair, and None for each infinite number.

    What is nested deeper than `levels` becomes JSON text.
    """
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, (dict, list, tuple)):
        return value
    if not levels:
        return _as_text(value)
    if isinstance(value, dict):
        return {storable(name): storable(item, levels - 1) for name, item in value.items()}
    return [storable(item, levels - 1) for item in value]


def storable_text(text: str) -> str:
    """Returns a text with U+FFFD for each NUL and each half surrogate pair. A text without them is returned itself."""
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def storable_fields(struct: S) -> S:
    """Returns a struct whose fields are storable, for example an event or a part: itself if they are so already."""
    changed: dict[str, Any] = {}
    for name in _fields_with_text(type(struct)):
        given = getattr(struct, name)
        if given.__class__ is str and given.isascii() and "\0" not in given:
            continue  # nearly all texts: it saves two calls
        if given is not None and (mended := storable(given)) is not given:
            changed[name] = mended
    return msgspec.structs.replace(struct, **changed) if changed else struct


@functools.cache
def _fields_with_text(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.type not in (int, bool, bool | None))


def _as_text(value: Any) -> str:
    try:
        return storable_text(msgspec.json.encode(value).decode())
    except (RecursionError, UnicodeEncodeError):
        return REPLACEMENT
