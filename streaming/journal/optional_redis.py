"""The journal in the Redis that `STREAMING_REDIS_URL` names. A site without it does not import the package."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from streaming.conf import settings
from streaming.per_loop import PerLoop

if TYPE_CHECKING:
    from streaming.journal.redis import RedisJournal


def _connect() -> RedisJournal:
    from streaming.journal.redis import RedisJournal

    return RedisJournal(settings.REDIS_URL, settings.REDIS_PREFIX)


_journals: PerLoop[RedisJournal] = PerLoop(_connect)


def redis_journal() -> RedisJournal | None:
    """Returns the running event loop's journal, with connections of its own; None if the site has no Redis."""
    return _journals.get() if settings.REDIS_URL else None


def seize(generation_id: uuid.UUID, after: int) -> list[bytes]:
    """Returns the frames after number `after` that Redis has of a dead process's generation, and fences that process.

    If the process wakes up after all, Redis refuses its frames. Empty if the site has no Redis.
    """
    if not settings.REDIS_URL:
        return []
    from streaming.journal import redis

    return redis.seize_stream(settings.REDIS_URL, settings.REDIS_PREFIX, generation_id, after)


async def close_journals() -> None:
    """Closes the running event loop's connections to Redis."""
    journal = _journals.pop()
    if journal:
        await journal.close()
