"""Server-sent events: a subscription as a streaming response."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language, override

from streaming.access import SessionCheck, open_streams
from streaming.conf import settings
from streaming.database import release_request_thread, told
from streaming.errors import NotFound, TooManyRequests
from streaming.models import Generation, Owner
from streaming.protocol.ui_stream import DONE, HEADERS, HEARTBEAT, chunk_of, error_frame
from streaming.subscription import MappedSubscription, Subscription, subscribe
from streaming.views.notices import NOTICES

logger = logging.getLogger(__name__)

# A client reconnects after this many milliseconds. The time is random, so that a restart does not bring all at once.
RETRY_MS = (2000, 3000)
EVENT_STREAM = "text/event-stream; charset=utf-8"
# The size of one write, in bytes: a hundred words or more. A server's `send` waits between writes, never inside one.
BYTES_PER_WRITE = 16_384


class Style(NamedTuple):
    """The headers of a stream, and what it says besides its frames.

    `error` encodes the text and the code of a notice. `language` is the reader's.
    """

    headers: dict[str, str]
    done: bytes
    error: Callable[[str, str], bytes]
    language: str | None = None

    def notice(self, code: str) -> bytes:
        """Returns the reason for which the stream ends before its answer does: a key of `NOTICES`."""
        with override(self.language):
            return self.error(str(NOTICES[code]), code)


UI = Style(HEADERS, DONE, lambda text, code: error_frame(text))
"""The style of the AI SDK."""


def stream_response(
    subscription: Subscription, session: SessionCheck, *, comes_back: bool = False, style: Style = UI
) -> StreamingHttpResponse:
    """Streams a subscription to its end: its frames, a comment in each silence, then `[DONE]`.

    A client that `comes_back` by itself, with the number of its last frame, may be disconnected before the end.
    """
    style = style._replace(language=get_language())
    stream = ClosableStream(_body(subscription, session, comes_back=comes_back, style=style))
    return EventStream(stream, content_type=EVENT_STREAM, headers=style.headers)


class EventStream(StreamingHttpResponse):
    """A response that is iterated directly.

    Django wraps the content of a streaming response in two generators, which make every part bytes. These parts are
    bytes; without the wrappers, a token costs 3 µs less. If middleware has replaced the content, or if Django keeps it
    elsewhere than in `_iterator`, Django's own iteration is used.
    """

    def __init__(self, stream: ClosableStream, **kwargs: Any) -> None:
        super().__init__(stream, **kwargs)
        self._parts: Any = getattr(self, "_iterator", None)

    def __aiter__(self) -> AsyncIterator[bytes]:
        is_untouched = self._parts is not None and getattr(self, "_iterator", None) is self._parts
        parts: AsyncIterator[bytes] = self._parts if is_untouched else super().__aiter__()
        return parts


Encode = Callable[[dict[str, Any]], bytes]
"""Turns one UI chunk, a dict with a `type`, into the bytes of a server-sent event. `b""` leaves the chunk out."""


async def stream_answer(
    request: HttpRequest,
    owner: Owner,
    generation: Generation,
    *,
    encode: Encode | None = None,
    comes_back: bool = True,
) -> StreamingHttpResponse:
    """Streams one answer of `owner`, for a view of your own. The view must have checked that the answer is theirs.

    Each connection gets the answer from its first frame, whether it is still being written or not. Without `encode`,
    the events are those of `GET api/chat/<id>/stream`. With `encode`, they are what it returns, for example HTML.

    The stream has heartbeats. It ends with the reader's session and with the server, too. If a reader signs out or
    opens too many streams, an `error` chunk says so; that chunk and `[DONE]` are never encoded.

    Set `comes_back` to False for a client that does not reconnect by itself, as an EventSource does.
    """
    subscription = await subscribe(generation.pk)
    if encode is not None:
        subscription = MappedSubscription(subscription, functools.partial(_encoded, encode))
    session = await sync_to_async(SessionCheck)(owner, request.session)
    return stream_response(subscription, session, comes_back=comes_back)


def _encoded(encode: Encode, frames: list[bytes]) -> list[bytes]:
    encoded = (encode(msgspec.json.decode(chunk_of(one))) for one in frames)
    return [event for event in encoded if event]


async def _body(
    subscription: Subscription, session: SessionCheck, *, comes_back: bool, style: Style
) -> AsyncGenerator[bytes]:
    """Yields the body. It never raises: on Daphne an exception hangs the client and breaks the server for good.

    It is one generator, because each further one costs every token a microsecond.
    """
    try:
        with open_streams().reading(), open_streams().held(session.owner.key):
            # The view is too early for this: after it, middleware may write the session on the request's connection.
            await release_request_thread()
            if comes_back:
                yield b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311  # it spreads load; it is no secret
            ends_at = time.monotonic() + settings.MAX_CONNECTION_SECONDS if comes_back else math.inf
            heartbeat = settings.HEARTBEAT_SECONDS
            while (frames := await subscription.next(heartbeat)) is not None:
                if session.is_due or not frames or subscription.has_begun_again:
                    parting = await _parting(subscription, session, frames, comes_back=comes_back, style=style)
                    if parting is not None:
                        if parting:
                            yield parting
                        return
                for write in frames if len(frames) == 1 else _writes(frames):
                    yield write
                if comes_back and time.monotonic() > ends_at:
                    return
            yield style.done
    except (TooManyRequests, NotFound) as refusal:
        # Several requests may have come at once: each was checked before the others were counted.
        yield style.notice("deleted" if isinstance(refusal, NotFound) else "too_many_requests")
    except Exception as error:
        logger.exception("A stream broke off. %s", told(error))
        yield style.notice("disconnected")
    finally:
        subscription.close()


async def _parting(
    subscription: Subscription, session: SessionCheck, frames: list[bytes], *, comes_back: bool, style: Style
) -> bytes | None:
    """Returns the last piece of a stream that must end before the answer does, and None if it need not.

    For a client that comes back the piece is empty: it gets an end without `[DONE]`. Any other client would believe
    that the answer is complete.
    """
    if session.is_due and not await session.holds():
        if not session.has_moved:
            return style.notice("login_required")
        if comes_back:  # its new connection has the new session; another client would lose the answer
            return b""
    if not frames and open_streams().is_closing:
        return b"" if comes_back else style.notice("disconnected")
    if not comes_back and subscription.has_begun_again:
        return style.notice("disconnected")  # such a client would append the replay to what it has
    return None


def _writes(frames: list[bytes]) -> Iterator[bytes]:
    """Joins frames into writes of about `BYTES_PER_WRITE`. Without frames, the one write is a heartbeat."""
    begin = size = 0
    for end, one in enumerate(frames, 1):
        size += len(one)
        if size >= BYTES_PER_WRITE:
            yield b"".join(frames[begin:end])
            begin, size = end, 0
    if size or not frames:
        yield b"".join(frames[begin:]) or HEARTBEAT


class ClosableStream:
    """An async iterable whose `close()` ends the generator.

    Django closes a streaming response with a synchronous `close()`, from another thread, and never calls `aclose()`. So
    a generator that is suspended in a cancelled `send()` would not run its `finally`.
    """

    def __init__(self, generator: AsyncGenerator[bytes]) -> None:
        self._generator = generator
        self._loop = asyncio.get_running_loop()
        self._closing: asyncio.Task[None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._generator

    def close(self) -> None:
        """Closes the generator on its loop. Does nothing if the generator or the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin_closing)

    def _begin_closing(self) -> None:
        self._closing = self._loop.create_task(self._close())

    async def _close(self) -> None:
        try:
            await self._generator.aclose()
        except RuntimeError:
            # The generator runs at this moment, and will see its own cancellation.
            logger.debug("A stream was closed while it ran.")
