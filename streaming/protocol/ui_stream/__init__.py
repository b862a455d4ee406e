"""The wire to clients: the AI SDK UI message stream (protocol v1), the subset that `ai` v5, v6 and v7 all read.

Events become chunks (`UIStreamEncoder`), chunks become numbered frames (`frame`), frames become parts again after a
crash (`fold_chunks`), and stored parts become the UIMessage parts that clients load (`ui_parts`). `inbound_parts` reads
what clients send back of calls.
"""

from __future__ import annotations

from streaming.protocol.ui_stream.encoder import UIStreamEncoder
from streaming.protocol.ui_stream.fold import fold_chunks
from streaming.protocol.ui_stream.frames import (
    DONE,
    ERROR,
    HEADERS,
    HEARTBEAT,
    SIGNED_OUT,
    TOO_MANY,
    chunk_of,
    frame,
    split_frames,
)
from streaming.protocol.ui_stream.inbound import inbound_parts
from streaming.protocol.ui_stream.messages import ui_parts
from streaming.protocol.ui_stream.outcome import Outcome
from streaming.protocol.ui_stream.replay import events_of

__all__ = [
    "DONE",
    "ERROR",
    "HEADERS",
    "HEARTBEAT",
    "SIGNED_OUT",
    "TOO_MANY",
    "Outcome",
    "UIStreamEncoder",
    "chunk_of",
    "events_of",
    "fold_chunks",
    "frame",
    "inbound_parts",
    "split_frames",
    "ui_parts",
]
