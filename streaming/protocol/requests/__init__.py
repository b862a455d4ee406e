"""What a provider is asked: the conversation so far and how to continue it. Values only; no ids, no rows.

`repair` makes any sequence of turns one that providers accept. Each dialect turns a `GenerationRequest` into a body
of its own (`streaming.protocol.dialects.encode`).
"""

from __future__ import annotations

from streaming.protocol.requests.repair import repair
from streaming.protocol.requests.request import GenerationRequest, ToolSpec

__all__ = ["GenerationRequest", "ToolSpec", "repair"]
