"""Subscriptions: replay, then follow, with no gap and no duplicate.

A subscription is a number: the last frame its reader has. In the owning process it looks at the live log, elsewhere
at the journal, again and again; if the log has lost its head, the answer is replayed from its row. There is no seam
between old and new frames, because both are read from the same place by the same number.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import math
import time
import uuid
from typing import NamedTuple, Protocol

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from streaming.access import open_streams
from streaming.conf import settings
from streaming.database import in_database
from streaming.journal import LiveLog, Polling, Watch, read_frames, read_status, replay
from streaming.journal.optional_redis import redis_journal
from streaming.models import Generation
from streaming.settlement import reap_one
from streaming.supervisor import current

logger = logging.getLogger(__name__)

# How often readers in other processes are noted while `STREAMING_ABANDON_AFTER` passes: two notes may be lost.
MARKS_PER_WAIT = 3


class Subscription(Protocol):
    """A reader's place in a generation's log. `seq` is the number of the last frame given.

    Until it is first read it holds nothing: who makes one may never come to it. It `has_begun_again` when a log that
    was lost was made anew, and its frames from number 1 follow on others.
    """

    seq: int
    has_begun_again: bool

    async def next(self, seconds: float) -> list[bytes] | None:
        """The next frames; None after the last one; an empty list after `seconds` of silence.

        Also an empty list, and sooner, when this process ends and the answer is another's.
        """

    def close(self) -> None:
        """The reader has gone. May be called twice."""


async def subscribe(generation_id: uuid.UUID, after: int = 0) -> Subscription:
    """Follow a generation from frame `after` on; a number it cannot have given starts from the beginning."""
    run = current().find(generation_id)
    if run is not None:
        return LiveSubscription(run.log, after)
    return JournalSubscription(generation_id, after)


async def follow(generation: Generation) -> Subscription:
    """Follow a generation for the client that submitted it, which has what earlier ones wrote into the same answer."""
    subscription = await subscribe(generation.pk)
    return Headless(subscription, generation.head_seq) if generation.head_seq else subscription


class Headless:
    """A subscription without frames 2 to `head_seq`; the first opens the message."""

    def __init__(self, inner: Subscription, head_seq: int) -> None:
        self._inner = inner
        self._head_seq = head_seq
        self.seq = 0
        self.has_begun_again = False

    async def next(self, seconds: float) -> list[bytes] | None:
        frames = await self._inner.next(seconds)
        self.seq, self.has_begun_again = self._inner.seq, self._inner.has_begun_again
        if not frames:
            return frames
        first = self.seq - len(frames) + 1
        kept = [one for seq, one in enumerate(frames, first) if not 1 < seq <= self._head_seq]
        return kept or await self.next(seconds)

    def close(self) -> None:
        self._inner.close()


class LiveSubscription:
    """A cursor over the memory of this process."""

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
            await asyncio.sleep(0)  # a long replay must not keep the others waiting
        else:
            await self._log.wait(self.seq, seconds)
        frames = self._log.read(self.seq)
        self.seq += len(frames)
        return None if not frames and self._log.is_closed else frames

    def close(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._log.leave()


class Look(NamedTuple):
    """What one look at the journal found; `is_over` when no more frames will come after these.

    A replay `begins_again` at frame 1, whatever the reader has seen.
    """

    frames: list[bytes]
    is_over: bool
    begins_again: bool = False


class JournalSubscription:
    """A cursor over the journal, for a generation that another process runs or that has ended.

    Where there is Redis the database is asked once, whether it is over, and then Redis. That knows no ends and may have
    lost what the database still has: when it has nothing to say, and a wait did not change that, the database is asked.
    """

    def __init__(self, generation_id: uuid.UUID, after: int) -> None:
        self.seq = max(after, 0)
        self.has_begun_again = False
        self._generation_id = generation_id
        self._is_over = False
        self._redis = redis_journal()
        self._is_first = True
        self._has_just_given = False
        self._watch: Watch | None = None
        self._marked_at = -math.inf
        self._marking: asyncio.Task[None] | None = None

    async def next(self, seconds: float) -> list[bytes] | None:
        deadline = time.monotonic() + seconds
        watch = self._watch = self._watch or self._new_watch()
        while not self._is_over:
            self._mark()
            look = await self._look()
            self._is_over = look.is_over
            if look.frames:
                self.has_begun_again |= look.begins_again and self.seq > 0
                self.seq = len(look.frames) + (0 if look.begins_again else self.seq)
                return look.frames
            if look.is_over:
                break
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return []
            await watch.wait(self.seq, remaining)
            if open_streams().is_closing:
                return []
        return None

    def close(self) -> None:
        if self._watch:
            self._watch.close()

    def _new_watch(self) -> Watch:
        return self._redis.watch(self._generation_id) if self._redis else Polling()

    def _mark(self) -> None:
        """Where answers that nobody watches are given up, their process has to know of readers elsewhere."""
        seconds = settings.ABANDON_AFTER
        if seconds is None or time.monotonic() - self._marked_at < seconds / MARKS_PER_WAIT:
            return
        self._marked_at = time.monotonic()
        self._marking = asyncio.create_task(self._write_mark())  # which no reader waits for

    async def _write_mark(self) -> None:
        try:
            await in_database(Generation.objects.filter(pk=self._generation_id).mark_watched)
        except DatabaseTrouble as trouble:
            logger.warning("A reader could not be noted (%s).", type(trouble).__name__)

    async def _look(self) -> Look:
        is_first, self._is_first = self._is_first, False
        if self._redis is None:
            return await self._ask_database()
        if is_first and any(look := await self._ask_database()):
            return look
        frames = await self._redis.read(self._generation_id, self.seq)
        had_given, self._has_just_given = self._has_just_given, bool(frames)
        if frames or had_given or is_first:
            return Look(frames, is_over=False)
        return await self._ask_database()

    async def _ask_database(self) -> Look:
        try:
            return await in_database(_look, self._generation_id, self.seq)
        except DatabaseTrouble as trouble:
            logger.warning("The journal could not be read (%s); its reader waits.", type(trouble).__name__)
            return Look([], is_over=False)


def _look(generation_id: uuid.UUID, after: int) -> Look:
    is_active, last_seq = read_status(generation_id)
    frames = read_frames(generation_id, after)
    if is_active:
        if not frames:
            reap_one(generation_id)
        return Look(frames, is_over=False)
    if _is_torn(generation_id, after):
        return Look(_replay(generation_id), is_over=True, begins_again=True)
    if frames:
        return Look(frames, is_over=after + len(frames) >= last_seq)
    if after == last_seq:
        return Look([], is_over=True)
    return Look(_replay(generation_id), is_over=True, begins_again=True)


def has_end(generation: Generation, after: int) -> bool:
    """Whether a reader whose last frame is number `after` has seen the end of a settled generation.

    A process that died may have shown frames that no journal holds, and the end that others wrote has their numbers.
    For a minute, then, a reader who comes back with one of these may be a reader of the dead.
    """
    ended = generation.finished_at
    is_fresh = ended is not None and timezone.now() - ended < datetime.timedelta(minutes=1)
    return after == generation.last_seq and not (generation.was_reaped and is_fresh)


def _is_torn(generation_id: uuid.UUID, after: int) -> bool:
    """Whether number `after` may be of a frame that only readers of a dead process have seen."""
    generation = Generation.objects.get(pk=generation_id)
    if after == 0 or not generation.was_reaped or has_end(generation, after):
        return False
    end = generation.journal.order_by("-first_seq").values_list("first_seq", flat=True).first()
    return end is not None and after >= end


def _replay(generation_id: uuid.UUID) -> list[bytes]:
    return replay(Generation.objects.select_related("message").get(pk=generation_id))
