"""Reads JSON from a client: the body of a request, or the frame of a socket."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar

import msgspec

from streaming.errors import BadRequest
from streaming.protocol.storable import storable

T = TypeVar("T", bound=msgspec.Struct)

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


def read_body(kind: type[T], body: bytes, example: str) -> T:
    """Returns the JSON object as a struct of this kind. `example` shows people what such a body looks like.

    Raises:
        BadRequest: the body is no such JSON.
    """
    try:
        return msgspec.convert(read_json(body), kind)
    except UNREADABLE as error:
        raise BadRequest(f"The body must be a JSON object such as {example}.") from error


def _with_halves(data: bytes | str) -> Any:
    """Returns the JSON value. Its texts may have half surrogate pairs, which msgspec refuses."""
    return json.loads(data if isinstance(data, str) else data.decode(), parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
