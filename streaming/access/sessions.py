"""The check if the reader of a long stream is still signed in.

While a stream is open, its reader may sign out, be deactivated or change the password. So the session is read again at
intervals, and the stream ends when the session no longer belongs to the owner.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.conf import settings as django_settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user, get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSession
from django.db import Error as DatabaseTrouble

from streaming.access.visitors import VISITOR_KEY
from streaming.conf import settings
from streaming.database import in_database, told
from streaming.models import Owner

logger = logging.getLogger(__name__)

# A stream waits so long for its session, which usually takes milliseconds. A slower read continues in the background.
PATIENCE_SECONDS = 0.2
# Sessions in Django's cache look empty while the cache is away. A cache that restarts is back after this time. Together
# with the interval of the checks and a heartbeat, a stream ends within a minute after its reader has signed out.
SECOND_LOOK_SECONDS = 10.0
# A view that changes a password stores it, and then gives the person's session a new key.
ROTATION_SECONDS = 0.5


class Found(NamedTuple):
    """A session as it was found in its store. `owner` is None if it names nobody, or nobody who may sign in."""

    owner: Owner | None = None
    is_there: bool = False


class SessionCheck:
    """Checks at intervals that the session which opened a stream still belongs to `owner`.

    A `session` that has not been read yet costs a query. A session that does not name the owner at the start is not
    checked, for example after another way of signing in, or at a visitor's first request.

    `has_moved` explains a check that failed. True: the person's session has got another key, so a new connection can
    be accepted; Django changes the key when a person changes the password and when a visitor signs in. False: the
    person is signed out.
    """

    def __init__(self, owner: Owner, session: SessionBase | None) -> None:
        self.owner = owner
        self.has_moved = False
        checked = session if session is not None and owner.key in _owners_in(session) else None
        self._session_key = checked.session_key if checked is not None else None
        self._password_hash = checked.get(HASH_SESSION_KEY) if checked is not None else None
        self._next_check = math.inf if self._session_key is None else time.monotonic() + settings.RECHECK_SECONDS
        self._check: asyncio.Task[bool] | None = None

    @property
    def is_due(self) -> bool:
        """True if `holds` has something to do."""
        return self._check is not None or time.monotonic() >= self._next_check

    async def holds(self) -> bool:
        """False once the session is not the owner's. Reads it every `STREAMING_RECHECK_SECONDS`; never blocks."""
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
            logger.warning("A session could not be read (%s); looking again later.", told(trouble))
        except Exception:  # each session store has exceptions of its own
            logger.exception("A session could not be read; looking again later.")
        return True

    async def holds_now(self) -> bool:
        """Reads the session now. False if it does not belong to the owner. Raises what the session store raises.

        A session that names nobody is read a second time. Some stores report no error when they are away, and a
        changed password is stored a moment before the session has its new key.
        """
        if self._session_key is None:
            return True
        self._next_check = time.monotonic() + settings.RECHECK_SECONDS
        found = await in_database(_look_up, self._session_key)
        if found.owner is None and (pause := _pause(found)):
            await asyncio.sleep(pause)
            found = await in_database(_look_up, self._session_key)
        self.has_moved = not found.is_there and await in_database(self._has_other_key)
        return found.owner == self.owner

    def _has_other_key(self) -> bool:
        """True if a session that is gone lives on under another key, as far as its owner shows.

        A visitor cannot sign out, so a visitor's session has moved. A signed-in person has signed out, unless the
        password is another one than at the start.
        """
        if self.owner.user_id is None:
            return True
        user = get_user_model()._default_manager.filter(pk=self.owner.user_id).first()
        return user is not None and user.is_active and user.get_session_auth_hash() != self._password_hash


def _owners_in(session: SessionBase) -> list[str]:
    """Returns the keys of those whom a session names: the user who signed in with it, the visitor, or both."""
    user_id, token = session.get(SESSION_KEY), session.get(VISITOR_KEY)
    named = (user_id and Owner.of_user(user_id), token and Owner.of_visitor(token))
    return [owner.key for owner in named if owner]


def _pause(found: Found) -> float:
    """The seconds until the second look at a session that names nobody; 0 if there need not be one."""
    if found.is_there:
        return ROTATION_SECONDS
    return 0 if issubclass(_session_store(), DatabaseSession) else SECOND_LOOK_SECONDS


def _session_store() -> type[SessionBase]:
    store: type[SessionBase] = import_module(django_settings.SESSION_ENGINE).SessionStore
    return store


def _look_up(session_key: str) -> Found:
    store = _session_store()(session_key=session_key)
    if not store.keys():
        return Found()
    user = get_user(SimpleNamespace(session=_Unchanged(store)))  # type: ignore[arg-type]  # it reads only the session
    if user.is_authenticated:
        return Found(Owner.of_user(user.pk), is_there=True)
    token = store.get(VISITOR_KEY) if settings.ALLOW_ANONYMOUS else None
    return Found(Owner.of_visitor(token) if token else None, is_there=True)


class _Unchanged(dict[str, Any]):
    """A copy of a session. `get_user` gives some sessions another key, which the person's cookie would not have."""

    def __init__(self, session: SessionBase) -> None:
        super().__init__(session.items())

    def cycle_key(self) -> None: ...

    def flush(self) -> None: ...
