"""One content block of an Anthropic message."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.anthropic_messages.payload import Readers

JSONObject = dict[str, Any]


class Block:
    """One block, from its start to its stop. This class is for blocks without deltas: they are whole at their start."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer
        self.deltas: Readers = {}
        """The reader of each type of delta."""

    def end(self) -> None:
        """Ends the block. Does nothing the second time."""
