"""Frames: one UI chunk each, numbered, ready to be sent.

A frame is `id: <seq>\\ndata: <chunk as JSON>\\n\\n`. JSON has no raw newlines, so the only blank line of a frame is at
its end. Therefore many frames can be stored as one value and split again.
"""

from __future__ import annotations

import msgspec

HEARTBEAT = b": heartbeat\n\n"
DONE = b"data: [DONE]\n\n"
# With any Content-Encoding, compressing middleware leaves the stream alone. Otherwise it would hold back the frames.
# With `no-store`, Chromium often does not report the end of a stream to its developer tools.
HEADERS = {
    "Cache-Control": "private, no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",
    "x-vercel-ai-ui-message-stream": "v1",
}


def frame(seq: int, chunk: bytes) -> bytes:
    """Returns the frame of chunk number `seq`. A generation numbers its chunks from 1, without gaps."""
    return b"id: %d\ndata: %b\n\n" % (seq, chunk)


def error_frame(text: str) -> bytes:
    """Returns an error as a frame without a number, because no log holds it. A reader resumes at its last number."""
    return b"data: %b\n\n" % msgspec.json.encode({"type": "error", "errorText": text})


def chunk_of(framed: bytes) -> bytes:
    """Returns the chunk, as JSON, inside one frame, which may have no number."""
    return framed[framed.index(b"data: ") + 6 : -2]


def split_frames(joined: bytes) -> list[bytes]:
    """Splits joined frames."""
    return [piece + b"\n\n" for piece in joined.split(b"\n\n")[:-1]]
