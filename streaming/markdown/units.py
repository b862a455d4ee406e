"""Units: what is settled as a whole. A unit is a block, an item of a top-level list, or a row of a top-level table.

A list or table is a container that is settled with its first item, and grows. Otherwise a long one would be sent again
and again until its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

LISTS = ("bullet_list_open", "ordered_list_open")
BY_BLANK_LINE = ("paragraph_open", "blockquote_open", "formula_block")
AT_ONCE = ("heading_open", "hr", "tr_open", "")


@dataclass(slots=True)
class Container:
    """A list or a table. `head` has the source lines of a table before its first row: each row is parsed after them."""

    opening: list[Token]
    closing: list[Token]
    head: Sequence[str] = ()
    is_shown: bool = False


@dataclass(slots=True)
class Unit:
    """Tokens and the source lines from `first` up to `last`. The head of a table is a unit without tokens."""

    first: int
    last: int
    tokens: list[Token] = field(default_factory=list)
    container: Container | None = None

    def is_closed(self, lines: Sequence[str]) -> bool:
        """Returns True if no later line can change this unit. `lines` are the source's complete lines."""
        kind = self.tokens[0].type if self.tokens else ""
        if kind in AT_ONCE:
            return True
        if kind == "fence":
            return is_fence_closed(self.tokens[0], lines)
        return kind in BY_BLANK_LINE and self.last < len(lines) and not lines[self.last].strip(" \t")


def units(tokens: list[Token], source: Sequence[str]) -> list[Unit]:
    """Returns the units of block tokens, in order. `source` are the lines that they were parsed from."""
    return [unit for group in _groups(tokens) for unit in _units_of(group, source)]


def is_fence_closed(fence: Token, source: Sequence[str]) -> bool:
    """Returns True if the last line of a fence is its closing one."""
    first, last = _lines([fence])
    if last - first < 2 or last > len(source):
        return False
    marks = re.escape(fence.markup[0]) + f"{{{len(fence.markup)},}}"
    return re.fullmatch(rf"[ \t>]*{marks}[ \t]*", source[last - 1]) is not None


def _groups(tokens: list[Token], level: int = 0) -> Iterator[list[Token]]:
    """Yields the tokens of each block at this level."""
    begin = 0
    for at, token in enumerate(tokens):
        if token.level == level and token.nesting <= 0:
            yield tokens[begin : at + 1]
            begin = at + 1


def _units_of(group: list[Token], source: Sequence[str]) -> Iterator[Unit]:
    kind = group[0].type
    if kind in LISTS:
        container = Container(group[:1], group[-1:])
        yield from (Unit(*_lines(item), item, container) for item in _groups(group[1:-1], level=1))
    elif kind == "table_open":
        yield from _table(group, source)
    else:
        yield Unit(*_lines(group), group)


def _table(group: list[Token], source: Sequence[str]) -> Iterator[Unit]:
    """Yields the head, then one unit for each row."""
    body = next((at for at, token in enumerate(group) if token.type == "tbody_open"), len(group) - 1)
    head, rows = group[:body], group[body + 1 : -2]
    opening, closing = Token("tbody_open", "tbody", 1), Token("tbody_close", "tbody", -1)
    first = _lines(group)[0]
    container = Container([*head, opening], [closing, group[-1]], source[first : first + 2])
    yield Unit(first, first + 2, container=container)
    yield from (Unit(*_lines(row), _without_empty_end(row), container) for row in _groups(rows, level=2))


def _without_empty_end(row: list[Token]) -> list[Token]:
    """Returns a row without the empty cells that the parser adds at its end."""
    end = len(row) - 1
    while end > 4 and not row[end - 2].content:
        end -= 3
    return [*row[:end], row[-1]]


def _lines(group: list[Token]) -> tuple[int, int]:
    first, last = group[0].map or [0, 0]
    return first, last
