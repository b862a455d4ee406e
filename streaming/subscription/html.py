"""The cursor of a reader that wants the HTML of an answer's texts beside its frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing

from streaming.markdown import Patch
from streaming.subscription.contract import PATIENCE, Subscription
from streaming.subscription.picture import Numbered, Picture, html_frame, is_html, merged, text_chunk

PACE = 0.05
PACE_OF_HTML = 0.1
"""Seconds until the next delivery, after one without and after one with a change of the HTML. What arrives meanwhile is
rendered and sent together, which saves both CPU time and bytes."""


class HtmlSubscription:
    """A subscription whose frames are followed by the changes of the HTML that belong to them.

    `from_start` opens another subscription that begins with frame 1: the HTML of a text needs all of it. The reader
    does not get the frames of `inner` from number 2 up to number `head`.
    """

    def __init__(
        self,
        inner: Subscription,
        picture: Picture,
        from_start: Callable[[], Awaitable[Subscription]],
        *,
        head: int = 0,
    ) -> None:
        self.seq = inner.seq
        self.has_begun_again = False
        self._inner = inner
        self._picture = picture
        self._from_start = from_start
        self._head = head
        self._needs_all = inner.seq > 0 or picture.seq > 0
        self._is_alone = False
        self._due_at = 0.0

    async def next(self, seconds: float) -> list[bytes] | None:
        deadline = time.monotonic() + seconds
        while True:  # frames that the reader does not get are silence
            await asyncio.sleep(max(0.0, self._due_at - time.monotonic()))
            frames = await self._inner.next(max(0.0, deadline - time.monotonic()))
            if frames is None and not self._is_alone and (self._needs_all or self._picture.is_open):
                return await self._alone()
            if not frames:
                return frames
            self._begin_again_with_the_log()
            self.seq = self._inner.seq
            if delivery := await self._deliver(frames):
                self._due_at = time.monotonic() + (PACE_OF_HTML if is_html(delivery[-1]) else PACE)
                return delivery

    def close(self) -> None:
        self._inner.close()

    def _begin_again_with_the_log(self) -> None:
        """If the log was lost and made anew, its frames are others than those of the picture that readers share."""
        if self._inner.has_begun_again and not self.has_begun_again:
            self.has_begun_again = True
            self._picture, self._needs_all, self._head = Picture(), False, 0

    async def _deliver(self, frames: list[bytes]) -> list[bytes]:
        before = self.seq - len(frames)
        if self._picture.seq < before:
            await self._catch_up(before)
        await self._picture.take(frames, self.seq)
        async with self._picture.at_rest():
            return self._delivery(frames, before)

    def _delivery(self, frames: list[bytes], before: int) -> list[bytes]:
        self._needs_all |= self._picture.lost > before
        if not self._needs_all:
            return list(self._in_order(frames, before + 1))
        delivery = list(self._passed(_numbered(frames, before + 1)))
        if self._picture.seq == self.seq:
            self._needs_all = False
            delivery += self._picture.whole(self._head)
        return delivery

    async def _alone(self) -> list[bytes] | None:
        """Draws a picture for this reader alone, at the end of its log.

        Another reader of this process may have read more than this log has, before the answer's process died.
        """
        self._picture, self._needs_all, self._is_alone = Picture(), False, True
        await self._catch_up(self.seq)
        return self._picture.whole(self._head) or None

    async def _catch_up(self, last: int) -> None:
        """Shows the picture the frames up to number `last`, which this reader has already."""
        with closing(await self._from_start()) as earlier:
            while self._picture.seq < last and (frames := await earlier.next(PATIENCE)):
                await self._picture.take(frames, earlier.seq)

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
        for one in merged([(seq, one) for seq, one in numbered if not 1 < seq <= self._head]):
            yield one
            chunk = text_chunk(one)
            if chunk and chunk.type == "text-start":
                yield html_frame(chunk.id, Patch(is_fresh=True))


def _numbered(frames: list[bytes], first: int) -> list[Numbered]:
    return list(enumerate(frames, first))
