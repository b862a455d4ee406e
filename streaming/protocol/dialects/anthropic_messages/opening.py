"""The content blocks that come whole with a message's start (programmatic tool calling)."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.anthropic_messages.payload import Payload

JSONObject = dict[str, Any]


class Opening:
    """Keeps the blocks until the next events show if they come once more.

    The other blocks have higher indexes. A block that begins with the index and the identity of one of these is that
    block once more.
    """

    def __init__(self, content: Any = None) -> None:
        whole = enumerate(content if isinstance(content, list) else [])
        self._blocks: dict[int, JSONObject] = {at: wire for at, wire in whole if isinstance(wire, dict)}

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def take(self, payload: Payload) -> list[JSONObject]:
        """Returns the blocks to read before the event. If the event begins one again, it gets that block's fields."""
        wire, index = payload.content_block or {}, payload.index
        again = self._blocks.get(index) if index is not None else None
        if index is None or again is None or not _is_same(again, wire):
            before, self._blocks = list(self._blocks.values()), {}
            return before
        payload.content_block = again | {key: value for key, value in wire.items() if value}
        before = [self._blocks.pop(at) for at in list(self._blocks) if at < index]
        del self._blocks[index]
        return before


def _is_same(whole: JSONObject, wire: JSONObject) -> bool:
    return all(whole.get(key) == wire.get(key) for key in ("type", "id", "tool_use_id"))
