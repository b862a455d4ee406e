"""Deletes conversations, with their files: old ones, those of an owner, or one."""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Iterator

from django.db import Error as DatabaseTrouble
from django.db.models import Exists, OuterRef, QuerySet

from streaming.conf import settings
from streaming.database import atomic, retry_on_deadlock
from streaming.models import Attachment, Conversation, ConversationQuerySet, Owner, Review, from_now

logger = logging.getLogger(__name__)

# The number of conversations that one transaction deletes. Nobody else waits long for their rows.
CONVERSATIONS_PER_DELETION = 20


def unused_for(age: datetime.timedelta) -> ConversationQuerySet:
    """Selects conversations without a message, an answer or a new title for so long. None with a running answer."""
    old = Conversation.objects.filter(updated_at__lt=from_now(-age.total_seconds()))
    return old.filter(active_generation=None)


def without_flagged(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Leaves conversations out in which staff have flagged an answer."""
    flagged = Review.objects.filter(is_flagged=True, message__conversation=OuterRef("pk"))
    return conversations.filter(~Exists(flagged))


def prune(conversations: QuerySet[Conversation], *, at_once: int = CONVERSATIONS_PER_DELETION) -> Iterator[int]:
    """Deletes the selected conversations, oldest first, and yields how many each transaction deleted.

    If a receiver of the site raises an exception for a conversation, that one is spared, and the exception is logged.
    """
    spared: list[uuid.UUID] = []
    selected = conversations.order_by("updated_at", "pk").values_list("pk", flat=True)
    while ids := list(selected.exclude(pk__in=spared)[:at_once]):
        yield _delete_most(conversations, ids, spared)


def _delete_most(conversations: QuerySet[Conversation], ids: list[uuid.UUID], spared: list[uuid.UUID]) -> int:
    """Deletes together what can be deleted, or else one by one. What cannot be deleted is added to `spared`."""
    try:
        return _delete(conversations, ids)
    except DatabaseTrouble:
        raise
    except Exception as trouble:
        if len(ids) > 1:
            return sum(_delete_most(conversations, [one], spared) for one in ids)
        logger.exception("Conversation %s could not be deleted (%s).", ids[0], type(trouble).__name__)
        spared += ids
        return 0


@retry_on_deadlock
def _delete(conversations: QuerySet[Conversation], ids: list[uuid.UUID]) -> int:
    """Deletes those of `ids` that are still selected, in one transaction. Others have been used in the meantime."""
    with atomic():
        list(Conversation.objects.filter(pk__in=ids).select_for_update().values_list("pk"))
        still = list(conversations.filter(pk__in=ids).values_list("pk", flat=True))
        Conversation.objects.filter(pk__in=still).delete()
        return len(still)


def forget_old() -> int:
    """Deletes some conversations that are older than the settings allow. Returns 0 if there are none left.

    Conversations with a flagged answer are kept. It is one transaction, so that the database threads are soon free for
    other work.
    """
    limits = (settings.RETENTION_DAYS, unused_for), (settings.VISITOR_RETENTION_DAYS, _visitors_unused_for)
    old = [choose(datetime.timedelta(days=days)) for days, choose in limits if days is not None]
    return next((deleted for chosen in old for deleted in prune(without_flagged(chosen)) if deleted), 0)


def _visitors_unused_for(age: datetime.timedelta) -> ConversationQuerySet:
    return unused_for(age).of_visitors()


def delete_conversations(owner: Owner, key: str | None = None) -> int:
    """Deletes the owner's conversation `key`, or all that the owner has stored. Returns the number of conversations.

    An answer that is being written in one of them stops at its process's next tick. `streaming.intake.delete`, for the
    page, refuses to delete then.
    """
    owned = Conversation.objects.owned_by(owner)
    deleted = sum(prune(owned if key is None else owned.filter(key=key)))
    if key is None:
        delete_unsent(owner)
    return deleted


def delete_some(owner: Owner) -> int:
    """Deletes some of the owner's conversations, in one transaction. Returns 0 if there are none left to delete."""
    return next((deleted for deleted in prune(Conversation.objects.owned_by(owner)) if deleted), 0)


def delete_unsent(owner: Owner) -> None:
    """Deletes the files of an owner without conversations: those that were not sent."""
    Attachment.objects.filter(owner_key=owner.key, conversation=None).delete()
