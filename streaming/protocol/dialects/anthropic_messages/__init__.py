"""The dialect of Anthropic Messages (`POST /v1/messages`): its streams and its request bodies."""

from __future__ import annotations

from streaming.protocol.dialects.anthropic_messages.request import messages_body
from streaming.protocol.dialects.anthropic_messages.stream import AnthropicMessagesStream

__all__ = ["AnthropicMessagesStream", "messages_body"]
