"""The site's ASGI application, for HTTP and WebSockets."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# This comes first, because it loads the models that the imports below need.
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from project.loopback import LoopbackOnly  # noqa: E402
from streaming.asgi import StreamingApplication  # noqa: E402
from streaming.routing import websockets  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": ASGIStaticFilesHandler(http) if settings.DEBUG else http,
        "websocket": websockets,
    }
)
if settings.STREAMING_ALLOW_ANONYMOUS:
    application = LoopbackOnly(application)
application = StreamingApplication(application)
