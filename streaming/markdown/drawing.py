"""Draws units as HTML: settled ones, and the tail that is still being written."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape

from markdown_it.token import Token

from streaming.markdown.clean import clean, clean_rows
from streaming.markdown.faults import note_fault
from streaming.markdown.grammar import MAX_NESTING, Grammar, References
from streaming.markdown.html import CONTINUES, HTML, with_tasks
from streaming.markdown.options import RenderOptions
from streaming.markdown.units import Container, Unit, is_fence_closed

PLAIN = {
    "list_item_open": ('<li class="md-plain" dir="auto">', "</li>"),
    "tr_open": ('<tr><td class="md-plain">', "</td></tr>"),
}
PLAIN_BLOCK = ('<p class="md-plain" dir="auto">', "</p>")


class Drawing:
    """Renders units. A unit that cannot be rendered is shown as its source."""

    def __init__(self, grammar: Grammar, options: RenderOptions) -> None:
        self._grammar = grammar
        self._html = HTML(options)

    def unit(self, unit: Unit, source: Sequence[str], references: References) -> str:
        """Returns the HTML of a settled unit. `source` are the lines of the text that it was parsed from."""
        try:
            if _is_too_deep(unit.tokens):
                return _plain(unit, source)
            with_tasks(unit.tokens)
            self._grammar.fill(unit.tokens, references)
            return self._cleaned(unit.tokens)
        except Exception as error:  # a fault of ours or of a library must not cost a reader the answer
            note_fault("a settled block", error)
            return _plain(unit, source)

    def container(self, container: Container) -> tuple[str, str]:
        """Returns the HTML before and after the items of a list or a table."""
        self._grammar.fill(container.opening, {})
        whole = clean(self._html.render([*container.opening, *container.closing]))
        closing = self._html.render(container.closing)
        return whole.removesuffix(closing), closing

    def tail(self, found: list[Unit], source: Sequence[str], references: References) -> tuple[str, str, bool]:
        """Draws what is not settled.

        Returns the HTML of items that belong to the last settled block, the HTML of what follows that block, and True
        if plain text that comes next may be put at the caret.
        """
        pieces = [(unit.container, self.unit(unit, source, references)) for unit in found[:-1]]
        is_open = False
        if found:
            html, is_open = self._growing(found[-1], source, references)
            pieces.append((found[-1].container, html))
        last, tail = [], list[str]()
        for container, group in itertools.groupby(pieces, key=lambda piece: piece[0]):
            html = "".join(html for _, html in group)
            if container is not None and container.is_shown:
                last.append(html)
            else:
                tail.append(html if container is None else html.join(self.container(container)))
        return "".join(last), "".join(tail), is_open

    def _growing(self, unit: Unit, source: Sequence[str], references: References) -> tuple[str, bool]:
        """Returns the HTML of the last unit, and True if plain text may follow at the caret."""
        try:
            if _is_too_deep(unit.tokens):
                return _plain(unit, source), False
            with_tasks(unit.tokens)
            leaf = _leaf(unit.tokens)
            if leaf is not None and leaf.type == "formula_block" and not leaf.content:
                unit.tokens.remove(leaf)  # it is shown once it is complete
            live = leaf if leaf is not None and leaf.type == "inline" and not _ends_blank(source) else None
            is_open = self._grammar.fill(unit.tokens, references, live)
            if leaf is not None and leaf.type == "fence" and not is_fence_closed(leaf, source):
                leaf.meta[CONTINUES] = True
                is_open = len(unit.tokens) == 1
            return self._cleaned(unit.tokens), is_open
        except Exception as error:  # as in `unit`
            note_fault("the block that is being written", error)
            return _plain(unit, source), False

    def _cleaned(self, tokens: list[Token]) -> str:
        html = self._html.render(tokens)
        return clean_rows(html) if tokens and tokens[0].type == "tr_open" else clean(html)


def _is_too_deep(tokens: list[Token]) -> bool:
    return any(token.level >= MAX_NESTING - 1 for token in tokens)


def _plain(unit: Unit, source: Sequence[str]) -> str:
    before, after = PLAIN.get(unit.tokens[0].type if unit.tokens else "", PLAIN_BLOCK)
    return f"{before}{escape(chr(10).join(source[unit.first : unit.last]).strip())}{after}"


def _leaf(tokens: list[Token]) -> Token | None:
    """Returns the last token with content. The empty cells at the end of a row do not count."""
    return next((token for token in reversed(tokens) if token.nesting == 0), None)


def _ends_blank(source: Sequence[str]) -> bool:
    """Returns True if the last complete line is blank, so that the paragraph before it is complete."""
    return len(source) > 1 and not source[-1].strip(" \t>") and not source[-2].strip(" \t>")
