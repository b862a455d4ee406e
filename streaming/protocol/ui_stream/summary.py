"""The text and the outcome that the chunks of one log add up to."""

from __future__ import annotations

from typing import Any

import msgspec

TOLD = (b'{"type":"text-delta"', b'{"type":"finish"', b'{"type":"message-metadata"')
"""The beginnings of the chunks that count. Others are not decoded."""


class _Chunk(msgspec.Struct, gc=False, rename="camel"):
    delta: str = ""
    message_metadata: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class Summary:
    """Collects what a reader was sent."""

    def __init__(self) -> None:
        self._text = bytearray()  # a list of short strings would take ten times the memory
        self._metadata: dict[str, Any] = {}

    def add(self, raw: bytes) -> None:
        """Takes the next chunk, as JSON bytes of this package's encoder."""
        if raw.startswith(TOLD):
            chunk = _decode(raw)
            self._text += chunk.delta.encode("utf-8", "surrogatepass")
            self._metadata |= chunk.message_metadata or {}

    def done(self) -> dict[str, Any]:
        """Returns the whole `text`, and the message's metadata: `status`, `finishReason`, `usage` and more."""
        return {"text": self._text.decode("utf-8", "surrogatepass"), **self._metadata}
