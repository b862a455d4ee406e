"""Reading of values that servers send in many shapes: payloads, errors and images."""

from __future__ import annotations

from streaming.protocol.dialects.wire.errors import (
    is_error,
    is_refusal,
    names_error,
    read_error,
    reports_error,
    stream_error,
)
from streaming.protocol.dialects.wire.images import data_url, read_image
from streaming.protocol.dialects.wire.lenient import (
    UNREADABLE,
    decode_leniently,
    object_of,
    reread,
    shape,
    unwrapped,
)
from streaming.protocol.dialects.wire.payloads import Payloads
from streaming.protocol.dialects.wire.signals import (
    after_done,
    is_empty,
    is_error_text,
    is_payload,
    is_piece,
    is_sentence,
)

__all__ = [
    "UNREADABLE",
    "Payloads",
    "after_done",
    "data_url",
    "decode_leniently",
    "is_empty",
    "is_error",
    "is_error_text",
    "is_payload",
    "is_piece",
    "is_refusal",
    "is_sentence",
    "names_error",
    "object_of",
    "read_error",
    "read_image",
    "reports_error",
    "reread",
    "shape",
    "stream_error",
    "unwrapped",
]
