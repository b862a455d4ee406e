"""The outermost ASGI application: what servers leave out for streams that last minutes.

    application = StreamingApplication(application)      # the last line of asgi.py

It answers the `lifespan` scope, which Django does not, so that a server waits for the drain; it makes `send` wait on
Daphne, which would buffer without bound for a client that does not read; it cuts off clients that are stuck; and it
keeps Python's garbage collector from looking through all streams many times a second.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from streaming.conf import settings
from streaming.database import health
from streaming.supervisor import current
from streaming.wires import Wire, wire_of

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# How many new objects there are before Python looks for cycles among them (700 in 3.11); how often among older ones.
# What streams make lives as long as they do: looking at it at each turn finds nothing, and all of them stand still.
GC_THRESHOLD = (5_000, 10, 5)
# Seconds between looks at a server's buffer while a `send` waits for it.
RELIEF_SECONDS = 0.02
# A stuck client is cut at most this much later than it might be.
LOOK_SECONDS = 1.0


class StreamingApplication:
    """Wraps any ASGI application; must be the outermost, because it looks for the connection behind `send`.

    On a server that it does not know it only answers `lifespan`. In its process, Python collects garbage less often.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        health.doubt()
        _collect_less_often()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif (wire := wire_of(send, scope)) is None:
            await self.application(scope, receive, send)
        else:
            await self._guarded(scope, receive, Guard(send, wire))

    async def _guarded(self, scope: Scope, receive: Receive, guard: Guard) -> None:
        try:
            await self.application(scope, receive, guard.send)
        except Exception:
            if not guard.has_begun:
                raise
            # Under Daphne it would leave the client waiting for ever, and stop the server's housekeeping for good.
            logger.exception("A response broke off.")
            guard.abort()
        finally:
            guard.close()


def _collect_less_often() -> None:
    """Unless the site has said how often, or never."""
    if 0 < gc.get_threshold()[0] < GC_THRESHOLD[0]:
        gc.set_threshold(*GC_THRESHOLD)


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await current().drain(settings.DRAIN_SECONDS)
    await send({"type": "lifespan.shutdown.complete"})


class Guard:
    """One connection's `send`: waits while there is no room, and cuts the connection when nothing moves.

    `has_begun` once an HTTP response has; a WebSocket's never does.
    """

    def __init__(self, send: Send, wire: Wire) -> None:
        self._send = send
        self._wire = wire
        self.has_begun = False
        self._waiting = 0
        self._mark: tuple[int, float] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def send(self, message: Message) -> None:
        if self._timer is None:
            self._look_later()
        self._waiting += 1
        self.has_begun = self.has_begun or message["type"] == "http.response.start"
        try:
            await self._send(message)
            if self._wire.is_full():
                while not self._wire.is_relieved():  # noqa: ASYNC110  # no server says when its buffer empties
                    await asyncio.sleep(RELIEF_SECONDS)
        finally:
            self._waiting -= 1
            self._mark = None

    def abort(self) -> None:
        """Cut the connection: an end that the client can see."""
        self._wire.abort()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _look_later(self) -> None:
        seconds = min(LOOK_SECONDS, settings.STUCK_SECONDS / 4)
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Cut the client if a `send` waits and the client has taken nothing for too long, or the process ends."""
        if self._waiting and self._is_stuck():
            self._wire.abort()
        else:
            self._look_later()

    def _is_stuck(self) -> bool:
        progress, now = self._wire.progress(), asyncio.get_running_loop().time()
        if self._mark is None or progress > self._mark[0]:
            self._mark = (progress, now)
        return now - self._mark[1] >= settings.STUCK_SECONDS or current().readers.are_leaving
