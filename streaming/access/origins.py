"""The checks of where a request comes from. Requests from other sites are refused, and requests through WSGI."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

from streaming.errors import Forbidden, NotAsync

CROSS_SITE = "Requests from other sites are refused. Trusted ones belong in CSRF_TRUSTED_ORIGINS."


def refuse_sync(request: HttpRequest) -> None:
    """Refuses a request through WSGI. Its event loop ends with the request, and so would the answer.

    Raises:
        NotAsync: the request came through WSGI.
    """
    if not isinstance(request, ASGIRequest):
        raise NotAsync("This site is served through WSGI, where answers cannot stream. Serve it through ASGI.")


def refuse_cross_site(request: HttpRequest) -> None:
    """Accepts requests from this site, from trusted origins, and from programs that are no browsers.

    Browsers say in `Sec-Fetch-Site` (W3C Fetch Metadata) if the request comes from this site. Older browsers send only
    `Origin`.

    Raises:
        Forbidden: another site asks with this person's cookies.
    """
    origin = request.headers.get("Origin")
    if origin in django_settings.CSRF_TRUSTED_ORIGINS:
        return
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        is_allowed = fetch_site in ("same-origin", "none")
    else:
        is_allowed = origin is None or _host_of(origin) == request.get_host()
    if not is_allowed:
        raise Forbidden(CROSS_SITE)


def refuse_cross_site_socket(scope: dict[str, Any]) -> None:
    """Checks the `Origin` of a WebSocket, which browsers always send (RFC 6455, section 4.1).

    Channels' `AllowedHostsOriginValidator` is not enough: with "*" in ALLOWED_HOSTS it accepts every origin.

    Raises:
        Forbidden: another site asks, or the host is not one of this site's.
    """
    request = ASGIRequest(scope | {"method": "GET"}, BytesIO())
    origin = request.headers.get("Origin")
    if origin is None or origin in django_settings.CSRF_TRUSTED_ORIGINS:
        return
    try:
        host = request.get_host()
    except DisallowedHost as error:
        raise Forbidden(str(error)) from error
    if _host_of(origin) != host:
        raise Forbidden(CROSS_SITE)


def _host_of(origin: str) -> str | None:
    """The host and port of an origin; None if it is not an address."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
