"""A subscription as a Server-Sent Events response."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator

from django.http import StreamingHttpResponse

from streaming.conf import settings
from streaming.protocol.ui_stream import DONE, ERROR, HEADERS, HEARTBEAT, SIGNED_OUT
from streaming.subscription import Subscription
from streaming.views.passes import Pass

logger = logging.getLogger(__name__)


def stream_response(subscription: Subscription, reader: Pass) -> StreamingHttpResponse:
    """Follow `subscription` to its end: frames with their numbers, comments in silence, then `[DONE]`."""
    stream = ClosableStream(_frames(subscription, reader))
    return StreamingHttpResponse(stream, content_type="text/event-stream; charset=utf-8", headers=HEADERS)


async def _frames(subscription: Subscription, reader: Pass) -> AsyncGenerator[bytes]:
    """Never raises: under Daphne an exception here would hang the client and break the server for good."""
    try:
        while (frames := await subscription.next(settings.HEARTBEAT_SECONDS)) is not None:
            if not await reader.holds():
                yield SIGNED_OUT
                return
            yield b"".join(frames) or HEARTBEAT
        yield DONE
    except Exception:
        logger.exception("A stream broke off.")
        yield ERROR
    finally:
        subscription.close()


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
