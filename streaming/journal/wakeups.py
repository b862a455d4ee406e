"""Wake-ups: one pub/sub connection per event loop tells its readers and its owner to look again.

What arrives carries no data, only which generation to look at, so a message that is lost costs a reader half a second
and nothing else. All frames of the site share one channel, and a process sends one message a tick: for each generation
that has something new a line, `<generation> <number>`, the number of its last frame. A second channel names generations
that were asked to stop.
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

# Longest that a reader trusts silence; then it looks. Shorter than what readers are given when a process ends (0.7 s).
LOOK_SECONDS = 0.5
# A connection that is silent for so long is asked whether it lives, and given up when it is silent as long again.
QUIET_SECONDS = 10.0
RECONNECT_SECONDS = 1.0


class Ear:
    """Listens for as long as the event loop runs, from the first `watch` or `listen` on.

    `client` must have no socket timeout: a reply is due when somebody generates something.
    """

    def __init__(self, client: Redis, channels: tuple[str, str]) -> None:
        self.on_stop: Callable[[uuid.UUID], None] | None = None
        self.is_listening = False
        self._client = client
        self._hear: dict[str, Callable[[str], None]] = dict(
            zip(channels, (self._hear_frames, self._hear_stop), strict=True)
        )
        self._watches: dict[uuid.UUID, set[EarWatch]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def watch(self, generation_id: uuid.UUID) -> EarWatch:
        """A reader's share of what is heard; `close()` it."""
        self.listen()
        watch = EarWatch(self, generation_id)
        self._watches[generation_id].add(watch)
        return watch

    def forget(self, generation_id: uuid.UUID, watch: EarWatch) -> None:
        watches = self._watches[generation_id]
        watches.discard(watch)
        if not watches:
            del self._watches[generation_id]

    def listen(self) -> None:
        """Begin, unless it has begun."""
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
                logger.warning("No wake-ups from Redis (%s); readers poll.", type(trouble).__name__)
            finally:
                self.is_listening = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen_once(self) -> None:
        async with self._client.pubsub() as pubsub:
            await pubsub.subscribe(*self._hear)
            is_asked = False
            while True:
                message = await pubsub.get_message(timeout=QUIET_SECONDS)
                if message is not None:
                    is_asked = False
                    self._take(message)
                elif is_asked:
                    raise TimeoutError
                else:
                    is_asked = True
                    await pubsub.ping()

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._begin()
        elif message["type"] == "message":
            try:
                self._hear[message["channel"].decode()](message["data"].decode())
            except ValueError:
                logger.warning("A wake-up could not be read. Does something else publish under this prefix?")

    def _begin(self) -> None:
        """What was said before this was not heard: everybody looks."""
        self.is_listening = True
        for watches in self._watches.values():
            for watch in watches:
                watch.wake()

    def _hear_frames(self, text: str) -> None:
        for line in text.splitlines():
            generation_id, number = line.split()
            for watch in self._watches.get(uuid.UUID(generation_id), ()):
                watch.hear(int(number))

    def _hear_stop(self, text: str) -> None:
        if self.on_stop:
            self.on_stop(uuid.UUID(text))


class EarWatch:
    """One reader's. It returns at once when there is news of a number that the reader has not asked beyond yet."""

    def __init__(self, ear: Ear, generation_id: uuid.UUID) -> None:
        self._ear = ear
        self._generation_id = generation_id
        self._number = 0
        self._answered = (0, 0)
        self._woken = asyncio.Event()

    def hear(self, number: int) -> None:
        self._number = number
        self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, after: int, seconds: float) -> None:
        # What was heard while the reader was busy counts once: if the frames are not there, looking again at once
        # would find the same.
        is_news = self._number > after and self._answered != (after, self._number)
        if not is_news:
            patience = LOOK_SECONDS if self._ear.is_listening else settings.POLL_SECONDS
            await self._heard(min(seconds, patience))
        self._answered = (after, self._number)
        self._woken.clear()

    def close(self) -> None:
        self._ear.forget(self._generation_id, self)

    async def _heard(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
