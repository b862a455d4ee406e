"""Writes an answer to a terminal: words are not broken at its edge, and each tool call has a line of its own."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import unicodedata
from typing import Any

# Languages without spaces may break after each character; everything else only at white space.
PIECES = re.compile(
    r"\n|[^\S\n]+|[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]|[^\s\u2e80-\u9fff\uac00-\uffef]+|."
)
FENCE = re.compile(r"\s*(```|~~~)")
NARROWEST = 20
# What a terminal obeys in place of showing it: control characters, and changes of the direction.
_OBEYED = (*range(0x20), *range(0x7F, 0xA0), 0x202D, 0x202E)
_HARMLESS = dict.fromkeys(_OBEYED, "\N{REPLACEMENT CHARACTER}") | {9: "\t", 10: "\n", 13: None}


def harmless(text: str) -> str:
    """Returns a model's text as a terminal may get it. Else it could clear the screen, or hide what it asks for."""
    return text.translate(_HARMLESS)


def read_line(prompt: str) -> str:
    """Asks the person at the terminal. If the output goes to a file, `input` alone would write the prompt there."""
    shown = sys.stdout if sys.stdout.isatty() else sys.stderr
    with contextlib.redirect_stdout(shown):
        return input(harmless(prompt))


def width_of(text: str) -> int:
    """Returns the number of columns that a terminal needs for one line of text."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def columns() -> int:
    return max(NARROWEST, shutil.get_terminal_size().columns)


def shortened(text: str, width: int) -> str:
    """Returns the text on one line of at most `width` columns."""
    line = " ".join(text.split())
    if width_of(line) <= width:
        return line
    while width_of(line) >= width:
        line = line[:-1]
    return f"{line}…"


class Screen:
    """Writes text to `out` and notes to `notes`, which are two streams of a command and may be one terminal.

    Text is wrapped, and made harmless, only for a terminal: a file gets it as it is. Code between fences is never
    wrapped. Nothing has the colour of errors.
    """

    def __init__(self, out: Any, notes: Any) -> None:
        self._out, self._notes = out, notes
        self._wraps = bool(out.isatty())
        self._column = 0
        self._word = ""
        self._line = ""
        self._is_code = False

    def text(self, text: str) -> None:
        """Writes a piece of text. On a terminal, its last word waits until it is complete."""
        if not self._wraps:
            self._put(text)
        else:
            *pieces, self._word = PIECES.findall(self._word + harmless(text)) or [""]
            for piece in pieces:
                self._put_wrapped(piece)
        self._out.flush()

    def note(self, text: str) -> None:
        """Writes a line about the answer, below the text so far."""
        self.end_line()
        if self._notes.isatty():
            text = harmless(text) if "\n" in text else shortened(harmless(text), columns() - 1)
        self._notes.write(text, str)

    def end_line(self) -> None:
        """Ends the line of the text, if one has begun."""
        if self._word:
            self._put_wrapped(self._word)
            self._word = ""
        if self._column:
            self._put("\n")
            self._out.flush()

    def _put_wrapped(self, piece: str) -> None:
        if piece == "\n":
            self._is_code ^= bool(FENCE.match(self._line))
            self._line = ""
        elif not self._is_code and self._column and self._column + width_of(piece) > columns():
            self._put("\n")
            piece = "" if piece.isspace() else piece
        self._line += piece.rstrip("\n")
        self._put(piece)

    def _put(self, text: str) -> None:
        if text:
            self._out.write(text, str, ending="")
            _, newline, last = text.rpartition("\n")
            self._column = width_of(last) if newline else self._column + width_of(text)
