"""The changes of a page that shows a text while it is written."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

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

    def chunk(self, part: str) -> bytes:
        """Returns the UI chunk, as JSON, that tells a client of this change of a text part.

        It is `{"type": "data-html", "transient": true, "data": {"id": …, "ops": …, "last": …, "tail": …, "rest": …,
        "fresh": true}}`. Fields that are empty are left out.
        """
        fields = {"ops": self.ops, "last": self.last, "tail": self.tail, "fresh": self.is_fresh}
        data: dict[str, Any] = {"id": part} | {name: value for name, value in fields.items() if value}
        if self.rest is not None:
            data["rest"] = self.rest
        return msgspec.json.encode({"type": "data-html", "data": data, "transient": True})
