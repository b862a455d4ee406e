"""The conversations of visitors who are not signed in: a user adopts them when the visitor signs in."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import Error as DatabaseTrouble
from django.db.models import Case, CharField, F, Value, When
from django.db.models.functions import Cast, Concat

from streaming.conf import settings
from streaming.database import alone, retry_on_deadlock, told
from streaming.models import Attachment, Conversation, LedgerEntry, Owner

logger = logging.getLogger(__name__)

VISITOR_KEY = "streaming_visitor"
"""The entry of a session with the visitor's token."""

ADOPTED_KEY = "streaming_adopted"
"""The entry of a user's session with the visitor that the user was: the token, the user's key, and when."""

LATE_SECONDS = 120
"""A request that began before the sign-in has stored its conversation or file by then."""


def adopt_at_sign_in(user: Any, request: Any = None, **kwargs: Any) -> None:
    """Receives `user_logged_in`: gives the visitor's conversations to the user, unless the setting turns it off.

    The session has no visitor any more. So nobody who uses this browser later owns these conversations through it. For
    `adopt_late`, it remembers who the visitor was. If the database fails, the person is signed in all the same, and the
    next sign-in tries again.
    """
    session = getattr(request, "session", None)
    if session is None or not settings.ADOPT_AT_SIGN_IN or VISITOR_KEY not in session:
        return
    token, owner = session[VISITOR_KEY], Owner.of_user(user.pk)
    try:
        adopt(Owner.of_visitor(token), owner)
    except DatabaseTrouble as trouble:
        logger.exception("A visitor's conversations could not be given to the user (%s).", told(trouble))
    else:
        del session[VISITOR_KEY]
        session[ADOPTED_KEY] = [token, owner.key, time.time()]


def adopt_late(session: SessionBase, user: Owner) -> None:
    """Gives the user what the visitor has stored since the sign-in.

    A request that began before the sign-in may store a conversation after it. The first request of the user that comes
    `LATE_SECONDS` after the sign-in looks for the last time.
    """
    if ADOPTED_KEY not in session:
        return
    token, user_key, at = session[ADOPTED_KEY]
    if user_key != user.key:  # a middleware knows the user without the session, which is somebody else's
        return
    visitor = Owner.of_visitor(token)
    if _owns_anything(visitor):
        adopt(visitor, user)
    if time.time() - at > LATE_SECONDS:
        del session[ADOPTED_KEY]


def _owns_anything(owner: Owner) -> bool:
    return Conversation.objects.owned_by(owner).exists() or Attachment.objects.filter(owner_key=owner.key).exists()


@retry_on_deadlock
def adopt(visitor: Owner, user: Owner) -> int:
    """Gives all conversations and files of `visitor` to `user`, and what deleted ones had used.

    Returns the number of conversations.

    An answer that is being written goes on; it counts in the user's limits, as all that the visitor asked does. A
    conversation whose key the user has in use, too, gets a new key.
    """
    with alone(visitor.key), alone(user.key):
        theirs = Conversation.objects.owned_by(visitor)
        used = Conversation.objects.owned_by(user).filter(key__in=theirs.values("key")).values_list("key", flat=True)
        new_key = Concat(Value("visitor-"), Cast("pk", CharField(max_length=36)))
        key = Case(When(key__in=list(used), then=new_key), default=F("key"), output_field=CharField())
        Attachment.objects.filter(owner_key=visitor.key).update(owner_key=user.key)
        count = theirs.update(owner_key=user.key, user_id=user.user_id, key=key)
        # Last: a deletion of such a conversation, for which the statement above has waited, has made visitor's entries.
        LedgerEntry.objects.owned_by(visitor).update(owner_key=user.key)
        return count
