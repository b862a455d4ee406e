"""Frames: one UI chunk each, numbered, ready to be sent.

A frame is `id: <seq>\\ndata: <chunk as JSON>\\n\\n`. JSON has no raw newlines, so the only blank line of a frame is at
its end. Therefore many frames can be stored as one value and split again.
"""

from __future__ import annotations

HEARTBEAT = b": heartbeat\n\n"
DONE = b"data: [DONE]\n\n"
# These have no number, because the log does not hold them. A reader that comes back resumes at its last frame.
ERROR = b'data: {"type":"error","errorText":"The connection broke off. Reload to go on."}\n\n'
SIGNED_OUT = b'data: {"type":"error","errorText":"You have been signed out. Sign in to go on."}\n\n'
TOO_MANY = b'data: {"type":"error","errorText":"This is open in too many places. Close one of them."}\n\n'
DELETED = b'data: {"type":"error","errorText":"This conversation has been deleted."}\n\n'

# With any Content-Encoding, compressing middleware leaves the stream alone. Otherwise it would hold back the frames.
HEADERS = {
    "Cache-Control": "private, no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",
    "x-vercel-ai-ui-message-stream": "v1",
}


def frame(seq: int, chunk: bytes) -> bytes:
    """Returns the frame of chunk number `seq`. A generation numbers its chunks from 1, without gaps."""
    return b"id: %d\ndata: %b\n\n" % (seq, chunk)


def chunk_of(framed: bytes) -> bytes:
    """Returns the chunk, as JSON, inside one frame."""
    return framed[framed.index(b"\ndata: ") + 7 : -2]


def split_frames(joined: bytes) -> list[bytes]:
    """Splits joined frames."""
    return [piece + b"\n\n" for piece in joined.split(b"\n\n")[:-1]]
