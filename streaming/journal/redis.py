"""The journal in Redis: it has the frames a moment sooner than the database.

Each generation has one stream. An entry is a batch. Its id is `<last_seq>-0`; its fields are the number of its first
frame and the frames, joined. Streams are not trimmed; their keys expire. Redis may lose everything at any time. Then
the answer to the owner's next append says what is left, and the owner sends the rest again; readers ask the database.
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
from streaming.journal.wakeups import Listener, WakeupWatch

logger = logging.getLogger(__name__)

# A command that takes longer counts as failed. Redis answers in less than a millisecond; readers can use the database.
COMMAND_SECONDS = 0.5
# The time for which nobody asks a Redis that has failed.
AWAY_SECONDS = 2.0
# The number of entries in one read. An entry has the few frames of one tick, so 64 have about `MAX_FRAMES_PER_READ`.
ENTRIES_PER_READ = 64
# A process has four connections: one appends, two read, one is subscribed.
READ_CONNECTIONS = 2
MIN_RETENTION_SECONDS = 60
# The number of the entry that stops all further appends. It is larger than any frame's number in the database.
FENCE = 2**31

# For each stream: append the batch if it follows the last entry, and return the number of the stream's last frame. So a
# batch that is sent again changes nothing, a batch that arrives late is refused, and a lost stream begins again at 1.
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
    """The pause after a failure of Redis. While it lasts, callers do not ask Redis."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + AWAY_SECONDS

    def is_on(self) -> bool:
        return time.monotonic() < self._until


class RedisJournal:
    """The `Journal` on Redis streams, for one event loop."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._frames_channel, self._stop_channel = f"{prefix}frames", f"{prefix}stop"
        self._writes = _client(url, 1, socket_timeout=COMMAND_SECONDS)
        self._reads = _client(url, READ_CONNECTIONS, socket_timeout=COMMAND_SECONDS)
        self.listener = Listener(_client(url, 1, socket_timeout=None), (self._frames_channel, self._stop_channel))
        self._away = Absence()

    async def append(self, batches: Mapping[uuid.UUID, Batch]) -> dict[uuid.UUID, int]:
        """Stores frames as `Journal.append` does, in one round trip, and wakes the readers."""
        sent = {pk: batch for pk, batch in batches.items() if batch.frames}
        arguments: list[Any] = [self._frames_channel, _retention()]
        for pk, batch in sent.items():
            arguments += (str(pk), batch.first_seq, batch.last_seq, b"".join(batch.frames))
        async with _in_time():
            held: list[int] = await self._writes.eval(APPEND, len(sent), *map(self._key, sent), *arguments)
        return dict(zip(sent, held, strict=True))

    async def read(self, generation_id: uuid.UUID, after: int) -> list[bytes]:
        """Reads frames as `Journal.read` does. Returns nothing while Redis is away."""
        if self._away.is_on():
            return []
        try:
            async with _in_time():
                key = self._key(generation_id)
                entries: Any = await self._reads.xrange(key, min=after + 1, count=ENTRIES_PER_READ)
        except JournalUnavailable as trouble:
            self._away.begin()
            logger.warning("Redis could not be read (%s). Readers use the database.", trouble)
            return []
        return without_gap(_parsed(entries), after)

    def watch(self, generation_id: uuid.UUID) -> WakeupWatch:
        return self.listener.watch(generation_id)

    def listen(self, on_stop: Callable[[uuid.UUID], None]) -> None:
        """Calls `on_stop` from now on with each generation that somebody asks to stop."""
        self.listener.on_stop = on_stop
        self.listener.listen()

    async def wake(self, numbers: Mapping[uuid.UUID, int]) -> None:
        """Tells the readers of each generation that its log has this number now.

        Raises:
            JournalUnavailable: Redis did not answer in time.
        """
        async with _in_time():
            await self._writes.publish(self._frames_channel, "\n".join(f"{pk} {n}" for pk, n in numbers.items()))

    async def call_stop(self, generation_id: uuid.UUID) -> None:
        """Tells the owner to read its cancel request now. If the message is lost, the next tick reads it."""
        try:
            async with _in_time():
                await self._writes.publish(self._stop_channel, str(generation_id))
        except JournalUnavailable as trouble:
            logger.warning("Redis could not pass on a stop (%s). The owner reads it at its next tick.", trouble)

    async def close(self) -> None:
        for end in (self.listener.close, self._writes.aclose, self._reads.aclose):
            await end()

    def _key(self, generation_id: uuid.UUID) -> str:
        return f"{self._prefix}{generation_id}"


# The reaper settles many generations in a row. It must not wait for an absent Redis each time.
_away = Absence()


def seize_stream(url: str, prefix: str, generation_id: uuid.UUID, after: int) -> list[bytes]:
    """Takes a stream from a silent owner, which can append no more. Returns all frames after number `after`.

    Returns nothing while Redis is away. Blocks for at most `COMMAND_SECONDS` for each round trip.
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
            # The first command fails if the stream was seized before. That changes nothing.
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
    """Turns every failure of Redis into `JournalUnavailable`; a command may take `COMMAND_SECONDS`."""
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            yield
    except (RedisError, OSError, TimeoutError) as trouble:
        raise JournalUnavailable(type(trouble).__name__) from trouble


def _retention() -> int:
    return math.ceil(max(settings.JOURNAL_RETENTION_SECONDS, MIN_RETENTION_SECONDS))


def _client(url: str, connections: int, socket_timeout: float | None) -> Redis:
    """Makes a client that does not retry and that waits for a free connection.

    The defaults of redis-py 8 retry ten times, close an idle subscriber after five seconds, and raise when a hundred
    connections are in use.
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
