"""Frames whose ids name their answer: `17-3f2a91c0` in place of `17`.

The numbers of each answer begin at 1, so a number alone means nothing in another answer of the same conversation.
"""

from __future__ import annotations

import uuid

from streaming.subscription.contract import Subscription

TAG_CHARS = 8


def tag_of(generation_id: uuid.UUID) -> str:
    """Returns the part of a cursor that names the generation: the beginning of its id."""
    return generation_id.hex[:TAG_CHARS]


class NamedSubscription:
    """A subscription whose frames have ids that name the generation."""

    def __init__(self, inner: Subscription, generation_id: uuid.UUID) -> None:
        self.seq = inner.seq
        self.has_begun_again = False
        self._inner = inner
        self._line_end = f"-{tag_of(generation_id)}\n".encode()

    async def next(self, seconds: float) -> list[bytes] | None:
        frames = await self._inner.next(seconds)
        self.seq, self.has_begun_again = self._inner.seq, self._inner.has_begun_again
        return frames and [self._named(one) for one in frames]

    def close(self) -> None:
        self._inner.close()

    def _named(self, frame: bytes) -> bytes:
        """The frame with its longer id. One without an id, such as that of HTML, stays."""
        return frame.replace(b"\n", self._line_end, 1) if frame.startswith(b"id: ") else frame
