"""The limits on what one owner may ask for. The database counts, so they hold for all processes together."""

from __future__ import annotations

from django.db.models import Sum

from streaming.conf import settings
from streaming.errors import TooManyRequests
from streaming.models import Generation, Owner, from_now

MINUTE_SECONDS = 60
DAY_SECONDS = 24 * 3600


def check_limits(owner: Owner, messages: int, ahead: int = 0) -> None:
    """Checks that the owner may ask once more, in a conversation that has so many `messages`.

    `ahead` is the number of the owner's submissions that are being accepted at the same time. They count, too.

    Raises:
        TooManyRequests: the owner has reached a limit, which the text names.
    """
    _check_active(owner, ahead)
    _check_per_minute(owner, ahead)
    _check_per_day(owner)
    _check_messages(messages)


def _check_active(owner: Owner, ahead: int) -> None:
    count = Generation.objects.active().owned_by(owner).count()
    if count + ahead >= settings.MAX_ACTIVE_PER_OWNER:
        raise TooManyRequests(f"{count} answers are being written for you already. Wait for one, or stop one.")


def _check_per_minute(owner: Owner, ahead: int) -> None:
    limit = settings.MAX_PROMPTS_PER_MINUTE
    if limit is None:
        return
    recent = Generation.objects.owned_by(owner).filter(created_at__gt=from_now(-MINUTE_SECONDS))
    if recent.count() + ahead >= limit:
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


def _check_messages(count: int) -> None:
    limit = settings.MAX_MESSAGES_PER_CONVERSATION
    if limit is not None and count >= limit:
        raise TooManyRequests(f"This conversation has {limit} messages, as many as it may have. Start a new one.")
