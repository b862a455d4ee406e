"""One output item of an OpenAI response."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter

JSONObject = dict[str, Any]


class Item:
    """One item, from `output_item.added` to `output_item.done`. `wire` is empty if its first delta opened it.

    This class is for items without deltas. Only their end is read.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer
        self.delta_id: str | None = None
        """The id in the delta that opened the item. None once the item is announced."""
        self.ended_as: str | None = None
        """The identity that the item had at its end. None before that."""

    def announce(self, wire: JSONObject) -> None:
        """Reads `output_item.added` if it comes after the first delta."""

    def done(self, wire: JSONObject) -> None:
        """Ends the item; `wire` is the whole of it. Called once."""

    def cut(self) -> None:
        """Ends the item, because the answer has ended before `output_item.done`."""

    def may_be(self, wire: JSONObject) -> bool:
        """Returns True if an item or event, whose index and id are those of no item, may be this one's.

        It is the only open one of its class.
        """
        return False


def id_of(wire: JSONObject) -> str:
    """Returns the identity of an item: the `call_id` of a call, or else its `id`."""
    return next((wire[key] for key in ("call_id", "id") if isinstance(wire.get(key), str)), "")
