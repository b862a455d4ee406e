"""The cursor of a reader that wants the HTML of an answer's texts beside its frames."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterator

from streaming.markdown import Patch
from streaming.subscription.contract import Subscription
from streaming.subscription.picture import Numbered, Picture, html_frame, merged, picture_of, text_chunk

PACE = 0.04
"""Seconds between two deliveries. What arrives meanwhile is rendered and sent together; nobody sees 25 a second."""


class HtmlSubscription:
    """A subscription whose frames are followed by the changes of the HTML that belong to them.

    `inner` must begin with frame 1, because the HTML of a text needs all of it. The reader gets the frames after number
    `after`, and not those from 2 up to number `head`.
    """

    def __init__(self, inner: Subscription, generation_id: uuid.UUID, *, after: int = 0, head: int = 0) -> None:
        self.seq = 0
        self.has_begun_again = False
        self._inner = inner
        self._picture = picture_of(generation_id)
        self._after, self._head = after, head
        self._needs_all = after > 0 or self._picture.seq > 0
        self._delivered_at = 0.0

    async def next(self, seconds: float) -> list[bytes] | None:
        deadline = time.monotonic() + seconds
        while True:  # frames that the reader has already are silence
            await asyncio.sleep(max(0.0, self._delivered_at + PACE - time.monotonic()))
            frames = await self._inner.next(max(0.0, deadline - time.monotonic()))
            if not frames:
                return frames
            if self._inner.has_begun_again and not self.has_begun_again:
                self._begin_again()
            delivery = await self._deliver(frames)
            if delivery:
                self._delivered_at = time.monotonic()
                return delivery

    def close(self) -> None:
        self._inner.close()

    def _begin_again(self) -> None:
        """The log was lost and made anew: its frames are others than those of the shared picture."""
        self.has_begun_again = True
        self._picture, self._needs_all = Picture(), False
        self.seq = self._after = self._head = 0

    async def _deliver(self, frames: list[bytes]) -> list[bytes]:
        before, self.seq = self.seq, self.seq + len(frames)
        await self._picture.take(frames, self.seq)
        self._needs_all |= self._picture.lost > before
        if not self._needs_all:
            return list(self._in_order(frames, before + 1))
        delivery = list(self._passed(_numbered(frames, before + 1)))
        if self._picture.seq == self.seq:
            self._needs_all = False
            delivery += self._picture.whole(self._head)
        return delivery

    def _in_order(self, frames: list[bytes], first: int) -> Iterator[bytes]:
        """The frames, each followed by the changes that belong after it."""
        numbered, done = _numbered(frames, first), 0
        for change in self._picture.changes(first - 1):
            if change.seq > self.seq:
                break
            end = change.seq - first + 1
            yield from self._passed(numbered[done:end])
            done = end
            if change.began > self._head:
                yield change.frame
        yield from self._passed(numbered[done:])

    def _passed(self, numbered: list[Numbered]) -> Iterator[bytes]:
        """The frames that the reader gets. An empty text comes first, so that the reader waits for its HTML."""
        kept = [(seq, one) for seq, one in numbered if seq > self._after and not 1 < seq <= self._head]
        for one in merged(kept):
            yield one
            chunk = text_chunk(one)
            if chunk and chunk.type == "text-start":
                yield html_frame(chunk.id, Patch(is_fresh=True))


def _numbered(frames: list[bytes], first: int) -> list[Numbered]:
    return list(enumerate(frames, first))
