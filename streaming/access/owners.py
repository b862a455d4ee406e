"""The owner behind a request or a WebSocket: a signed-in user, or a visitor whom the session knows."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _

from streaming.access.visitors import VISITOR_KEY, adopt_late
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import LoginRequired
from streaming.models import Owner

# A visitor without a session, who owns nothing.
STRANGER = Owner.of_visitor("")


async def owner_of(request: HttpRequest, *, begins: bool = False) -> Owner:
    """Returns the signed-in user, or the visitor whom the session knows. With `begins`, a new visitor gets a token.

    The session has the new token only after `remember`. So a request that is refused writes no session.

    Session and user are read on a database thread, which has a connection. The request's own thread would open one. The
    session is also read for a user whom a middleware knows without it, so that views can ask it on the event loop.

    Raises:
        LoginRequired: nobody is signed in and the site does not allow anonymous conversations.
    """
    return await in_database(_owner_of, request, begins=begins)


def _owner_of(request: HttpRequest, *, begins: bool) -> Owner:
    user = request.user
    request.session.keys()
    if user.is_authenticated:
        owner = Owner.of_user(user.pk)
        adopt_late(request.session, owner)
        return owner
    if not settings.ALLOW_ANONYMOUS:
        raise LoginRequired(_("Sign in to chat."))
    token = request.session.get(VISITOR_KEY)
    if token is None and begins:
        token = uuid.uuid4().hex
    return Owner.of_visitor(token) if token else STRANGER


def remember(request: HttpRequest, owner: Owner) -> None:
    """Keeps a new visitor's token in the session, which `owner_of` has read. Django saves it with the response."""
    if owner.user_id is None and VISITOR_KEY not in request.session:
        request.session[VISITOR_KEY] = owner.key.removeprefix(STRANGER.key)


def may_chat(request: HttpRequest) -> bool:
    """Returns True if the visitor need not sign in first. Reads the session, so it may block.

    A request without a user is one of a site that has no accounts, or of a view that tells nobody who asks.
    """
    user = getattr(request, "user", None)
    return user is None or user.is_authenticated or settings.ALLOW_ANONYMOUS


def login_address(back: str) -> str:
    """Returns the address of the site's login page, which leads to `back`; empty if the site has none."""
    try:
        login = resolve_url(django_settings.LOGIN_URL)
    except NoReverseMatch:
        return ""
    return f"{login}{'&' if '?' in login else '?'}{urlencode({REDIRECT_FIELD_NAME: back})}" if back else login


def owner_in_scope(scope: dict[str, Any]) -> Owner:
    """Returns the owner behind a WebSocket. A visitor must have a session already. Reads the session, so it may block.

    Raises:
        LoginRequired: nobody is signed in, and anonymous conversations are not allowed or the visitor has no session.
    """
    user = scope.get("user")
    if user is not None and user.is_authenticated:
        return Owner.of_user(user.pk)
    token = scope["session"].get(VISITOR_KEY) if settings.ALLOW_ANONYMOUS and "session" in scope else None
    if token is None:
        raise LoginRequired(_("Sign in to chat."))
    return Owner.of_visitor(token)
