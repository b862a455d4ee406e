"""The limits on what one owner may ask for. The database counts, so they hold for all processes together."""

from __future__ import annotations

from django.db.models import Sum

from streaming.conf import settings
from streaming.errors import TooManyRequests
from streaming.models import Conversation, Generation, Owner, from_now

MINUTE_SECONDS = 60
DAY_SECONDS = 24 * 3600


def check_limits(owner: Owner, conversation: Conversation) -> None:
    """Checks that the owner may ask once more in this conversation.

    The caller must have opened the transaction with `alone(owner.key)`. So no other process counts before this one has
    stored what it accepts.

    Raises:
        TooManyRequests: the owner has reached a limit, which the text names.
    """
    _check_active(owner)
    _check_per_minute(owner)
    _check_per_day(owner)
    _check_messages(conversation)


def check_conversations(owner: Owner) -> None:
    """Checks that the owner may begin one more conversation. Only visitors have a limit.

    Raises:
        TooManyRequests: a visitor has as many as visitors may have.
    """
    limit = settings.MAX_CONVERSATIONS_PER_VISITOR
    if limit is not None and owner.is_visitor and Conversation.objects.owned_by(owner).count() >= limit:
        raise TooManyRequests(f"Visitors may have {limit} conversations. Sign in, or continue one that you have.")


def _check_active(owner: Owner) -> None:
    count = Generation.objects.active().owned_by(owner).count()
    if count >= settings.MAX_ACTIVE_PER_OWNER:
        raise TooManyRequests(f"{count} answers are being written for you already. Wait for one, or stop one.")


def _check_per_minute(owner: Owner) -> None:
    limit = settings.MAX_PROMPTS_PER_MINUTE
    if limit is None:
        return
    recent = Generation.objects.owned_by(owner).filter(created_at__gt=from_now(-MINUTE_SECONDS))
    if recent.count() >= limit:
        raise TooManyRequests(f"You may send {limit} messages a minute. Wait a moment.")


def _check_per_day(owner: Owner) -> None:
    """Counts the tokens that providers have reported. An answer without a report counts as none."""
    limit = settings.MAX_TOKENS_PER_DAY
    if limit is None:
        return
    today = Generation.objects.owned_by(owner).filter(created_at__gt=from_now(-DAY_SECONDS))
    used = today.aggregate(input=Sum("input_tokens", default=0), output=Sum("output_tokens", default=0))
    if used["input"] + used["output"] >= limit:
        raise TooManyRequests("You have used up what this site grants you for a day. Come back later.")


def _check_messages(conversation: Conversation) -> None:
    limit = settings.MAX_MESSAGES_PER_CONVERSATION
    if limit is not None and conversation.messages.count() >= limit:
        raise TooManyRequests(f"This conversation has {limit} messages, as many as it may have. Start a new one.")
