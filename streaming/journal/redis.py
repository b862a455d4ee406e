"""The journal in Redis: what the database will hold, a moment sooner.

One stream a generation. An entry is a batch: its id `<last_seq>-0`, its fields the number of its first frame and the
frames, joined. Nothing is trimmed by length; keys expire. Redis may lose everything at any time: the owner is told what
is left by the answer to its next append and goes on from there, and readers ask the database.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis import Redis as BlockingRedis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as BlockingRetry

from streaming.conf import settings
from streaming.journal.contract import Batch, JournalUnavailable, without_gap
from streaming.journal.wakeups import Ear, EarWatch

logger = logging.getLogger(__name__)

# A command that takes longer counts as failed. Redis answers in well under a millisecond; a reader has the database.
COMMAND_SECONDS = 0.5
# How long a Redis is left alone that has failed somebody.
AWAY_SECONDS = 2.0
# Entries a read asks for. One is a tick's worth, a few frames: 64 make about `MAX_FRAMES_PER_READ`.
ENTRIES_PER_READ = 64
# With the subscriber's, a process has four connections: one that appends, two that read.
READ_CONNECTIONS = 2
MIN_RETENTION_SECONDS = 60
# The number of an entry after which nobody appends: no column of ours holds one so large.
FENCE = 2**31

# For each stream: append if the batch follows what is there, and say how far it goes now. So an append that is sent
# again changes nothing, one that was sent long ago is refused, and a stream that has been lost begins again at 1.
# KEYS: streams. ARGV: channel, seconds to keep; then for each stream generation, first number, last number, frames.
APPEND = """
local held, news = {}, {}
for i, key in ipairs(KEYS) do
  local generation, first, last, frames = ARGV[4*i-1], ARGV[4*i], ARGV[4*i+1], ARGV[4*i+2]
  local tail = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  held[i] = tail and tonumber(string.match(tail[1], '^%d+')) or 0
  if tonumber(first) == held[i] + 1 then
    redis.call('XADD', key, last .. '-0', 'first', first, 'frames', frames)
    redis.call('EXPIRE', key, ARGV[2])
    held[i] = tonumber(last)
    news[#news + 1] = generation .. ' ' .. last
  end
end
if #news > 0 then redis.call('PUBLISH', ARGV[1], table.concat(news, '\\n')) end
return held
"""


class Absence:
    """A Redis that has failed somebody is left alone for a while."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + AWAY_SECONDS

    def is_on(self) -> bool:
        return time.monotonic() < self._until


class RedisJournal:
    """`streaming.journal.contract.Journal` on streams, for one event loop."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._frames_channel, self._stop_channel = f"{prefix}frames", f"{prefix}stop"
        self._writes = _client(url, 1, socket_timeout=COMMAND_SECONDS)
        self._reads = _client(url, READ_CONNECTIONS, socket_timeout=COMMAND_SECONDS)
        self.ear = Ear(_client(url, 1, socket_timeout=None), (self._frames_channel, self._stop_channel))
        self._away = Absence()

    async def append(self, batches: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, int]:
        """As `Journal.append`, in one round trip; wakes the readers."""
        sent = {pk: batch for pk, batch in batches.items() if batch.frames}
        arguments: list[Any] = [self._frames_channel, _retention()]
        for pk, batch in sent.items():
            arguments += (str(pk), batch.first_seq, batch.last_seq, b"".join(batch.frames))
        async with _in_time():
            held: list[int] = await self._writes.eval(APPEND, len(sent), *map(self._key, sent), *arguments)
        return dict(zip(sent, held, strict=True))

    async def read(self, generation_id: uuid.UUID, after: int) -> list[bytes]:
        """As `Journal.read`; nothing while Redis is away."""
        if self._away.is_on():
            return []
        try:
            async with _in_time():
                key = self._key(generation_id)
                entries: Any = await self._reads.xrange(key, min=after + 1, count=ENTRIES_PER_READ)
        except JournalUnavailable as trouble:
            self._away.begin()
            logger.warning("Redis could not be read (%s); readers ask the database.", trouble)
            return []
        return without_gap(_parsed(entries), after)

    def watch(self, generation_id: uuid.UUID) -> EarWatch:
        return self.ear.watch(generation_id)

    def listen(self, on_stop: Callable[[uuid.UUID], None]) -> None:
        """From now on, call `on_stop` with each generation that somebody asked to stop."""
        self.ear.on_stop = on_stop
        self.ear.listen()

    async def wake(self, numbers: Mapping[uuid.UUID, int]) -> None:
        """Tell the readers of generations to look beyond what is before these numbers. Raises as `append`."""
        async with _in_time():
            await self._writes.publish(self._frames_channel, "\n".join(f"{pk} {n}" for pk, n in numbers.items()))

    async def call_stop(self, generation_id: uuid.UUID) -> None:
        """Tell the owner to look at its cancel request now; if this gets lost, it does so at its next tick."""
        try:
            async with _in_time():
                await self._writes.publish(self._stop_channel, str(generation_id))
        except JournalUnavailable as trouble:
            logger.warning("Redis could not pass on a stop (%s); the owner sees it soon.", trouble)

    async def close(self) -> None:
        for end in (self.ear.close, self._writes.aclose, self._reads.aclose):
            await end()

    def _key(self, generation_id: uuid.UUID) -> str:
        return f"{self._prefix}{generation_id}"


# Whoever settles many of the dead waits for a Redis that is away only now and then.
_away = Absence()


def seize_stream(url: str, prefix: str, generation_id: uuid.UUID, after: int) -> list[bytes]:
    """Take a stream from an owner that has gone silent: every frame after number `after`. It can append no more.

    Nothing when Redis is away. Blocks for at most `COMMAND_SECONDS` a round trip.
    """
    if _away.is_on():
        return []
    key = f"{prefix}{generation_id}"
    options: Any = {"socket_timeout": COMMAND_SECONDS, "socket_connect_timeout": COMMAND_SECONDS}
    try:
        with BlockingRedis.from_url(url, retry=BlockingRetry(NoBackoff(), 0), **options) as client:
            pipeline = client.pipeline()
            pipeline.xadd(key, {"first": FENCE, "frames": b""}, id=f"{FENCE}-0")
            pipeline.expire(key, _retention())
            pipeline.xrange(key, min=after + 1)
            # The first fails when somebody has seized it before: that changes nothing.
            entries: Any = pipeline.execute(raise_on_error=False)[-1]
    except (RedisError, OSError) as trouble:
        _away.begin()
        logger.warning("Redis could not be asked for a dead process's frames (%s).", type(trouble).__name__)
        return []
    return without_gap(_parsed(entries), after, limit=FENCE)


def _parsed(entries: Any) -> Iterator[tuple[int, bytes]]:
    return ((int(fields[b"first"]), fields[b"frames"]) for _, fields in entries)


@asynccontextmanager
async def _in_time() -> AsyncGenerator[None]:
    """Whatever goes wrong with Redis, and however long it would take, becomes one exception, soon."""
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            yield
    except (RedisError, OSError, TimeoutError) as trouble:
        raise JournalUnavailable(type(trouble).__name__) from trouble


def _retention() -> int:
    return math.ceil(max(settings.JOURNAL_RETENTION_SECONDS, MIN_RETENTION_SECONDS))


def _client(url: str, connections: int, socket_timeout: float | None) -> Redis:
    """A client that does not retry by itself (redis-py 8 would, ten times) and waits for a free connection.

    Its defaults end an idle subscriber after five seconds and raise when a hundred connections are in use.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=COMMAND_SECONDS,
        socket_timeout=socket_timeout,
        socket_connect_timeout=COMMAND_SECONDS,
        socket_keepalive=True,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)
