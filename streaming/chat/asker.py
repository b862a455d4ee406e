"""The owner for whom code asks."""

from __future__ import annotations

from typing import Any

from django.utils.functional import LazyObject
from django.utils.translation import gettext as _

from streaming.database import in_database
from streaming.errors import LoginRequired
from streaming.models import Owner

# The owner of conversations for which the code names no user. No request can have this owner.
NOBODY = Owner.of_code()


async def asker_of(user: Any, owner: Owner | None) -> Owner:
    """Returns `owner`, or the owner for a user; `NOBODY` if both are None.

    Raises:
        LoginRequired: the user is anonymous. All anonymous users would be one owner, and share their conversations.
    """
    if owner is not None:
        return owner
    if user is None:
        return NOBODY
    # `request.user` may not be read yet. An async view must not read it on its own thread.
    pk = await in_database(getattr, user, "pk") if isinstance(user, LazyObject) else user.pk
    if pk is None:
        raise LoginRequired(_("Sign in to chat."))
    return Owner.of_user(pk)
