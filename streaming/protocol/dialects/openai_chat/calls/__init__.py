"""The tool calls of one choice: finding the call that each fragment belongs to."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.calls.tool_calls import ToolCalls

__all__ = ["ToolCalls"]
