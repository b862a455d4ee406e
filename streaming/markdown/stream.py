"""Renders one text while it comes. Settled blocks leave the stream as HTML; the tail stays.

The tail is rendered anew only when enough text has come to pay for it, so all work is linear in the text's length. In
between, plain text needs no rendering at all: a reader puts it at the caret.
"""

from __future__ import annotations

import functools
import re
from collections import ChainMap
from typing import TYPE_CHECKING

from streaming.markdown.lines import shown_code, shown_part
from streaming.markdown.options import RenderOptions
from streaming.markdown.patch import Op, Patch

if TYPE_CHECKING:
    from streaming.markdown.drawing import Drawing
    from streaming.markdown.grammar import Grammar

CREDIT = 4
"""The characters of rendered tail that each character that arrives pays for. It bounds CPU time and bytes sent."""

MAX_CREDIT = 600
OVERHEAD = 60
"""The cost of rendering an empty tail, in characters."""

SPECIAL = re.compile(r"[\n*_~`\[\]<>&\\!|$#\0\u202d\u202e]")
"""What plain text does not have. `static/streaming/chat/markdown.js` has the same expression."""

HARMFUL = re.compile("[\0\u202d\u202e\ud800-\udfff]")
"""NUL, the two signs that override the direction of text, and halves of characters. They become U+FFFD."""


class MarkdownStream:
    """One text. `feed` takes the next piece, and returns what changed, or None. `finish` ends it."""

    def __init__(self, options: RenderOptions | None = None) -> None:
        from streaming.markdown.settler import Settler

        self._grammar, self._drawing = _tools(options or RenderOptions())
        self._settler = Settler(self._grammar, self._drawing)
        self._carriage = ""
        self._shown = Patch()
        self._is_due, self._is_over = True, False
        self._credit = MAX_CREDIT

    def feed(self, text: str) -> Patch | None:
        """Takes the next piece of the text."""
        text = self._normal(text)
        if not text:
            return None
        settler = self._settler
        self._credit = min(self._credit + CREDIT * len(text), MAX_CREDIT + 2 * settler.size)
        added = settler.take(text)
        ops = settler.settle() if added and settler.may_settle(added) else []
        if settler.fence and self._shown.rest is not None and not ops:
            return None  # the reader puts code at the caret itself
        self._is_due = self._is_due or self._shown.rest is None or SPECIAL.search(text) is not None
        return self._patch(ops)

    def finish(self, text: str = "") -> Patch:
        """Takes the last piece of the text and settles everything."""
        settler = self._settler
        settler.take(self._normal(text) + self._carriage.replace("\r", "\n"))
        settler.lines, settler.partial = [*settler.lines, settler.partial], ""
        self._is_over = True
        return Patch((*settler.settle(is_over=True), *settler.fixes()))

    def snapshot(self) -> Patch:
        """Returns the patch that makes an empty element show the text so far."""
        shown = Patch() if self._is_over else self._tail()
        return shown._replace(ops=tuple(op for block in self._settler.settled for op in block.ops()), is_fresh=True)

    @property
    def size(self) -> int:
        """The number of characters that are not settled."""
        return self._settler.size

    @property
    def html(self) -> str:
        """The HTML of all settled blocks."""
        return "".join(block.html for block in self._settler.settled)

    def _normal(self, text: str) -> str:
        """Returns the text with LF as its only line end, and without signs that override the direction of text."""
        if HARMFUL.search(text):
            text = HARMFUL.sub("\ufffd", text)
        if "\r" in text or self._carriage:
            text = self._carriage + text
            self._carriage = "\r" if text.endswith("\r") else ""  # a line feed may follow
            text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        return text

    def _patch(self, ops: list[Op]) -> Patch | None:
        """Renders the tail anew if that is due and paid for, or if an addition has taken the place of the old one."""
        settler = self._settler
        cost = OVERHEAD + settler.size
        if not ops and not (self._is_due and cost <= self._credit):
            return None
        self._is_due = False
        self._shown = self._tail()
        self._credit -= max(cost, OVERHEAD + len(self._shown.last) + len(self._shown.tail))
        return self._shown._replace(ops=tuple(ops))

    def _tail(self) -> Patch:
        settler = self._settler
        shown, lines = self._shown_source()
        source = [*settler.head, *lines, shown]
        found, defined = settler.units(source)
        references = ChainMap(settler.references, defined)
        last, tail, is_open = self._drawing.tail(found, source, references)
        return Patch((), last, tail, rest=self._rest(shown) if is_open else None)

    def _shown_source(self) -> tuple[str, list[str]]:
        """Returns how much of the line without an end the tail shows, and the complete lines that it shows."""
        settler = self._settler
        if settler.fence:
            return shown_code(settler.partial, settler.fence), settler.lines
        if settler.head:
            return "", settler.lines  # a row is shown when it is complete
        return shown_part(settler.lines, settler.partial)

    def _rest(self, shown: str) -> str | None:
        """Returns the end of the source that the tail does not show. See `Patch.rest`.

        `shown` is how much it shows of the line without an end. Text can follow at the caret only if that is all of it.
        """
        settler = self._settler
        if settler.fence:
            line_end = "\n" if not shown and len(settler.lines) > 1 else ""  # the last one of a fence is not shown
            return line_end + settler.partial[len(shown) :]
        is_whole = shown != "" and shown == settler.partial
        return shown[len(shown.rstrip()) :] if is_whole else None


@functools.lru_cache(maxsize=8)
def _tools(options: RenderOptions) -> tuple[Grammar, Drawing]:
    from streaming.markdown.drawing import Drawing
    from streaming.markdown.grammar import Grammar

    grammar = Grammar()
    return grammar, Drawing(grammar, options)


def render(text: str, options: RenderOptions | None = None) -> str:
    """Returns the safe HTML of a whole text. What cannot be rendered is shown as plain text."""
    stream = MarkdownStream(options)
    stream.finish(text)
    return stream.html
