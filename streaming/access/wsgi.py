"""The check that a request came through ASGI."""

from __future__ import annotations

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.utils.translation import gettext as _

from streaming.errors import NotAsync


def refuse_sync(request: HttpRequest) -> None:
    """Refuses a request through WSGI. Its event loop ends with the request, and so would the answer.

    Raises:
        NotAsync: the request came through WSGI.
    """
    if not isinstance(request, ASGIRequest):
        raise NotAsync(_("This site is served through WSGI, where answers cannot stream. Serve it through ASGI."))
