"""`StreamingApplication`, which wraps a site's ASGI application."""

from __future__ import annotations

import gc
import logging

from django.conf import settings as django_settings
from django.urls import get_resolver

from streaming import mcp
from streaming.asgi.guard import Guard
from streaming.asgi.reception import Reception
from streaming.asgi.types import Application, Receive, Scope, Send
from streaming.asgi.wires import wire_of
from streaming.conf import settings
from streaming.database import health, request_thread
from streaming.providers import load_provider
from streaming.supervisor import current

logger = logging.getLogger(__name__)

# The arguments of `gc.set_threshold`: after how many new objects Python looks for cycles among them (700 in Python
# 3.11), and how often it looks among older ones. The objects of streams live as long as the streams, so the collector
# finds nothing, and all streams stop while it runs. Measured with 500 streams: 25 of 178 CPU seconds.
GC_THRESHOLD = (5_000, 10, 5)


class StreamingApplication:
    """Wraps any ASGI application. It must be the outermost, because it looks for the connection behind `send`.

    On an unknown server it only answers `lifespan`. It makes Python's garbage collector run less often in its process.
    It imports the SDK of the default provider and the site's URLs: the first visitor would wait half a second for them.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        health.doubt()
        load_provider()
        _load_urls()
        _collect_less_often()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif (wire := wire_of(send, scope)) is None:
            await self._serve(scope, receive, send)
        elif scope["type"] == "http":
            guard = Guard(send, wire)
            await self._guarded(scope, Reception(scope, receive, guard).receive, guard)
        else:
            await self._guarded(scope, receive, Guard(send, wire))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            async with request_thread():
                await self.application(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, guard: Guard) -> None:
        try:
            await self._serve(scope, receive, guard.send)
        except Exception:
            if not guard.has_begun:
                raise
            # On Daphne the exception would leave the client waiting for ever, and stop the server's own timers.
            logger.exception("A response broke off.")
            guard.abort()
        finally:
            guard.close()


def _collect_less_often() -> None:
    """Raises the collector's threshold, and excludes all that is loaded: modules live as long as the process.

    A site that has set a higher threshold, or has switched the collector off, keeps its choice.
    """
    if 0 < gc.get_threshold()[0] < GC_THRESHOLD[0]:
        gc.set_threshold(*GC_THRESHOLD)
        gc.collect()
        gc.freeze()


def _load_urls() -> None:
    """Imports the site's URLs and views. Django reports a broken one at the first request, and so does this."""
    try:
        if hasattr(django_settings, "ROOT_URLCONF"):
            get_resolver().reverse_dict  # noqa: B018  # it reads all patterns, for `reverse` too
    except Exception as trouble:
        logger.warning("The site's URLs could not be loaded (%s). See manage.py check.", type(trouble).__name__)


async def _live(receive: Receive, send: Send) -> None:
    """Answers the lifespan protocol. It begins to connect to the MCP servers at startup, and drains at shutdown.

    The server waits until the drain is over.
    """
    await receive()
    mcp.connect()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await current().drain(settings.DRAIN_SECONDS)
    await send({"type": "lifespan.shutdown.complete"})
