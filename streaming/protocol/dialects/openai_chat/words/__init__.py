"""The words of one choice: its text, its reasoning, and what goes back to the provider with the reasoning."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.words.content import Content
from streaming.protocol.dialects.openai_chat.words.marked_thoughts import MARKS, THOUGHT_FLAG, is_marked
from streaming.protocol.dialects.openai_chat.words.reasoning import Reasoning
from streaming.protocol.dialects.openai_chat.words.returned_fields import RETURNED_TEXT

__all__ = ["MARKS", "RETURNED_TEXT", "THOUGHT_FLAG", "Content", "Reasoning", "is_marked"]
