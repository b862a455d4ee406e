"""Decodes JSON leniently: bytes that are no UTF-8, half a surrogate pair, JSON within JSON, several documents.

The fast way is one typed decode. Only payloads that it refuses come here.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""The exceptions that decoding raises on some bytes."""


def decode_leniently(data: bytes) -> Any:
    """Returns the JSON value in `data`. Bytes that are no UTF-8, and half surrogate pairs, become U+FFFD.

    Raises:
        ValueError: `data` is no JSON, or nested too deep.
    """
    return replace_halves(decode_keeping_halves(data))


def decode_keeping_halves(data: bytes) -> Any:
    """Returns the JSON value in `data`. Its texts may have half surrogate pairs.

    Raises:
        ValueError: `data` is no JSON, or nested too deep.
    """
    text = data.decode("utf-8", "replace")
    try:
        return msgspec.json.decode(text)
    except UNREADABLE:
        pass
    try:
        return DECODER.decode(text)
    except UNREADABLE as fault:
        raise ValueError(str(fault)) from fault


def is_beginning(data: bytes) -> bool:
    """Returns True if more bytes could make a JSON value of `data`. A test makes sure that msgspec says it so."""
    try:
        msgspec.json.decode(data.decode("utf-8", "replace"))
    except UNREADABLE as fault:
        return "truncated" in str(fault)
    return False


# Python servers write NaN, and some servers do not escape tabs and line ends.
DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _: None)

# How many times a payload may be encoded as JSON text, and what such a text begins with.
MAX_QUOTES = 3
QUOTED = ("{", '"')


def unquoted(value: Any) -> Any:
    """Returns the JSON value within a JSON text. Some relays encode the payload twice, or three times."""
    for _ in range(MAX_QUOTES):
        if not (isinstance(value, str) and value.lstrip()[:1] in QUOTED):
            break
        try:
            value = decode_keeping_halves(value.encode("utf-8", "surrogatepass"))
        except ValueError:
            break
    return value


# The bound on values that are written one after the other, because each takes much more memory than its text.
MAX_JOINED = 1_000
BETWEEN = re.compile(r"[\s,]*(?:data:)?\s*")
NEXT = re.compile(r'data:\s*(?=\{\s*")')  # not within a text, where the quote is escaped


def decode_joined(data: bytes) -> list[Any]:
    """Returns the JSON objects that stand one after the other, perhaps with commas or `data:` between them.

    `[DONE]` at the end is a text of this list, and so is the rest if it is no object. The texts of the objects may have
    half surrogate pairs. If an object is cut off before the next `data:`, the list begins with its text (Z.ai).

    Raises:
        ValueError: `data` has no such object.
    """
    text = data.decode("utf-8", "replace").strip()
    try:
        return _objects(text)
    except ValueError:
        following = NEXT.search(text)
        if following is None:
            raise
    return [text[: following.start()], *_objects(text[following.end() :])]


def _objects(text: str) -> list[Any]:
    found: list[Any] = []
    at = 0
    while at < len(text):
        if not text.startswith("{", at) or len(found) == MAX_JOINED:
            found.append(text[at:])
            break
        try:
            value, at = DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as fault:
            if not found:
                raise ValueError(str(fault)) from fault
            value, at = text[at:], len(text)
        found.append(value)
        at = _skip(text, at)
    if not found or isinstance(found[0], str):
        raise ValueError("no JSON object")
    return found


def _skip(text: str, at: int) -> int:
    """Returns the position after what stands between two values."""
    between = BETWEEN.match(text, at)
    return between.end() if between else at


def replace_halves(value: Any) -> Any:
    """Returns the JSON value `value` with U+FFFD in the place of each half surrogate pair.

    Raises:
        ValueError: `value` is nested too deep.
    """
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except UNREADABLE:
        pass
    try:
        text = json.dumps(value, ensure_ascii=False)
        mended = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return msgspec.json.decode(mended)
    except UNREADABLE as fault:
        raise ValueError(str(fault)) from fault


def reread(data: bytes) -> Any:
    """Returns the whole payload, of which only some fields were decoded before; its text if it is no JSON."""
    try:
        return decode_leniently(data)
    except ValueError:
        return data.decode("utf-8", "replace")
