"""Tells if anybody reads an answer: readers in this process count in its log, others leave a mark in its row."""

from __future__ import annotations

import asyncio
import uuid

from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_database
from streaming.journal import LiveLog
from streaming.models import Generation


async def stays_unread(generation_id: uuid.UUID, log: LiveLog, seconds: float) -> bool:
    """Returns True when nobody, in any process, has read for `seconds`; False if a reader comes to this one."""
    is_read_elsewhere = True
    while is_read_elsewhere:
        await asyncio.sleep(seconds)
        if _is_read_here(log):
            return False
        is_read_elsewhere = await _is_read_elsewhere(generation_id, max(seconds, settings.STUCK_SECONDS))
    return not _is_read_here(log)  # a reader may have come during the query


def _is_read_here(log: LiveLog) -> bool:
    """True if the log has readers, or is complete and needs none."""
    return bool(log.readers or log.is_closed)


async def _is_read_elsewhere(generation_id: uuid.UUID, seconds: float) -> bool:
    """True if another process has marked a reader within `seconds`, or if the database cannot answer."""
    try:
        return await in_database(Generation.objects.filter(pk=generation_id).watched_within(seconds).exists)
    except DatabaseTrouble:
        return True
