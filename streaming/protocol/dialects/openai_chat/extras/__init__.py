"""What comes beside the words: citations and images."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.extras.extras import Extras

__all__ = ["Extras"]
