"""The chunks of a stream: their fields, the last of them, and chunks without a list of choices."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.chunks.bare import as_chunk
from streaming.protocol.dialects.openai_chat.chunks.last_chunk import read_last_chunk
from streaming.protocol.dialects.openai_chat.chunks.payload import WireChoice, WireChunk, delta_of

__all__ = ["WireChoice", "WireChunk", "as_chunk", "delta_of", "read_last_chunk"]
