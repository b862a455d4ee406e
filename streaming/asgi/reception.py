"""The reception of one HTTP request: it decides when the application gets the messages that come from the client.

the whole body has come       the application gets the last of it when it is the request's turn to start
the response is complete      the application hears late that the client has gone
"""

from __future__ import annotations

import asyncio

from streaming.access import Place, current_admission
from streaming.asgi.guard import Guard
from streaming.asgi.types import Message, Receive, Scope

# How much later an application hears that its client has gone, if the response was complete.
GONE_SECONDS = 1.0
# Requests with these methods only read. Among them are pages and the probes of load balancers.
READING = ("GET", "HEAD", "OPTIONS")
# The end of the addresses with which people stop answers.
STOPS = ("/stop", "/stop/")


class Reception:
    """Wraps the `receive` of one request. `guard` has its `send`.

    A request waits for its turn when its whole body has come, because a client may need minutes to send it. The turn
    ends when the response begins, or else with the request. A request that only reads, or stops an answer, does not
    wait.
    """

    def __init__(self, scope: Scope, receive: Receive, guard: Guard) -> None:
        self._receive = receive
        self._guard = guard
        self._waits = scope["method"] not in READING and not scope["path"].endswith(STOPS)
        self._message: Message | None = None
        self._place: Place | None = None

    async def receive(self) -> Message:
        """Returns the next message. If it is cancelled, the next call returns that message.

        Without the delay after a whole response, Django would raise an exception at the end of each response. Its
        traceback and Django's task refer to each other, so only the garbage collector would free the request's memory.
        """
        message = self._message = self._message or await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            await self._start()
        elif self._guard.is_complete:
            await asyncio.sleep(GONE_SECONDS)
        self._message = None
        return message

    async def _start(self) -> None:
        if self._waits and self._place is None and not self._guard.has_begun:
            self._place = await current_admission().enter()
            self._guard.when_begun(self._place.leave)
