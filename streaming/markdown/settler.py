"""Finds the units at the beginning of a text that no later text can change, and draws them once.

Blocks are found in complete lines only. Markdown's blocks are decided line by line, so once another block begins, all
blocks before it are final.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from streaming.markdown.drawing import Drawing
from streaming.markdown.grammar import Grammar
from streaming.markdown.patch import Op
from streaming.markdown.units import Container, Unit, units

SMALL = 2_000
"""A tail up to this size, in characters, is parsed at each line. A longer one is parsed when it has grown by an eighth,
so that a block without an end costs linear time."""

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(slots=True)
class Settled:
    """A settled block. A list or a table has its items between `opening` and `closing`."""

    opening: str
    closing: str = ""
    items: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        return "".join((self.opening, *self.items, self.closing))

    def ops(self) -> Iterator[Op]:
        """Yields the additions that make this block."""
        yield "block", self.opening + self.closing
        yield from (("item", html) for html in self.items)


@dataclass(slots=True)
class Unresolved:
    """A settled unit with square brackets: they may be links whose address comes later. `known` addresses had come."""

    block: int
    item: int
    source: list[str]
    known: int


class Settler:
    """The lines of a text that are not settled, and the blocks that are.

    `partial` is the line that has no end yet. `fence` has the signs of the fence that the lines are inside of, `head`
    the lines of the table that they continue; both are empty if there is none. `size` counts the characters.
    """

    def __init__(self, grammar: Grammar, drawing: Drawing) -> None:
        self.lines: list[str] = []
        self.partial = ""
        self.fence = ""
        self.head: Sequence[str] = ()
        self.settled: list[Settled] = []
        self.references: dict[str, dict[str, Any]] = {}
        self._grammar, self._drawing = grammar, drawing
        self._is_inside = False  # True while items of the last settled block follow
        self._unresolved: list[Unresolved] = []
        self.size = self._parsed_size = 0

    def take(self, text: str) -> list[str]:
        """Adds text to the lines. Returns the lines that became complete."""
        self.size += len(text)
        first, *others = text.split("\n")
        self.partial += first
        if not others:
            return []
        added = [self.partial, *others[:-1]]
        self.lines += added
        self.partial = others[-1]
        return added

    def may_settle(self, added: Sequence[str]) -> bool:
        """Returns True if the lines that were added may end a block, so that the tail is worth parsing."""
        if self.fence:
            marks = re.escape(self.fence[0]) + f"{{{len(self.fence)},}}"
            return any(re.fullmatch(rf" {{0,3}}{marks}[ \t]*", line) for line in added)
        if self.size > SMALL and self.size < self._parsed_size * 9 / 8:
            return False
        return len(self.lines) == len(added) or not all(LETTER.match(line) for line in added)

    def units(self, source: list[str]) -> tuple[list[Unit], dict[str, dict[str, Any]]]:
        """Returns the units of the lines, without the head of a table that is settled, and the definitions in them."""
        parsed = self._grammar.blocks("\n".join(source))
        found = units(parsed.tokens, source)
        if self._is_inside and found and found[0].container:
            found[0].container.is_shown = True
        return found[1:] if self.head else found, dict(parsed.defined)

    def settle(self, *, is_over: bool = False) -> list[Op]:
        """Settles the units that no later text can change, or all at the end."""
        source = [*self.head, *self.lines]
        found, defined = self.units([*source, ""])
        is_all = is_over or bool(found and found[-1].is_closed(source))
        count = len(found) if is_all else max(0, len(found) - 1)
        references = ChainMap(self.references, defined)
        ops = [op for unit in found[:count] for op in self._settle(unit, source, references)]
        if count < len(found):
            begin = found[count].first
        elif is_over or not source[-1].strip(" \t"):
            begin = len(source)
        else:
            begin = found[-1].last if found else len(self.head)
        for label, reference in defined.items():
            if reference["map"][0] < begin:
                self.references.setdefault(label, reference)
        self._keep(found[count:], source[begin:])
        if count == len(found) and found and found[-1].last == len(source):
            self._stay_in(found[-1].container)
        return ops

    def _settle(self, unit: Unit, source: list[str], references: Any) -> list[Op]:
        html = self._drawing.unit(unit, source, references)
        container, ops = unit.container, list[Op]()
        if container is None:
            self.settled.append(Settled(html))
            ops.append(("block", html))
        elif not container.is_shown:
            container.is_shown = True
            self.settled.append(block := Settled(*self._drawing.container(container)))
            ops.append(("block", block.html))
        if container is not None and unit.tokens:
            self.settled[-1].items.append(html)
            ops.append(("item", html))
        self._remember(unit, source[unit.first : unit.last], len(references))
        return ops

    def _remember(self, unit: Unit, lines: list[str], known: int) -> None:
        if any("[" in line for line in lines) and (unit.tokens or unit.container is None):
            head = unit.container.head if unit.container else ()
            item = len(self.settled[-1].items) - 1 if unit.container else -1
            self._unresolved.append(Unresolved(len(self.settled) - 1, item, [*head, *lines], known))

    def _keep(self, rest: list[Unit], lines: list[str]) -> None:
        """Keeps the lines that are not settled, and what is needed to parse them again."""
        self._stay_in(rest[0].container if rest else None)
        self.lines = lines
        is_fence = len(rest) == 1 and bool(rest[0].tokens) and rest[0].tokens[0].type == "fence"
        opening = FENCE.match(lines[0]) if is_fence else None
        self.fence = opening[1] if opening else ""
        self.size = self._parsed_size = sum(map(len, lines)) + len(lines) + len(self.partial)

    def _stay_in(self, container: Container | None) -> None:
        """Notes whether the next lines may go on with the last settled block."""
        self._is_inside = container is not None and container.is_shown
        self.head = container.head if container is not None and container.is_shown else ()

    def fixes(self) -> list[Op]:
        """Returns the settled units that have links whose addresses came later. For the end of the text."""
        ops: list[Op] = []
        for one in self._unresolved:
            if one.known >= len(self.references):
                continue
            block = self.settled[one.block]
            found = units(self._grammar.blocks("\n".join(one.source) + "\n").tokens, one.source)
            html = self._drawing.unit(found[-1], one.source, self.references) if found else ""
            if html != (block.items[one.item] if one.item >= 0 else block.opening):
                ops.append(("fix", one.block, one.item, html))
                if one.item >= 0:
                    block.items[one.item] = html
                else:
                    block.opening = html
        return ops
