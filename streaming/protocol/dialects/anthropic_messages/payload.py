"""The fields of the events of an Anthropic message that are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Readers = Mapping[str | None, Callable[[Any], None]]
"""The reader of each type of delta of a block."""


class WireDelta(msgspec.Struct, gc=False):
    type: str | None = None
    text: Any = None
    partial_json: Any = None
    input: Any = None
    thinking: Any = None
    signature: Any = None
    citation: Any = None
    content: Any = None
    encrypted_content: Any = None
    stop_reason: Any = None
    stop_details: Any = None
    container: Any = None


class Payload(msgspec.Struct, gc=False):
    type: str = ""
    index: int | None = None
    delta: WireDelta | None = None
    content_block: dict[str, Any] | None = None
    message: Any = None
    usage: Any = None
    error: Any = None
    content: Any = None
    id: Any = None
    model: Any = None
    stop_reason: Any = None
    stop_details: Any = None
    container: Any = None


INPUT = "input_json_delta"

DELTA_TYPES = {
    "text": "text_delta",
    "thinking": "thinking_delta",
    "signature": "signature_delta",
    "citation": "citations_delta",
    "partial_json": INPUT,
    "input": INPUT,
}
"""The type of a delta by the field it has, for servers that leave the type out, or put the field's name there."""

THINKING_WORDS = ("thinking", "reasoning")


def type_of(delta: WireDelta) -> str | None:
    """Returns the type of a delta: that of its field, if it has none, or an unknown one that shows what it is."""
    type_ = DELTA_TYPES.get(delta.type or "", delta.type)
    if not type_:
        return next((DELTA_TYPES[key] for key in DELTA_TYPES if getattr(delta, key) is not None), None)
    if delta.partial_json is not None or delta.input is not None:
        return INPUT
    return "thinking_delta" if any(word in type_ for word in THINKING_WORDS) else type_


PROSE_DELTAS = frozenset({"text_delta", "thinking_delta", "signature_delta", "citations_delta"})
"""Deltas that begin a block if the server did not. Arguments do not: the name of the tool would be missing."""


def string_of(value: Any) -> str:
    """Returns a text. Any other value counts as an empty one."""
    return value if isinstance(value, str) else ""
