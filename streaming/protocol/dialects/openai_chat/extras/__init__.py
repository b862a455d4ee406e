"""What comes beside the words: citations and images."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.extras.extras import EXTRA_FIELDS, EXTRA_ITEMS, Extras
from streaming.protocol.dialects.openai_chat.extras.sources import Sources

__all__ = ["EXTRA_FIELDS", "EXTRA_ITEMS", "Extras", "Sources"]
