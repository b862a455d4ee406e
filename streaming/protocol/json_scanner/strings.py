"""Reads the inside of a JSON string, from text that may be cut anywhere.

The grammar is strictly RFC 8259 §7: control characters must be escaped, and only the nine escapes exist. Half a
surrogate pair alone becomes U+FFFD, because UTF-8 cannot encode it.
"""

from __future__ import annotations

import re
from typing import Literal

ReadStatus = Literal["open", "closed", "control_character", "invalid_escape"]

REPLACEMENT = "\ufffd"
SIMPLE_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_RUN = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_ESCAPE_BEGUN = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_LOW_HALF = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})|([\udc00-\udfff])")
_LOW_HALF_BEGUN = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?")


def read_string(text: str, pos: int) -> tuple[str, int, ReadStatus]:
    """Decodes from `pos`, which is after the opening quote or inside the string.

    Returns the decoded text, the position where reading stopped, and the reason:
        `closed`: reading stopped after the closing quote;
        `open`: reading stopped at the end of `text`, or before an escape or surrogate pair that is incomplete (at most
            11 characters; give them again, followed by more);
        any other: the mistake at that position.
    """
    end = _RUN.match(text, pos).end()  # type: ignore[union-attr]  # the pattern matches the empty string
    if end == len(text):
        return text[pos:], end, "open"
    if text[end] == '"':
        return text[pos:end], end + 1, "closed"
    pieces = [text[pos:end]]
    pos, status = _read_units(text, end, pieces)
    return "".join(pieces), pos, status


def _read_units(text: str, pos: int, pieces: list[str]) -> tuple[int, ReadStatus]:
    """Continues at a character that is not plain, and adds the decoded text to `pieces`."""
    while pos < len(text):
        char = text[pos]
        if char == '"':
            return pos + 1, "closed"
        if char < " ":
            return pos, "control_character"
        end = _read_unit(text, pos, pieces)
        if end is None:
            return pos, "open" if _is_begun(text, pos) else "invalid_escape"
        pos = _RUN.match(text, end).end()  # type: ignore[union-attr]  # as above
        if pos > end:
            pieces.append(text[end:pos])
    return pos, "open"


def _read_unit(text: str, pos: int, pieces: list[str]) -> int | None:
    """Reads one escape or surrogate and returns the position after it; None if it is wrong or incomplete."""
    escape = _ESCAPE.match(text, pos)
    if escape and escape[1]:
        pieces.append(SIMPLE_ESCAPES[escape[1]])
        return pos + 2
    if escape:
        return _read_code_unit(text, escape.end(), int(escape[2], 16), pieces)
    if text[pos] == "\\":
        return None
    return _read_code_unit(text, pos + 1, ord(text[pos]), pieces)


def _read_code_unit(text: str, pos: int, unit: int, pieces: list[str]) -> int | None:
    """Adds one UTF-16 code unit that ended at `pos`, together with the next unit if the two are a pair."""
    if not 0xD800 <= unit < 0xDC00:
        pieces.append(REPLACEMENT if 0xDC00 <= unit < 0xE000 else chr(unit))
        return pos
    low = _LOW_HALF.match(text, pos)
    if low:
        half = int(low[1], 16) if low[1] else ord(low[2])
        pieces.append(chr(0x10000 + ((unit - 0xD800) << 10) + (half - 0xDC00)))
        return low.end()
    if _LOW_HALF_BEGUN.fullmatch(text, pos):
        return None
    pieces.append(REPLACEMENT)
    return pos


def _is_begun(text: str, pos: int) -> bool:
    """Returns True if the text at `pos` may become valid with more text."""
    return text[pos] != "\\" or bool(_ESCAPE_BEGUN.fullmatch(text, pos) or _ESCAPE.match(text, pos))
