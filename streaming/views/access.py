"""Who is asking, and may this request ask at all."""

from __future__ import annotations

import uuid
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest

from streaming.conf import settings
from streaming.errors import Forbidden, LoginRequired, NotAsync
from streaming.models import Owner

VISITOR_KEY = "streaming_visitor"
# Nobody's: what a visitor without a session can see.
STRANGER = Owner("visitor:")
CROSS_SITE = "Requests from other sites are refused. Trusted ones belong in CSRF_TRUSTED_ORIGINS."


async def owner_of(request: HttpRequest, *, begins: bool = False) -> Owner:
    """The signed-in user, or the visitor that the session knows; with `begins`, a new visitor gets one.

    The request's own database connection is given back: whoever kept it while waiting for one of the process's would
    wait for ever once a pool's are all kept by others who do the same.

    Raises:
        LoginRequired: nobody is signed in and anonymous conversations are not allowed.
    """
    # Once to the request's thread and back: session and user by their async names go there four times.
    return await sync_to_async(_owner_on_its_thread)(request, begins=begins)


def _owner_on_its_thread(request: HttpRequest, *, begins: bool) -> Owner:
    try:
        return _owner_of(request, begins=begins)
    finally:
        close_old_connections()


def _owner_of(request: HttpRequest, *, begins: bool) -> Owner:
    user = request.user
    if user.is_authenticated:
        return Owner.of_user(user.pk)
    if not settings.ALLOW_ANONYMOUS:
        raise LoginRequired("Sign in to chat.")
    token = request.session.get(VISITOR_KEY)
    if token is None and begins:
        token = request.session[VISITOR_KEY] = uuid.uuid4().hex
    return Owner.of_visitor(token) if token else STRANGER


def owner_in_scope(scope: dict[str, Any]) -> Owner:
    """The same for a WebSocket, whose visitor must have a session already. Reads the session: call off the loop.

    Raises:
        LoginRequired: as `owner_of`, or a visitor without a session.
    """
    user = scope.get("user")
    if user is not None and user.is_authenticated:
        return Owner.of_user(user.pk)
    token = scope["session"].get(VISITOR_KEY) if settings.ALLOW_ANONYMOUS and "session" in scope else None
    if token is None:
        raise LoginRequired("Sign in to chat.")
    return Owner.of_visitor(token)


def refuse_sync(request: HttpRequest) -> None:
    """An answer needs an event loop that lives on; under WSGI there is one for each request, which ends with it.

    Raises:
        NotAsync: the request came through WSGI.
    """
    if not isinstance(request, ASGIRequest):
        raise NotAsync("This site is served through WSGI, where answers cannot stream. Serve it through ASGI.")


def refuse_cross_site(request: HttpRequest) -> None:
    """Let through what comes from this site, from a trusted origin, or from no browser at all.

    Browsers say where a request comes from in `Sec-Fetch-Site` (W3C Fetch Metadata), older ones in `Origin`.

    Raises:
        Forbidden: another site is asking with this person's cookies.
    """
    origin = request.headers.get("Origin")
    if origin in django_settings.CSRF_TRUSTED_ORIGINS:
        return
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        allowed = fetch_site in ("same-origin", "none")
    else:
        allowed = origin is None or _host_of(origin) == request.get_host()
    if not allowed:
        raise Forbidden(CROSS_SITE)


def refuse_cross_site_socket(scope: dict[str, Any]) -> None:
    """The same for a WebSocket, by `Origin` alone, which browsers always send with one (RFC 6455, section 4.1).

    Channels' `AllowedHostsOriginValidator` is no such guard where ALLOWED_HOSTS has "*": it lets all origins through.

    Raises:
        Forbidden: another site is asking, or under a name that is not this site's.
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
    try:
        return urlsplit(origin).netloc
    except ValueError:  # of what is no address at all
        return None
