"""The checks of where a request comes from. Requests from other sites are refused.

HTTP and WebSockets have the same rule. A client without `Origin` is no browser: it has no cookies of somebody who
visits another site. Otherwise the origin is this site's own, or one of CSRF_TRUSTED_ORIGINS.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain
from django.utils.translation import gettext_lazy as _

from streaming.access.handshakes import handshake_in
from streaming.errors import Forbidden

CROSS_SITE = _("Requests from other sites are refused. Trusted ones belong in CSRF_TRUSTED_ORIGINS.")
# A page that came by http opens its socket by ws, and a page that came by https by wss.
SOCKET_SCHEMES = {"ws": "http", "wss": "https"}


def refuse_cross_site(request: HttpRequest) -> None:
    """Accepts requests from this site, from trusted origins, and from programs that are no browsers.

    Browsers say in `Sec-Fetch-Site` (W3C Fetch Metadata) if the request comes from this site. Older browsers send only
    `Origin`.

    Raises:
        Forbidden: another site asks with this person's cookies.
    """
    origin = request.headers.get("Origin")
    if origin is not None and _is_trusted(origin):
        return
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        is_allowed = fetch_site in ("same-origin", "none")
    else:
        is_allowed = origin is None or origin == f"{request.scheme}://{request.get_host()}"
    if not is_allowed:
        raise Forbidden(CROSS_SITE)


def refuse_cross_site_socket(scope: dict[str, Any]) -> None:
    """Checks the `Origin` of a WebSocket, which browsers always send (RFC 6455, section 4.1).

    Channels' `AllowedHostsOriginValidator` has another rule. With "*" in ALLOWED_HOSTS it accepts every origin; it
    refuses programs that send none, and trusted origins that are not in ALLOWED_HOSTS.

    Raises:
        Forbidden: another site asks, or the host is not one of this site's.
    """
    request = handshake_in(scope)
    origin = request.headers.get("Origin")
    if origin is None or _is_trusted(origin):
        return
    try:
        host = request.get_host()
    except DisallowedHost as error:
        raise Forbidden(str(error)) from error
    if origin not in {f"{scheme}://{host}" for scheme in _schemes_of(request, scope)}:
        raise Forbidden(CROSS_SITE)


def _schemes_of(request: HttpRequest, scope: dict[str, Any]) -> set[str]:
    """The schemes that the socket's page may have. There is one, unless the server does not tell it, like Daphne."""
    is_known = "scheme" in scope or django_settings.SECURE_PROXY_SSL_HEADER is not None
    if not is_known:
        return {"http", "https"}
    scheme = str(request.scheme)
    return {SOCKET_SCHEMES.get(scheme, scheme)}


def _is_trusted(origin: str) -> bool:
    """True if CSRF_TRUSTED_ORIGINS has the origin, or a pattern such as `https://*.example.com` that it matches."""
    trusted = django_settings.CSRF_TRUSTED_ORIGINS
    return origin in trusted or any(_matches(origin, pattern) for pattern in trusted if "*" in pattern)


def _matches(origin: str, pattern: str) -> bool:
    try:
        given = urlsplit(origin)
    except ValueError:
        return False
    wanted = urlsplit(pattern)
    return given.scheme == wanted.scheme and is_same_domain(given.netloc, wanted.netloc.lstrip("*"))
