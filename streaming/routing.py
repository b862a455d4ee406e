"""The WebSocket routes, for the site's `ProtocolTypeRouter`."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from streaming.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
"""The routes alone, for a site with WebSocket routes of its own. Its router must check origins and read sessions."""

websockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
"""The routes as an application that checks the origin and reads the session, for all other sites."""
