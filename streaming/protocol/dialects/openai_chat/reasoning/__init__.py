"""The reasoning of one choice: its words, its signatures, and what goes back to the provider."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.reasoning.echo import Echo
from streaming.protocol.dialects.openai_chat.reasoning.kept import ECHOED
from streaming.protocol.dialects.openai_chat.reasoning.reasoning import Reasoning
from streaming.protocol.dialects.openai_chat.reasoning.thoughts import FLAGS, Thoughts, is_flagged, is_thought

__all__ = ["ECHOED", "FLAGS", "Echo", "Reasoning", "Thoughts", "is_flagged", "is_thought"]
