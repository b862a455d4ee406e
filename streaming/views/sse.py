"""A subscription as a Server-Sent Events response."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing

from django.http import StreamingHttpResponse

from streaming.access import SessionCheck, open_streams
from streaming.conf import settings
from streaming.database import release_request_thread
from streaming.errors import TooManyRequests
from streaming.protocol.ui_stream import DONE, ERROR, HEADERS, HEARTBEAT, SIGNED_OUT, TOO_MANY
from streaming.subscription import Subscription

logger = logging.getLogger(__name__)

# When those who come back do so, in milliseconds: apart, so that a restart does not bring all of them at once.
RETRY_MS = (2000, 3000)
# A hundred words or more; a server's `send` waits between writes, never inside one.
BYTES_PER_WRITE = 16_384


def stream_response(
    subscription: Subscription, reader: SessionCheck, *, comes_back: bool = False
) -> StreamingHttpResponse:
    """Follow `subscription` to its end: frames with their numbers, comments in silence, then `[DONE]`.

    A client that `comes_back` by itself, with the number of the last frame it has, may be sent away in between.
    """
    stream = ClosableStream(_never_raising(subscription, reader, comes_back=comes_back))
    return StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _never_raising(
    subscription: Subscription, reader: SessionCheck, *, comes_back: bool
) -> AsyncGenerator[bytes]:
    """Under Daphne an exception here would hang the client and break the server for good."""
    try:
        with open_streams().reading(), open_streams().held(reader.owner.key):
            # Only now: middleware may have written the session after the view, on the request's own connection.
            await release_request_thread()
            if comes_back:
                yield b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311  # spreads load, hides nothing
            async with aclosing(_pieces(subscription, reader, comes_back=comes_back)) as pieces:
                async for piece in pieces:
                    yield piece
    except TooManyRequests:
        # They came all at once: when each was looked at, there was room for it.
        yield TOO_MANY
    except Exception:
        logger.exception("A stream broke off.")
        yield ERROR
    finally:
        subscription.close()


async def _pieces(subscription: Subscription, reader: SessionCheck, *, comes_back: bool) -> AsyncGenerator[bytes]:
    """The body. An end without `[DONE]` is only for those who come back: others would take it for the answer's."""
    ends_at = time.monotonic() + settings.MAX_CONNECTION_SECONDS if comes_back else math.inf
    while (frames := await subscription.next(settings.HEARTBEAT_SECONDS)) is not None:
        if not await reader.holds():
            yield SIGNED_OUT
            return
        if not frames and open_streams().is_closing:
            if not comes_back:
                yield ERROR
            return
        if not comes_back and subscription.has_begun_again:
            yield ERROR  # who cannot come back with a number adds what is told anew to what there is
            return
        for write in _writes(frames):
            yield write
        if time.monotonic() > ends_at:
            return
    yield DONE


def _writes(frames: list[bytes]) -> Iterator[bytes]:
    """Frames joined, but not into more than a slow client should have on its way at once; silence is a comment."""
    begin = size = 0
    for end, one in enumerate(frames, 1):
        size += len(one)
        if size >= BYTES_PER_WRITE:
            yield b"".join(frames[begin:end])
            begin, size = end, 0
    if size or not frames:
        yield b"".join(frames[begin:]) or HEARTBEAT


class ClosableStream:
    """An async iterable whose `close()` really ends the generator.

    Django closes a streaming response with a synchronous `close()`, from another thread, and never calls `aclose()`:
    a generator suspended in a cancelled `send()` would not run its `finally`.
    """

    def __init__(self, generator: AsyncGenerator[bytes]) -> None:
        self._generator = generator
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._generator

    def close(self) -> None:
        """Close the generator on its loop; harmless when it has ended, or when the loop has."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin_closing)

    def _begin_closing(self) -> None:
        self._closing = self._loop.create_task(self._close())

    async def _close(self) -> None:
        try:
            await self._generator.aclose()
        except RuntimeError:
            # It is running at this moment, and will see its own cancellation.
            logger.debug("A stream was closed while it ran.")
