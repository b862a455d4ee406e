"""Deletes conversations, with their files: old ones, those of an owner, or one."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from itertools import accumulate

from django.db.models import Count, Exists, OuterRef, QuerySet

from streaming.conf import settings
from streaming.database import deletions
from streaming.models import Attachment, Conversation, ConversationQuerySet, Message, Owner, Review, from_now

# The number of conversations that one transaction deletes. Nobody else waits long for their rows.
CONVERSATIONS_PER_DELETION = 20
# The most messages that these have together, unless one alone has more. Django holds the key of each row that it
# deletes: about 1 KB a message, with its answer.
MESSAGES_PER_DELETION = 2_000


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

    A conversation is kept if a receiver of the site raises an exception for it, or a foreign key protects it.
    """
    return deletions(conversations.order_by("updated_at", "pk"), at_once, _some_of)


def _some_of(keys: list[uuid.UUID]) -> list[uuid.UUID]:
    """Returns as many of the conversations as have at most `MESSAGES_PER_DELETION` messages together, at least one."""
    messages = Message.objects.order_by().filter(conversation__in=keys).values("conversation")
    counts = dict(messages.annotate(count=Count("pk")).values_list("conversation", "count"))
    totals = accumulate(counts.get(key, 0) for key in keys)
    return keys[: max(1, sum(total <= MESSAGES_PER_DELETION for total in totals))]


def forget_old() -> Iterator[int]:
    """Deletes the conversations that are older than the settings allow, and yields how many each transaction deleted.

    Conversations with a flagged answer are kept.
    """
    if settings.RETENTION_DAYS is not None:
        yield from prune(without_flagged(unused_for(datetime.timedelta(days=settings.RETENTION_DAYS))))
    if settings.VISITOR_RETENTION_DAYS is not None:
        old = unused_for(datetime.timedelta(days=settings.VISITOR_RETENTION_DAYS)).of_visitors()
        yield from prune(without_flagged(old))


def delete_conversations(owner: Owner, key: str | None = None) -> Iterator[int]:
    """Deletes the owner's conversation `key`, or all that the owner has stored, also files that were not sent.

    Yields how many conversations each transaction deleted. An answer that is being written in one of them stops at its
    process's next tick. `streaming.intake.delete_idle`, for the page, refuses to delete then.
    """
    owned = Conversation.objects.owned_by(owner)
    yield from prune(owned if key is None else owned.filter(key=key))
    if key is None:
        Attachment.objects.filter(owner_key=owner.key, conversation=None).delete()
