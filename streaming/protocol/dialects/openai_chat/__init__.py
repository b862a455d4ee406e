"""The dialect of OpenAI Chat Completions (`POST /chat/completions`): its streams and its request bodies."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.request import chat_body
from streaming.protocol.dialects.openai_chat.stream import OpenAIChatStream

__all__ = ["OpenAIChatStream", "chat_body"]
