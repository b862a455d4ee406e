"""The strict verdict on the arguments of a tool call."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from streaming.protocol.nesting import is_too_deep

Verdict = tuple[dict[str, Any] | None, bool, str | None]
"""`arguments`, `is_complete`, `error` of `ToolCallEnded`."""


def judge(raw: str) -> Verdict:
    """Returns the strict verdict on the arguments `raw`: one JSON object.

    Space, `null` or `""` means that there are no arguments. Some servers encode the object once more, as JSON text.
    """
    if not raw.strip():
        return {}, True, None
    try:
        value = msgspec.json.decode(raw)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as fault:
        return None, False, _name(str(fault), raw)
    if value is None or value == "":
        return {}, True, None
    if not isinstance(value, dict):
        return None, False, "not_an_object"
    if is_too_deep(value):
        return None, False, "too_large"
    return value, True, None


def _name(fault: str, raw: str) -> str:
    """Returns the error code for msgspec's message. A test makes sure that msgspec still uses these words.

    msgspec also calls half a surrogate pair (`\\ud83d`) truncated, although the text is not cut.
    """
    if "truncated" in fault:
        return "invalid_json" if "\\u" in raw and _is_whole(raw) else "truncated"
    return "concatenated" if "trailing characters" in fault else "invalid_json"


def _is_whole(raw: str) -> bool:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True
