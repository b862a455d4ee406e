"""The chunks of a stream: their fields, the last of them, and chunks without a list of choices."""

from __future__ import annotations

from streaming.protocol.dialects.openai_chat.chunks.chunk import WireChoice, WireChunk, delta_of
from streaming.protocol.dialects.openai_chat.chunks.last_chunk import read_last_chunk
from streaming.protocol.dialects.openai_chat.chunks.other_apis import as_chunk

__all__ = ["WireChoice", "WireChunk", "as_chunk", "delta_of", "read_last_chunk"]
