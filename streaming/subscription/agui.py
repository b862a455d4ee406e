"""The cursor of a reader that wants the events of AG-UI instead of frames."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any, NamedTuple

from streaming.agui import Event, Fold, messages_snapshot, run_started, sse, with_ids
from streaming.subscription.contract import PATIENCE, Subscription
from streaming.subscription.translation import Translation

BATCH = 500
"""The number of frames after which other tasks have their turn, after some 1 ms."""

Message = dict[str, Any]


class AgentRun(NamedTuple):
    """A generation as a run of a thread, for one reader.

    `history` are the thread's messages without those of this generation's answer. With it, the reader first gets all
    messages as they are now, and then what is new. Without it, the reader gets what comes after frame number `after`.
    The frames up to `head` repeat earlier generations. `reload` returns the thread's messages after the run.
    """

    thread_id: str
    run_id: str
    reload: Callable[[], Awaitable[list[Message]]]
    history: list[Message] | None = None
    after: int = 0
    head: int = 0


class AgentSubscription:
    """A subscription that gives the events of a run. `from_start` opens another one that begins with frame 1.

    `shared` is the translation that readers of the generation share.

    A reader that comes back in the middle gets events that open again what is open. If it may have seen words that the
    log has lost, or that a server has replaced, it gets all messages of the thread before the run ends.
    """

    def __init__(
        self, inner: Subscription, run: AgentRun, shared: Translation, from_start: Callable[[], Awaitable[Subscription]]
    ) -> None:
        self.seq = 0
        self.has_begun_again = False
        self._inner = inner
        self._run = run
        self._from_start = from_start
        self._fold = None if run.history is None else Fold()
        self._skips = run.after
        self._shared = shared
        self._translation = shared.fresh() if self._is_behind else shared
        self._has_started = self._has_ended = False

    @property
    def _is_behind(self) -> bool:
        """True until the reader gets what is new."""
        return self._fold is not None or self._skips > 0

    async def next(self, seconds: float) -> list[bytes] | None:
        if not self._has_started:
            self._has_started = True
            return [sse(run_started(self._run.thread_id, self._run.run_id))]
        if self._has_ended:
            return None
        deadline = time.monotonic() + seconds
        while True:  # frames without events are silence
            frames = await self._inner.next(max(0.0, deadline - time.monotonic()))
            if frames is None or self._inner.has_begun_again:
                self.has_begun_again = True  # the reader cannot go on; it comes back, and gets all messages
                return []
            if not frames:
                return frames
            written = await self._written(frames)
            if written or self.has_begun_again:
                return written

    def close(self) -> None:
        self._inner.close()

    async def _written(self, frames: list[bytes]) -> list[bytes]:
        written: list[bytes] = []
        for frame in frames:
            if self.has_begun_again:
                break
            self.seq += 1
            written += await (self._caught_up(frame) if self._is_behind else self._passed(frame))
            if self.seq % BATCH == 0:
                await asyncio.sleep(0)
        return written if self._fold is None or self.seq < self._run.head else [*written, *self._snapshot()]

    async def _caught_up(self, frame: bytes) -> list[bytes]:
        """Takes a frame that the reader has, or that the snapshot will have."""
        events = self._translation.events(frame)
        end = self._translation.take(self.seq, frame).end
        if self._fold is not None:
            self._fold.add(events)
        if end:
            return [*self._snapshot(), *await self._end(end)]
        if self._fold is not None or self.seq < self._skips:
            return []
        self._skips = 0
        return self._reopened()

    async def _passed(self, frame: bytes) -> list[bytes]:
        if self._translation is not self._shared and self._shared.covers(self.seq):
            self._translation = self._shared
        if not self._translation.covers(self.seq):
            self._translation = await self._own_translation()
            if not self._translation.covers(self.seq):
                self.has_begun_again = True  # the frames before this one did not come in time
                return []
        written, end = self._translation.take(self.seq, frame)
        return [*([written] if written else []), *(await self._end(end) if end else [])]

    async def _own_translation(self) -> Translation:
        """A translation for this reader alone, of all frames before its next one."""
        own = self._shared.fresh()
        with closing(await self._from_start()) as earlier:
            while own.seq < self.seq - 1 and (frames := await earlier.next(PATIENCE)):
                for frame in frames[: self.seq - 1 - own.seq]:
                    own.events(frame)
        return own

    def _snapshot(self) -> list[bytes]:
        """All messages as they are now. What follows continues them."""
        if self._fold is None:
            return []
        messages = [*(self._run.history or []), *self._fold.messages]
        self._fold = None
        return [sse(messages_snapshot(messages), self._translation.cursor(self.seq)), *self._reopened()]

    def _reopened(self) -> list[bytes]:
        return [sse(event) for event in self._translation.translator.reopening()]

    async def _end(self, end: Event) -> list[bytes]:
        """The last event. A reader whose messages differ from the stored ones gets all messages before it.

        They differ if a server replaced what streamed, or if the answer's process died and the reader came back.
        """
        self._has_ended = True
        is_lost = self._skips > 0 or end["metadata"].get("status") == "interrupted"
        differs = self._translation.translator.has_replaced or (self._run.after > 0 and is_lost)
        healing = [sse(messages_snapshot(await self._run.reload()))] if differs else []
        return [*healing, sse(with_ids(end, self._run.thread_id, self._run.run_id), self._translation.cursor(self.seq))]
