"""Reading of values that servers send in many shapes: payloads, errors and images."""

from __future__ import annotations

from streaming.protocol.dialects.wire.errors import read_error, stream_error
from streaming.protocol.dialects.wire.images import data_url, read_image
from streaming.protocol.dialects.wire.lenient import UNREADABLE, decode_leniently, reread, shape

__all__ = ["UNREADABLE", "data_url", "decode_leniently", "read_error", "read_image", "reread", "shape", "stream_error"]
