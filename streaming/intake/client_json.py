"""Reads JSON from a client: the body of a request, or the frame of a socket."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from streaming.protocol.storable import storable

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""The exceptions that `read_json` raises."""
# In JSON, NUL can only be an escape.
ESCAPED_NUL = ("\\u0000", b"\\u0000")


def read_json(data: bytes | str) -> Any:
    """Returns the JSON value. Its texts have U+FFFD for each NUL and each half surrogate pair.

    JavaScript makes half pairs when it cuts a text inside an emoji, and writes them as escapes.

    Raises:
        one of `UNREADABLE`: it is no JSON, or it is nested too deep.
    """
    try:
        value = msgspec.json.decode(data)
    except msgspec.ValidationError:
        raise  # a number that is too large
    except msgspec.DecodeError:
        return storable(_with_halves(data))
    has_nul = ESCAPED_NUL[0] in data if isinstance(data, str) else ESCAPED_NUL[1] in data
    return storable(value) if has_nul else value


def _with_halves(data: bytes | str) -> Any:
    """Returns the JSON value. Its texts may have half surrogate pairs, which msgspec refuses."""
    return json.loads(data if isinstance(data, str) else data.decode(), parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
