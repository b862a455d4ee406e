"""Reading of what servers send in many shapes: payloads, errors, images, and signals that are no payload."""

from __future__ import annotations

from streaming.protocol.dialects.wire.decoding import UNREADABLE, decode_leniently, reread
from streaming.protocol.dialects.wire.errors import (
    has_failed_status,
    is_certain_error,
    is_error,
    read_error,
    reports_error,
    stream_error,
)
from streaming.protocol.dialects.wire.images import data_url, read_image
from streaming.protocol.dialects.wire.payload_reader import PayloadReader
from streaming.protocol.dialects.wire.shapes import is_nothing, object_of, shape
from streaming.protocol.dialects.wire.signals import (
    SIGNS_OF_LIFE,
    after_done,
    is_empty,
    is_error_text,
    is_payload,
    is_piece,
    is_sentence,
)
from streaming.protocol.dialects.wire.wrappers import unwrapped

__all__ = [
    "SIGNS_OF_LIFE",
    "UNREADABLE",
    "PayloadReader",
    "after_done",
    "data_url",
    "decode_leniently",
    "has_failed_status",
    "is_certain_error",
    "is_empty",
    "is_error",
    "is_error_text",
    "is_nothing",
    "is_payload",
    "is_piece",
    "is_sentence",
    "object_of",
    "read_error",
    "read_image",
    "reports_error",
    "reread",
    "shape",
    "stream_error",
    "unwrapped",
]
