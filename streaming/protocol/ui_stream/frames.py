"""Frames: one UI chunk each, numbered, ready for the socket.

A frame is `id: <seq>\\ndata: <chunk as JSON>\\n\\n`. JSON never holds a raw newline, so a frame holds exactly one blank
line, at its end, and any number of frames can be stored joined.
"""

from __future__ import annotations

HEARTBEAT = b": heartbeat\n\n"
DONE = b"data: [DONE]\n\n"
# Has no number: the log does not hold it, and a reader that comes back goes on where it was.
ERROR = b'data: {"type":"error","errorText":"The connection broke off. Reload to go on."}\n\n'
SIGNED_OUT = b'data: {"type":"error","errorText":"You have been signed out. Sign in to go on."}\n\n'
TOO_MANY = b'data: {"type":"error","errorText":"This is open in too many places. Close one of them."}\n\n'

# identity: any value makes compressing middleware keep its hands off a stream it would otherwise hold back.
HEADERS = {
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",
    "x-vercel-ai-ui-message-stream": "v1",
}


def frame(seq: int, chunk: bytes) -> bytes:
    """Chunk number `seq` (from 1, without a gap) of a generation, for the wire and for the journal."""
    return b"id: %d\ndata: %b\n\n" % (seq, chunk)


def chunk_of(framed: bytes) -> bytes:
    """The JSON inside one frame."""
    return framed[framed.index(b"\ndata: ") + 7 : -2]


def split_frames(joined: bytes) -> list[bytes]:
    """Take joined frames apart."""
    return [piece + b"\n\n" for piece in joined.split(b"\n\n")[:-1]]
