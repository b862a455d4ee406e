"""Deletes conversations: old ones, those of an owner, or one. Their files go with them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from django.db.models import QuerySet

from streaming.conf import settings
from streaming.database import atomic
from streaming.models import Attachment, Conversation, ConversationQuerySet, Owner, from_now

# The number of conversations that one transaction deletes. Nobody else waits long for their rows.
CONVERSATIONS_PER_DELETION = 50
DAY_SECONDS = 86_400.0


def unused_for(age: datetime.timedelta) -> ConversationQuerySet:
    """Selects conversations without a message, an answer or a new title for so long. None with a running answer."""
    old = Conversation.objects.filter(updated_at__lt=from_now(-age.total_seconds()))
    return old.filter(active_generation=None)


def prune(conversations: QuerySet[Conversation], *, at_once: int = CONVERSATIONS_PER_DELETION) -> Iterator[int]:
    """Deletes the selected conversations, oldest first, and yields how many each transaction deleted."""
    selected = conversations.order_by("updated_at", "pk")
    while ids := list(selected.values_list("pk", flat=True)[:at_once]):
        with atomic():
            list(Conversation.objects.filter(pk__in=ids).select_for_update().values_list("pk"))
            # A conversation that has been used since is not selected any more.
            still = list(conversations.filter(pk__in=ids).values_list("pk", flat=True))
            Conversation.objects.filter(pk__in=still).delete()
        yield len(still)


def forget_old() -> int:
    """Deletes conversations that are older than the settings allow, and returns their number."""
    limits = (settings.RETENTION_DAYS, unused_for), (settings.VISITOR_RETENTION_DAYS, _visitors_unused_for)
    return sum(sum(prune(old(datetime.timedelta(days=days)))) for days, old in limits if days is not None)


def _visitors_unused_for(age: datetime.timedelta) -> ConversationQuerySet:
    return unused_for(age).of_visitors()


def delete_conversations(owner: Owner, key: str | None = None) -> int:
    """Deletes the owner's conversation `key`, or all that the owner has stored. Returns the number of conversations.

    An answer that is being written in one of them stops at its process's next tick.
    """
    owned = Conversation.objects.owned_by(owner)
    deleted = sum(prune(owned if key is None else owned.filter(key=key)))
    if key is None:
        Attachment.objects.filter(owner_key=owner.key).delete()  # files that were not sent
    return deleted
