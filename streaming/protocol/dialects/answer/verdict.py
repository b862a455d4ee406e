"""The strict verdict on the arguments of a tool call."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec

from streaming.protocol.nesting import is_too_deep


class Verdict(NamedTuple):
    """The fields of `ToolCallEnded` that say if the arguments may be used."""

    arguments: dict[str, Any] | None
    is_complete: bool
    error: str | None = None

    @classmethod
    def broken(cls, error: str) -> Verdict:
        return cls(None, is_complete=False, error=error)


def judge(raw: str) -> Verdict:
    """Returns the strict verdict on the arguments `raw`: one JSON object.

    Space, `null` or `""` means that there are no arguments. Some servers encode the object once more, as JSON text.
    """
    if not raw.strip():
        return Verdict({}, is_complete=True)
    try:
        value = msgspec.json.decode(raw)
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as fault:
        return Verdict.broken(_name(str(fault), raw))
    if value is None or value == "":
        return Verdict({}, is_complete=True)
    if not isinstance(value, dict):
        return Verdict.broken("not_an_object")
    if is_too_deep(value):
        return Verdict.broken("too_large")
    return Verdict(value, is_complete=True)


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
