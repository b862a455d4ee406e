"""The body of a provider's answer, read directly from aiohttp.

The SDKs pass each piece of a body through six nested iterators, and aiohttp sets a timer for each piece. Here a piece
comes from aiohttp directly, and one timer watches the whole body.

The SDKs do not document where they keep aiohttp's response. If it is not there, or if the body is compressed, the SDK
must read the body. Anthropic's SDK also must read it where OpenTelemetry is set up, because its own span ends with
the body. A test fails if the SDKs have to read the body in the usual case.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from streaming.pacing import current_pace

# The largest piece, in bytes. A larger one would keep the event loop busy for too long.
PIECE_BYTES = 16_384


class Content(Protocol):
    """The part of `aiohttp.StreamReader` that this package uses."""

    total_bytes: int
    """The number of bytes that have arrived."""

    async def read(self, n: int) -> bytes: ...
    def is_eof(self) -> bool: ...
    def exception(self) -> BaseException | None: ...
    def set_exception(self, exc: BaseException) -> None: ...


def response_below(http: Any) -> Any:
    """Returns aiohttp's response behind that of an SDK, a `httpx2.Response`; None if the SDK must read the body."""
    if "content-encoding" in http.headers:
        return None
    found = getattr(getattr(http.stream, "_stream", None), "_aiohttp_response", None)
    return found if hasattr(found, "content") else None


class Body:
    """Reads the body of aiohttp's `response` piece by piece, on a busy event loop in rounds.

    One timer watches the whole body, in place of aiohttp's own: after `seconds` of silence, `read` raises a
    TimeoutError.
    """

    def __init__(self, response: Any, seconds: float) -> None:
        if response.connection is not None:  # None if the whole body has arrived
            response.connection.protocol.read_timeout = None
        self._content: Content = response.content
        self._seconds = seconds
        self._pace = current_pace()
        self._read = 0

    def __enter__(self) -> Body:
        self._heard = time.monotonic()
        self._check_after(self._seconds)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()

    async def read(self) -> bytes:
        """Returns the next piece; it is empty at the end of the body."""
        if self._pace.is_busy and not self._has_news():
            await self._pace.next_round(self._has_news)
        piece = await self._content.read(PIECE_BYTES)
        self._heard = time.monotonic()
        self._read += len(piece)
        return piece

    def _has_news(self) -> bool:
        content = self._content
        return content.total_bytes > self._read or content.is_eof() or content.exception() is not None

    def _check_after(self, seconds: float) -> None:
        self._timer = self._pace.loop.call_later(seconds, self._check)

    def _check(self) -> None:
        left = self._seconds if self._has_news() else self._heard + self._seconds - time.monotonic()
        if left > 0:
            self._check_after(left)
        else:
            self._content.set_exception(TimeoutError(f"nothing for {self._seconds:g} seconds"))
