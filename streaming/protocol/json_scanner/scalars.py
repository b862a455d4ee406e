"""Reads numbers and literals of JSON, from text that may be cut anywhere."""

from __future__ import annotations

import re
from typing import Literal

MAX_NUMBER = 4_400
"""The most characters of one number, which is held back until it ends. Python reads up to 4,300 digits."""

LITERALS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}

ReadStatus = Literal["open", "closed", "unexpected_character", "invalid_number", "too_long"]

_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_NUMBER_BEGUN = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+)?)?(?:(?<=[0-9])[eE][-+]?[0-9]*)?)?")


def read_literal(text: str, pos: int) -> tuple[bool | None, int, ReadStatus]:
    """Reads `true`, `false` or `null` at `pos`. Returns its value, the position where reading stopped, and the reason.

    `open` means that `text` ended inside the literal: give it again from `pos`, followed by more.
    """
    word, value = LITERALS[text[pos]]
    piece = text[pos : pos + len(word)]
    if piece == word:
        return value, pos + len(word), "closed"
    if word.startswith(piece):
        return None, pos, "open"
    same = next(at for at, (got, wanted) in enumerate(zip(piece, word, strict=False)) if got != wanted)
    return None, pos + same, "unexpected_character"


def read_number(text: str, pos: int) -> tuple[int | float | None, int, ReadStatus]:
    """Reads a number at `pos`, as `read_literal` does. `open` also means that the next character may belong to it."""
    end = _NUMBER_BEGUN.match(text, pos).end()  # type: ignore[union-attr]  # the pattern matches the empty string
    if end - pos > MAX_NUMBER:
        return None, pos, "too_long"
    if end == len(text):
        return None, pos, "open"
    value = number(text[pos:end])
    if value is None:
        return None, end, "invalid_number"
    return value, end, "closed"


def number(text: str) -> int | float | None:
    """Returns the number in `text`; None if it is no number."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    try:
        return float(text) if match[2] else int(text)
    except ValueError:  # more digits than the interpreter's limit for integers
        return None
