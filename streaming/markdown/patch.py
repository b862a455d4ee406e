"""The changes of a page that shows a text while it is written."""

from __future__ import annotations

from typing import Literal, NamedTuple

Op = tuple[Literal["block", "item"], str] | tuple[Literal["fix"], int, int, str]
"""One addition to the settled part.

    ("block", html)              appends settled blocks to the text
    ("item", html)               appends list items or table rows to the last settled block
    ("fix", block, item, html)   replaces block number `block`, or its item number `item` if that is not -1. This
                                 happens at the end only, and only to blocks with links whose address comes later.
"""


class Patch(NamedTuple):
    """The change from one state of the shown text to the next.

    `ops` are applied first. Then `last` is what follows the items of the last settled block, and `tail` is what follows
    the settled blocks; both replace what was there.
    `rest` is the end of the source that the tail does not show. It is None if the tail must not grow by itself; else
    a reader may put plain text that arrives next at the caret. `is_fresh` is True for the patch that has everything.
    """

    ops: tuple[Op, ...] = ()
    last: str = ""
    tail: str = ""
    rest: str | None = None
    is_fresh: bool = False
