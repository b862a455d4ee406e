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
from django.contrib.sessions.backends.db import SessionStore as KeptInDatabase
from django.db import Error as DatabaseTrouble

from streaming.conf import settings
from streaming.database import in_database
from streaming.models import Owner
from streaming.views.access import VISITOR_KEY

logger = logging.getLogger(__name__)

# What a stream waits for a look at its session, which takes milliseconds; a look that takes longer goes on beside it.
PATIENCE_SECONDS = 0.2
# Django's cache sessions are empty while the cache is away; one that was restarted is back by then. With the check, a
# heartbeat before it and one after, whoever has signed out is gone within a minute.
SECOND_LOOK_SECONDS = 10.0
NOTHING = Owner("")


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
        """Cheap between checks; one look at the session every `STREAMING_RECHECK_SECONDS`, which holds nobody up."""
        if time.monotonic() >= self._next_check and self._check is None:
            self._check = asyncio.create_task(self.holds_as_far_as_known())
            await asyncio.wait((self._check,), timeout=PATIENCE_SECONDS)
        if self._check is None or not self._check.done():
            return True
        check, self._check = self._check, None
        return await check

    async def holds_as_far_as_known(self) -> bool:
        """Look at the session. A store that is away signs nobody out: streams from memory go on meanwhile."""
        try:
            return await self.holds_now()
        except DatabaseTrouble as trouble:
            logger.warning("A session could not be read (%s); looking again later.", type(trouble).__name__)
        except Exception:  # sessions may be kept anywhere, and each place has errors of its own
            logger.exception("A session could not be read; looking again later.")
        return True

    async def holds_now(self) -> bool:
        """Look at the session at once: before something is done in the owner's name.

        Twice when nothing is found, for a store that may be away without saying so.
        """
        if self._session_key is None:
            return True
        self._next_check = time.monotonic() + settings.RECHECK_SECONDS
        found = await in_database(_owner_of_session, self._session_key)
        if found is NOTHING:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            found = await in_database(_owner_of_session, self._session_key)
        return found == self.owner


def _owner_of_session(session_key: str) -> Owner | None:
    """Whom a stored session belongs to now; `NOTHING` of an empty one that may as well not have been found."""
    store: Any = import_module(django_settings.SESSION_ENGINE).SessionStore(session_key=session_key)
    if not store.keys() and not isinstance(store, KeptInDatabase):
        return NOTHING
    user = get_user(SimpleNamespace(session=store))  # type: ignore[arg-type]  # all that it reads of a request
    if user.is_authenticated:
        return Owner.of_user(user.pk)
    token = store.get(VISITOR_KEY) if settings.ALLOW_ANONYMOUS else None
    return Owner.of_visitor(token) if token else None
