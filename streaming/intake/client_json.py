"""Reads JSON from a client: the body of a request, or the frame of a socket."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from streaming.errors import BadRequest

T = TypeVar("T", bound=msgspec.Struct)

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""The exceptions that `read_json` raises."""
# In JSON, NUL and half a surrogate pair can only be escapes. `lone` matches those. Whole pairs and all other escapes
# are matched, too, and left alone: two backslashes and `ud83d` are no escape of a half.
HIGH, LOW = (rf"u[dD]{digits}[0-9a-fA-F]{{2}}" for digits in ("[89abAB]", "[c-fC-F]"))
ESCAPES = re.compile(rf"\\(?:{HIGH}\\{LOW}|(?P<lone>u0000|{HIGH}|{LOW})|.)", re.DOTALL)
NUL = ("\\u0000", b"\\u0000")


def read_json(data: bytes | str) -> Any:
    """Returns the JSON value. Its texts have U+FFFD for each NUL and each half surrogate pair.

    JavaScript makes half pairs when it cuts a text inside an emoji, and writes them as escapes.

    Raises:
        one of `UNREADABLE`: it is no JSON, or it is nested too deep.
    """
    has_nul = NUL[0] in data if isinstance(data, str) else NUL[1] in data
    try:
        return msgspec.json.decode(_mended(data) if has_nul else data)
    except msgspec.ValidationError:
        raise  # a number that is too large
    except msgspec.DecodeError:
        return msgspec.json.decode(_mended(data))


def _mended(data: bytes | str) -> str:
    """Returns the JSON without escapes that make a NUL or half a surrogate pair, which msgspec refuses."""
    text = data if isinstance(data, str) else data.decode()
    return ESCAPES.sub(lambda escape: "\\ufffd" if escape["lone"] else escape[0], text)


def read_any(body: bytes) -> Any:
    """Returns the JSON value of a request's body.

    Raises:
        BadRequest: the body is no JSON.
    """
    try:
        return read_json(body)
    except UNREADABLE as error:
        raise BadRequest("The body is not valid JSON.") from error


def read_body(kind: type[T], body: bytes, example: str) -> T:
    """Returns the JSON object as a struct of this kind. `example` shows people what such a body looks like.

    Raises:
        BadRequest: the body is no such JSON.
    """
    try:
        return msgspec.convert(read_json(body), kind)
    except UNREADABLE as error:
        raise BadRequest(f"The body must be a JSON object such as {example}.") from error
