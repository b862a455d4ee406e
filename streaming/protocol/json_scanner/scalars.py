"""Numbers and literals of JSON, read from text that may be cut anywhere."""

from __future__ import annotations

import re
from typing import Literal

MAX_NUMBER = 4_400
"""Characters of one number, which is held back until it ends: a little more than the 4,300 digits Python reads."""

LITERALS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}

ReadStatus = Literal["open", "closed", "unexpected_character", "invalid_number", "too_long"]

_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_NUMBER_BEGUN = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+)?)?(?:(?<=[0-9])[eE][-+]?[0-9]*)?)?")


def read_literal(text: str, pos: int) -> tuple[bool | None, int, ReadStatus]:
    """Read `true`, `false` or `null` at `pos`: its value, where reading stopped, and why.

    `open` means that `text` ended inside it: give it again from `pos`, followed by more.
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
    """Read a number at `pos`. As `read_literal`; `open` also where the next character might belong to it."""
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
    """The number that `text` is, if it is one."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    try:
        return float(text) if match[2] else int(text)
    except ValueError:  # more digits than the interpreter's limit for integers
        return None
