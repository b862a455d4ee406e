"""The check if the reader of a long stream is still signed in.

While a stream is open, its reader may sign out, be deactivated or change the password. So the session is read again at
intervals, and the stream ends when the session no longer belongs to the owner.
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
from django.contrib.sessions.backends.db import SessionStore as DatabaseSession
from django.db import Error as DatabaseTrouble

from streaming.access.owners import VISITOR_KEY
from streaming.conf import settings
from streaming.database import in_database
from streaming.models import Owner

logger = logging.getLogger(__name__)

# A stream waits so long for its session, which usually takes milliseconds. A slower read continues in the background.
PATIENCE_SECONDS = 0.2
# Sessions in Django's cache look empty while the cache is away. A cache that restarts is back after this time. Together
# with the interval of the checks and a heartbeat, a stream ends within a minute after its reader has signed out.
SECOND_LOOK_SECONDS = 10.0
NOT_FOUND = Owner("")


class SessionCheck:
    """Checks at intervals that the session which opened a stream still belongs to `owner`.

    A `session` that has not been read yet costs a query. A session that does not name the owner at the start is not
    checked, for example after another way of signing in, or at a visitor's first request.
    """

    def __init__(self, owner: Owner, session: SessionBase | None) -> None:
        self.owner = owner
        names_owner = session is not None and (SESSION_KEY in session or VISITOR_KEY in session)
        self._session_key = session.session_key if session is not None and names_owner else None
        self._next_check = time.monotonic() + settings.RECHECK_SECONDS
        self._check: asyncio.Task[bool] | None = None

    @property
    def is_due(self) -> bool:
        """True if `holds` has something to do."""
        return self._check is not None or time.monotonic() >= self._next_check

    async def holds(self) -> bool:
        """False once the reader is signed out. Reads the session every `STREAMING_RECHECK_SECONDS`; never blocks."""
        if time.monotonic() >= self._next_check and self._check is None:
            self._check = asyncio.create_task(self.holds_as_far_as_known())
            await asyncio.wait((self._check,), timeout=PATIENCE_SECONDS)
        if self._check is None or not self._check.done():
            return True
        check, self._check = self._check, None
        return await check

    async def holds_as_far_as_known(self) -> bool:
        """Reads the session now. Returns True if it cannot be read, because a store that is away signs nobody out."""
        try:
            return await self.holds_now()
        except DatabaseTrouble as trouble:
            logger.warning("A session could not be read (%s); looking again later.", type(trouble).__name__)
        except Exception:  # each session store has exceptions of its own
            logger.exception("A session could not be read; looking again later.")
        return True

    async def holds_now(self) -> bool:
        """Reads the session now. False if it does not belong to the owner. Raises what the session store raises.

        A session that is not found is read a second time, because some stores report no error when they are away.
        """
        if self._session_key is None:
            return True
        self._next_check = time.monotonic() + settings.RECHECK_SECONDS
        found = await in_database(_owner_of_session, self._session_key)
        if found is NOT_FOUND:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            found = await in_database(_owner_of_session, self._session_key)
        return found == self.owner


def _owner_of_session(session_key: str) -> Owner | None:
    """The owner that a stored session names; None if it names nobody, `NOT_FOUND` if its store may have lost it."""
    store: Any = import_module(django_settings.SESSION_ENGINE).SessionStore(session_key=session_key)
    if not store.keys() and not isinstance(store, DatabaseSession):
        return NOT_FOUND
    user = get_user(SimpleNamespace(session=store))  # type: ignore[arg-type]  # it reads nothing else of a request
    if user.is_authenticated:
        return Owner.of_user(user.pk)
    token = store.get(VISITOR_KEY) if settings.ALLOW_ANONYMOUS else None
    return Owner.of_visitor(token) if token else None
