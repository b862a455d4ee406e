"""Tells if bytes are whole JSON documents."""

from __future__ import annotations

import json

import msgspec

DECODER = json.JSONDecoder(strict=False)
DONE = b"[DONE]"


def is_done(data: bytes) -> bool:
    """Returns True for the mark `[DONE]`."""
    return data.strip() == DONE


def is_whole(data: bytes) -> bool:
    """Returns True if `data` is one JSON document or `[DONE]`."""
    if is_done(data):
        return True
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def begins_whole(data: bytes) -> bool:
    """Returns True if `data` begins with a whole JSON object or `[DONE]`: another one may follow on its line."""
    if data.lstrip().startswith(DONE):
        return True
    try:
        return isinstance(DECODER.raw_decode(data.decode("utf-8", "replace").lstrip())[0], dict)
    except (ValueError, RecursionError):
        return False


def is_object(data: bytes) -> bool:
    return data.startswith(b"{") and is_whole(data)


def is_object_with_line_ends(text: bytes) -> bool:
    """Returns True if `text` is one JSON object. Line ends within its strings may be unescaped."""
    try:
        return isinstance(DECODER.decode(text.decode("utf-8", "replace")), dict)
    except (ValueError, RecursionError):
        return False
