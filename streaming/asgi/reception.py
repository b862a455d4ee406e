"""The reception of one HTTP request: it decides when the application gets the messages that come from the client.

the whole body has come       the application gets the last of it when it is the request's turn to start
the response is complete      the application hears late that the client has gone
"""

from __future__ import annotations

import asyncio

from streaming.access import Place, current_admission
from streaming.asgi.guard import Guard
from streaming.asgi.types import Message, Receive

# How much later an application hears that its client has gone, if the response was complete.
GONE_SECONDS = 1.0


class Reception:
    """Wraps the `receive` of one request. `guard` has its `send`.

    A request waits for its turn only now, because a client may need minutes to send its body. Its turn ends when its
    response begins.
    """

    def __init__(self, receive: Receive, guard: Guard) -> None:
        self._receive = receive
        self._guard = guard
        self._place: Place | None = None

    async def receive(self) -> Message:
        """Returns the next message.

        Without the delay after a whole response, Django would raise an exception at the end of each response. Its
        traceback and Django's task refer to each other, so only the garbage collector would free the request's memory.
        """
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            await self._start()
        elif self._guard.is_complete:
            await asyncio.sleep(GONE_SECONDS)
        return message

    async def _start(self) -> None:
        if self._place is None:
            self._place = await current_admission().enter()
            self._guard.when_begun(self._place.leave)

    def close(self) -> None:
        """Ends the request's turn if it had no response."""
        if self._place is not None:
            self._place.leave()
