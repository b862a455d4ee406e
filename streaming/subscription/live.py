"""The cursor over the live log. It is for readers in the process that runs the generation."""

from __future__ import annotations

import asyncio

from streaming.journal import LiveLog


class LiveSubscription:
    """A cursor over the live log. It counts as a reader of the log from its first `next` until `close`."""

    has_begun_again = False

    def __init__(self, log: LiveLog, after: int) -> None:
        self.seq = after if 0 <= after <= log.last_seq else 0
        self._log = log
        self._is_reading = False

    async def next(self, seconds: float) -> list[bytes] | None:
        if not self._is_reading:
            self._is_reading = True
            self._log.enter()
        if self._log.last_seq > self.seq:
            await asyncio.sleep(0)  # a long replay must not keep other tasks waiting
        else:
            await self._log.wait(self.seq, seconds)
        frames = self._log.read(self.seq)
        self.seq += len(frames)
        return None if not frames and self._log.is_closed else frames

    def close(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._log.leave()
