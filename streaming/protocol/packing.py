"""Compression of text that stays in memory while an answer grows."""

from __future__ import annotations

import zlib

QUICK, HARD = 1, 6  # zlib's levels
# Larger pieces stay as they are: compressing a picture of 5 MB would block the event loop for 0.2 s.
MAX_BYTES = 50_000


def pack(text: bytes | bytearray, level: int = QUICK) -> bytes:
    """Returns `text` in the form that `unpack` reads, compressed if it has at most `MAX_BYTES` bytes."""
    return zlib.compress(text, level if len(text) <= MAX_BYTES else 0)


unpack = zlib.decompress
