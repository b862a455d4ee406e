"""The quicker journal: Redis, where `STREAMING_REDIS_URL` names one."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from streaming.conf import settings

if TYPE_CHECKING:
    from streaming.journal.redis import RedisJournal

_journals: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisJournal] = WeakKeyDictionary()


def redis_journal() -> RedisJournal | None:
    """The running event loop's, with its connections; None where the site has no Redis."""
    if not settings.REDIS_URL:
        return None
    loop = asyncio.get_running_loop()
    if loop not in _journals:
        # The package is an extra, and a site without a URL needs none.
        from streaming.journal.redis import RedisJournal

        _journals[loop] = RedisJournal(settings.REDIS_URL, settings.REDIS_PREFIX)
    return _journals[loop]


def seize(generation_id: uuid.UUID, after: int) -> list[bytes]:
    """What Redis has of a dead process's generation after frame `after`; whoever that was, it can add no more."""
    if not settings.REDIS_URL:
        return []
    from streaming.journal import redis

    return redis.seize(settings.REDIS_URL, settings.REDIS_PREFIX, generation_id, after)


async def close_journals() -> None:
    """Give up the running event loop's connections."""
    journal = _journals.pop(asyncio.get_running_loop(), None)
    if journal:
        await journal.close()
