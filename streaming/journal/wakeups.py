"""Wake-ups: messages from Redis tell readers to read again, and owners to read their cancel requests.

Each event loop has one pub/sub connection. A wake-up names a generation and carries no frames, so a lost one delays a
reader by half a second and does no other harm. All generations of the site share one channel. A process sends one
message at each tick, with one line for each generation that has new frames: `<generation> <number of its last frame>`.
A second channel names the generations that somebody asked to stop.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from streaming.conf import settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

# The longest time that a reader waits for a wake-up before it reads anyway. It is shorter than the time that readers
# get when a process ends (0.7 s).
READ_ANYWAY_SECONDS = 0.5
# A connection that is silent for so long is sent a ping. It is given up if it stays silent for as long again.
QUIET_SECONDS = 10.0
RECONNECT_SECONDS = 1.0


class Listener:
    """Receives wake-ups from the first `watch` or `listen` on, for as long as the event loop runs.

    `client` must have no socket timeout, because no message comes while nothing is generated.
    """

    def __init__(self, client: Redis, channels: tuple[str, str]) -> None:
        self.on_stop: Callable[[uuid.UUID], None] | None = None
        self.is_listening = False
        self._client = client
        self._handlers: dict[str, Callable[[str], None]] = dict(
            zip(channels, (self._take_frames, self._take_stop), strict=True)
        )
        self._watches: dict[uuid.UUID, set[WakeupWatch]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def watch(self, generation_id: uuid.UUID) -> WakeupWatch:
        """Returns one reader's watch on a generation. The reader must close it."""
        self.listen()
        watch = WakeupWatch(self, generation_id)
        self._watches[generation_id].add(watch)
        return watch

    def forget(self, generation_id: uuid.UUID, watch: WakeupWatch) -> None:
        watches = self._watches[generation_id]
        watches.discard(watch)
        if not watches:
            del self._watches[generation_id]

    def listen(self) -> None:
        """Starts the task that receives, unless it runs."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen(), context=contextvars.Context())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self._client.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (RedisError, OSError, TimeoutError) as trouble:
                logger.warning("No wake-ups come from Redis (%s). Readers poll.", type(trouble).__name__)
            finally:
                self.is_listening = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(*self._handlers)
            is_pinged = False
            while True:
                message = await pubsub.get_message(timeout=QUIET_SECONDS)
                if message is not None:
                    is_pinged = False
                    self._take(message)
                elif is_pinged:
                    raise TimeoutError
                else:
                    is_pinged = True
                    await pubsub.ping()

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._begin()
        elif message["type"] == "message":
            try:
                self._handlers[message["channel"].decode()](message["data"].decode())
            except ValueError:
                logger.warning("A wake-up could not be read. Does something else publish under this prefix?")

    def _begin(self) -> None:
        """Wakes all readers, because the wake-ups before the subscription were missed."""
        self.is_listening = True
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    def _take_frames(self, text: str) -> None:
        for line in text.splitlines():
            generation_id, number = line.split()
            for watch in self._watches.get(uuid.UUID(generation_id), ()):
                watch.take(int(number))

    def _take_stop(self, text: str) -> None:
        if self.on_stop:
            self.on_stop(uuid.UUID(text))


class WakeupWatch:
    """One reader's watch. `wait` returns at once if a wake-up has named a number that the reader does not have yet."""

    def __init__(self, listener: Listener, generation_id: uuid.UUID) -> None:
        self._listener = listener
        self._generation_id = generation_id
        self._number = 0
        self._answered = (0, 0)
        self._woken = asyncio.Event()

    def take(self, number: int) -> None:
        self._number = number
        self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, after: int, seconds: float) -> None:
        # A wake-up that came while the reader was busy counts once. If its frames are not there yet, another read at
        # once would find nothing again.
        is_news = self._number > after and self._answered != (after, self._number)
        if not is_news:
            longest = READ_ANYWAY_SECONDS if self._listener.is_listening else settings.POLL_SECONDS
            await self._woken_within(min(seconds, longest))
        self._answered = (after, self._number)
        self._woken.clear()

    def close(self) -> None:
        self._listener.forget(self._generation_id, self)

    async def _woken_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
