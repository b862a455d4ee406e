"""The cursor over the journal. It is for readers in other processes, and for readers after a generation's end."""

from __future__ import annotations

import asyncio
import datetime
import logging
import math
import time
import uuid
from typing import NamedTuple

from django.db import Error as DatabaseTrouble
from django.utils import timezone
from django.utils.translation import gettext as _

from streaming.access import open_streams
from streaming.conf import settings
from streaming.database import in_database, told, trouble_of
from streaming.errors import PUBLIC_MESSAGES, NotFound
from streaming.journal import Polling, Watch, read_frames, read_status, redis_journal, replay
from streaming.models import Generation
from streaming.settlement import reap_one

logger = logging.getLogger(__name__)

# How often a reader is marked within `STREAMING_ABANDON_AFTER`, so that two marks may fail.
MARKS_PER_WAIT = 3


class Found(NamedTuple):
    """The result of one read of the journal.

    `is_over` is True if no frames follow. `begins_again` is True for a replay, whose frames start at number 1.
    """

    frames: list[bytes]
    is_over: bool
    begins_again: bool = False


class JournalSubscription:
    """A cursor over the journal.

    If the site has Redis, the first read asks the database if the generation is over, and later reads ask Redis. Redis
    does not know if a generation is over, and may have lost frames that the database has. So if Redis has no new frames
    even after a wait, the database is asked again.
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
            found = await self._read()
            self._is_over = found.is_over
            if found.frames:
                self.has_begun_again |= found.begins_again and self.seq > 0
                self.seq = len(found.frames) + (0 if found.begins_again else self.seq)
                return found.frames
            if found.is_over:
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
        """Marks the row as watched, so that the generation's process does not abandon it."""
        seconds = settings.ABANDON_AFTER
        if seconds is None or time.monotonic() - self._marked_at < seconds / MARKS_PER_WAIT:
            return
        self._marked_at = time.monotonic()
        self._marking = asyncio.create_task(self._write_mark())  # a task, because reading must not wait for it

    async def _write_mark(self) -> None:
        try:
            await in_database(Generation.objects.filter(pk=self._generation_id).mark_watched)
        except DatabaseTrouble as trouble:
            logger.warning("A reader could not be marked (%s).", told(trouble))

    async def _read(self) -> Found:
        is_first, self._is_first = self._is_first, False
        if self._redis is None:
            return await self._ask_database()
        if is_first and any(found := await self._ask_database()):
            return found
        frames = await self._redis.read(self._generation_id, self.seq)
        had_given, self._has_just_given = self._has_just_given, bool(frames)
        if frames or had_given or is_first:
            return Found(frames, is_over=False)
        return await self._ask_database()

    async def _ask_database(self) -> Found:
        try:
            return await in_database(_read_database, self._generation_id, self.seq)
        except DatabaseTrouble as trouble:
            kind = trouble_of(trouble)
            if kind is None or not kind.passes:
                raise
            logger.warning("The journal could not be read (%s); its reader waits.", told(trouble))
            return Found([], is_over=False)


def _read_database(generation_id: uuid.UUID, after: int) -> Found:
    try:
        return _found(generation_id, after)
    except Generation.DoesNotExist as error:
        raise NotFound(_(PUBLIC_MESSAGES["deleted"])) from error


def _found(generation_id: uuid.UUID, after: int) -> Found:
    is_active, last_seq = read_status(generation_id)
    frames = read_frames(generation_id, after)
    if is_active:
        if not frames:
            reap_one(generation_id)
        return Found(frames, is_over=False)
    if _is_torn(generation_id, after):
        return Found(_replay(generation_id), is_over=True, begins_again=True)
    if frames:
        return Found(frames, is_over=after + len(frames) >= last_seq)
    if after == last_seq:
        return Found([], is_over=True)
    return Found(_replay(generation_id), is_over=True, begins_again=True)


def has_end(generation: Generation, after: int) -> bool:
    """True if a reader whose last frame is number `after` has seen the end of a settled generation.

    A process that died may have sent frames that are in no journal. The end that the reaper wrote then has the number
    of such a frame. So in the first minute after the reaping, the last number does not prove that a reader has the end.
    """
    ended = generation.finished_at
    is_fresh = ended is not None and timezone.now() - ended < datetime.timedelta(minutes=1)
    return after == generation.last_seq and not (generation.was_reaped and is_fresh)


def _is_torn(generation_id: uuid.UUID, after: int) -> bool:
    """True if number `after` may be that of a lost frame, which a process has sent before it died."""
    generation = Generation.objects.get(pk=generation_id)
    if after == 0 or not generation.was_reaped or has_end(generation, after):
        return False
    end = generation.journal.order_by("-first_seq").values_list("first_seq", flat=True).first()
    return end is not None and after >= end


def _replay(generation_id: uuid.UUID) -> list[bytes]:
    return replay(Generation.objects.select_related("message").get(pk=generation_id))
