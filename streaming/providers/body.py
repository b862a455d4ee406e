"""The body of a provider's answer, read directly from aiohttp.

The SDKs pass each piece of a body through six nested iterators, and aiohttp sets a timer for each piece. Here a piece
comes from aiohttp directly, and one timer watches the whole body.

The SDKs do not document where they keep aiohttp's response. If it is not there, or if the body is compressed, the SDK
must read the body. Anthropic's SDK also must read it where OpenTelemetry is set up, because its own span ends with
the body. A test fails if the SDKs have to read the body in the usual case.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

# The largest piece, in bytes. A larger one would keep the event loop busy for too long.
PIECE_BYTES = 16_384


class Content(Protocol):
    """The part of `aiohttp.StreamReader` that this package uses."""

    async def read(self, n: int) -> bytes: ...
    def set_exception(self, exc: BaseException) -> None: ...


def content_of(response: Any) -> Content | None:
    """Returns the body behind an SDK's raw response, without aiohttp's own timer; None if the SDK must read it."""
    http = getattr(response, "http_response", None)
    if http is None or "content-encoding" in http.headers:
        return None
    wrapped = getattr(getattr(http, "stream", None), "_stream", None)
    found: Any = getattr(wrapped, "_aiohttp_response", None)
    return without_timer(found) if hasattr(found, "content") else None


def without_timer(response: Any) -> Content:
    """Returns the body of aiohttp's `response`, without aiohttp's own timer. `Silence` takes its place."""
    if response.connection is not None:  # None if the whole body has arrived
        response.connection.protocol.read_timeout = None
    content: Content = response.content
    return content


class Silence:
    """Ends a body that is silent for `seconds`: its reader gets a TimeoutError.

    Call `broken` after each piece.
    """

    def __init__(self, content: Content, seconds: float) -> None:
        self._content = content
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Silence:
        self.broken()
        self._timer = self._loop.call_at(self._began + self._seconds, self._check)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()

    def broken(self) -> None:
        """Begins a new silence."""
        self._began = self._loop.time()

    def _check(self) -> None:
        ends_at = self._began + self._seconds
        if self._loop.time() >= ends_at:
            self._content.set_exception(TimeoutError(f"nothing for {self._seconds:g} seconds"))
        else:
            self._timer = self._loop.call_at(ends_at, self._check)
