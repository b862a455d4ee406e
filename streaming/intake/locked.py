"""Conversations that are locked while an owner changes them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from streaming.database import Prepared, read_row
from streaming.errors import NotFound
from streaming.models import Conversation, Owner

UNKNOWN_CONVERSATION = _("There is no such conversation.")


def find_locked(owner: Owner, key: str) -> Conversation | None:
    """Returns the owner's conversation, or None if there is none.

    Its row is locked until the transaction ends, so other submissions and changes wait.
    """
    return _locked(owner_key=owner.key, key=key)


_locked = Prepared(
    Conversation,
    lambda given: (
        Conversation.objects.select_for_update().filter(owner_key=given("owner_key"), key=given("key")).first()
    ),
    read_row(Conversation),
)


def locked(owner: Owner, key: str) -> Conversation:
    """Returns the owner's conversation, locked as by `find_locked`.

    Raises:
        NotFound: there is no such conversation of the owner's.
    """
    found = find_locked(owner, key)
    if found is None:
        raise NotFound(UNKNOWN_CONVERSATION)
    return found
