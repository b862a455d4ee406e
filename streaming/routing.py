"""WebSocket routes, for the host's `ProtocolTypeRouter`."""

from __future__ import annotations

from django.urls import path

from streaming.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
