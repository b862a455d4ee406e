"""WebSocket routes, for the host's `ProtocolTypeRouter`."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from streaming.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
"""For a site with WebSocket routes of its own: they go into its router, behind its origin and session checks."""

websockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
"""For a site without: the same routes with the origin checked and the person known."""
