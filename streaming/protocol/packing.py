"""Packing: what has been said is kept small while more is being said."""

from __future__ import annotations

import zlib

QUICK, HARD = 1, 6  # zlib's levels
# Bytes that are packed at once. More of them are kept as they are: a picture of 5 MB would hold up everybody for 0.2 s.
MAX_BYTES = 50_000


def pack(text: bytes | bytearray, level: int = QUICK) -> bytes:
    """For `unpack`; not smaller where it would take long."""
    return zlib.compress(text, level if len(text) <= MAX_BYTES else 0)


unpack = zlib.decompress
