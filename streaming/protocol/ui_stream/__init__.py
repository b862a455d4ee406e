"""The stream to clients: the AI SDK's UI message stream (protocol v1), the part that `ai` v5, v6 and v7 all read.

`UIStreamEncoder` turns events into chunks, and `frame` turns a chunk into a numbered frame. After a crash `fold_chunks`
restores parts from chunks. `ui_parts` turns stored parts into the UIMessage parts that clients load, and `events_of`
into events that stream them again. `inbound_parts` reads the tool results and decisions that clients send.
"""

from __future__ import annotations

from streaming.protocol.ui_stream.encoder import UIStreamEncoder
from streaming.protocol.ui_stream.fold import fold_chunks
from streaming.protocol.ui_stream.frames import (
    DONE,
    HEADERS,
    HEARTBEAT,
    chunk_of,
    error_frame,
    frame,
    split_frames,
)
from streaming.protocol.ui_stream.inbound import inbound_parts
from streaming.protocol.ui_stream.kept import replacement_in
from streaming.protocol.ui_stream.messages import ui_parts
from streaming.protocol.ui_stream.outcome import Outcome
from streaming.protocol.ui_stream.replay import events_of
from streaming.protocol.ui_stream.steps import is_from_app, step_starts

__all__ = [
    "DONE",
    "HEADERS",
    "HEARTBEAT",
    "Outcome",
    "UIStreamEncoder",
    "chunk_of",
    "error_frame",
    "events_of",
    "fold_chunks",
    "frame",
    "inbound_parts",
    "is_from_app",
    "replacement_in",
    "split_frames",
    "step_starts",
    "ui_parts",
]
