"""Reading of values that servers send in many shapes: payloads, errors and images."""

from __future__ import annotations

from streaming.protocol.dialects.wire.errors import is_error, read_error, stream_error
from streaming.protocol.dialects.wire.halves import Halves
from streaming.protocol.dialects.wire.images import data_url, read_image
from streaming.protocol.dialects.wire.lenient import (
    UNREADABLE,
    decode_halves,
    decode_leniently,
    reread,
    shape,
    unwrapped,
)

__all__ = [
    "UNREADABLE",
    "Halves",
    "data_url",
    "decode_halves",
    "decode_leniently",
    "is_error",
    "read_error",
    "read_image",
    "reread",
    "shape",
    "stream_error",
    "unwrapped",
]
