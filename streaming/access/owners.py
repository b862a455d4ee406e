"""The owner behind a request or a WebSocket: a signed-in user, or a visitor whom the session knows."""

from __future__ import annotations

import uuid
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest

from streaming.conf import settings
from streaming.errors import LoginRequired
from streaming.models import Owner

VISITOR_KEY = "streaming_visitor"
# A visitor without a session, who owns nothing.
STRANGER = Owner("visitor:")


async def owner_of(request: HttpRequest, *, begins: bool = False) -> Owner:
    """Returns the signed-in user, or the visitor whom the session knows. With `begins`, a new visitor gets a token.

    The session has the new token only after `remember`. So a request that is refused writes no session.

    The request's own database connection is given back. Otherwise, with a pool, all connections could belong to
    requests that wait for a database thread, while the threads wait for a connection.

    Raises:
        LoginRequired: nobody is signed in and the site does not allow anonymous conversations.
    """
    # One trip to the request's thread. The async methods of session and user would make four.
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
        token = uuid.uuid4().hex
    return Owner.of_visitor(token) if token else STRANGER


def remember(request: HttpRequest, owner: Owner) -> None:
    """Keeps a new visitor's token in the session, which `owner_of` has read. Django saves it with the response."""
    if owner.user_id is None and VISITOR_KEY not in request.session:
        request.session[VISITOR_KEY] = owner.key.removeprefix(STRANGER.key)


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
        raise LoginRequired("Sign in to chat.")
    return Owner.of_visitor(token)
