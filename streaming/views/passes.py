"""Passes: whether whoever opened a long stream may still have it.

A stream outlives many requests; meanwhile its reader may sign out, be deactivated or change the password. The session
is read again now and then, and the stream ends when it does not vouch for its owner any more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.sessions.backends.base import SessionBase
from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_database
from streaming.models import Owner
from streaming.views.access import VISITOR_KEY

logger = logging.getLogger(__name__)

# What a stream waits for a look at its session, which takes milliseconds; a look that takes longer goes on beside it.
PATIENCE_SECONDS = 0.2


class Pass:
    """Good for `owner` while the session that vouched for it does.

    Reading `session` may cost a query, if nobody has read it yet. One that does not vouch for the owner to begin with
    (another way of signing in, a visitor's very first request) cannot take the pass back either.
    """

    def __init__(self, owner: Owner, session: SessionBase | None) -> None:
        self.owner = owner
        vouches = session is not None and (SESSION_KEY in session or VISITOR_KEY in session)
        self._session_key = session.session_key if session is not None and vouches else None
        self._next_check = time.monotonic() + settings.RECHECK_SECONDS
        self._check: asyncio.Task[bool] | None = None

    async def holds(self) -> bool:
        """Cheap between checks; one look at the session every `STREAMING_RECHECK_SECONDS`.

        A database that is away signs nobody out and holds nobody up: streams from memory go on meanwhile.
        """
        if time.monotonic() >= self._next_check and self._check is None:
            self._check = asyncio.create_task(self.holds_now())
            await asyncio.wait((self._check,), timeout=PATIENCE_SECONDS)
        if self._check is None or not self._check.done():
            return True
        check, self._check = self._check, None
        try:
            return await check
        except DatabaseTrouble as trouble:
            logger.warning("A session could not be read (%s); looking again later.", type(trouble).__name__)
            return True

    async def holds_now(self) -> bool:
        """Look at the session at once: before something is done in the owner's name."""
        if self._session_key is None:
            return True
        self._next_check = time.monotonic() + settings.RECHECK_SECONDS
        return await in_database(_owner_of_session, self._session_key) == self.owner


def _owner_of_session(session_key: str) -> Owner | None:
    """Whom a stored session belongs to now."""
    store: Any = import_module(django_settings.SESSION_ENGINE).SessionStore(session_key=session_key)
    user = get_user(SimpleNamespace(session=store))  # type: ignore[arg-type]  # all that it reads of a request
    if user.is_authenticated:
        return Owner.of_user(user.pk)
    token = store.get(VISITOR_KEY) if settings.ALLOW_ANONYMOUS else None
    return Owner.of_visitor(token) if token else None
