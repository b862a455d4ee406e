"""The WebSocket routes, for the site's `ProtocolTypeRouter`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.conf import settings
from django.urls import path

from streaming.consumers import ChatConsumer

Application = Callable[..., Awaitable[Any]]

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
"""The routes alone, for a site with WebSocket routes of its own. Its router must read sessions.

The consumer itself checks origins."""


class BelowPrefix:
    """Passes a scope whose path begins with its `root_path`, which Channels' router requires.

    The prefix is FORCE_SCRIPT_NAME or the server's root path, as for HTTP in Django. Some servers and proxies leave it
    in the path and some do not. Django accepts both, and so does this.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        prefix = (settings.FORCE_SCRIPT_NAME or scope.get("root_path") or "").rstrip("/")
        given = scope["path"]
        whole = given if given.startswith(f"{prefix}/") else prefix + given
        await self._application({**scope, "root_path": prefix, "path": whole}, receive, send)


websockets = BelowPrefix(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
"""The routes as an application that reads the session, for all other sites."""
