"""The conversation that an owner means by a key: found, or locked while the owner changes it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from streaming.database import Prepared, read_row
from streaming.errors import NotFound
from streaming.models import Conversation, Owner

UNKNOWN_CONVERSATION = _("There is no such conversation.")


def find_conversation(owner: Owner, key: str) -> Conversation:
    """Returns the owner's conversation.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    return _known(Conversation.objects.find(owner, key))


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
        NotFound: there is none, or it is somebody else's.
    """
    return _known(find_locked(owner, key))


def _known(found: Conversation | None) -> Conversation:
    if found is None:
        raise NotFound(UNKNOWN_CONVERSATION)
    return found
