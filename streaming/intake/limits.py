"""The limits on what one owner may ask for. The database counts, so they hold for all processes together."""

from __future__ import annotations

import datetime
import math
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from streaming.conf import settings
from streaming.costs import check_budgets, check_quota, used_since
from streaming.database import Prepared, read_number
from streaming.errors import TooManyRequests
from streaming.models import Conversation, Generation, LedgerEntry, Owner, from_now

MINUTE_SECONDS = 60
DAY_SECONDS = 24 * 3600


def check_limits(owner: Owner, messages: int, alias: str) -> None:
    """Checks that the owner may ask provider `alias` once more, in a conversation that has so many `messages`.

    The caller must have opened the transaction with `alone(owner.key)`. So no other process counts before this one has
    stored what it accepts.

    Raises:
        TooManyRequests: the owner has reached a limit, which the text names.
    """
    _check_active(owner)
    _check_per_minute(owner)
    _check_per_day(owner)
    _check_messages(messages)
    check_budgets(owner)
    check_quota(owner, alias)


def check_conversations(owner: Owner) -> None:
    """Checks that the owner may begin one more conversation. Only visitors have a limit.

    Raises:
        TooManyRequests: a visitor has as many as visitors may have.
    """
    limit = settings.MAX_CONVERSATIONS_PER_VISITOR
    if limit is not None and owner.is_visitor and Conversation.objects.owned_by(owner).count() >= limit:
        raise TooManyRequests(
            _("Visitors may have %(limit)d conversations. Sign in, or continue one that you have.") % {"limit": limit}
        )


def _check_active(owner: Owner) -> None:
    count = _active(owner_key=owner.key)
    if count >= settings.MAX_ACTIVE_PER_OWNER:
        raise TooManyRequests(
            _("%(count)d answers are being written for you already. Wait for one, or stop one.") % {"count": count}
        )


_active = Prepared(
    Conversation,
    lambda given: Generation.objects.active().filter(conversation__owner_key=given("owner_key")).count(),
    read_number,
)


def _check_per_minute(owner: Owner) -> None:
    limit = settings.MAX_PROMPTS_PER_MINUTE
    if limit is None:
        return
    recent = _asked_within(owner, MINUTE_SECONDS)
    count = recent.count()
    if count >= limit:
        wait = _seconds_until_older(recent, MINUTE_SECONDS, count - limit)
        text = _("You may send %(limit)d messages a minute. Wait a moment.") % {"limit": limit}
        raise TooManyRequests(text, retry_after=wait)


def _check_per_day(owner: Owner) -> None:
    """Counts the tokens of answers and side calls. They are estimated for answers that broke off.

    A finished answer counts as none if its provider never reports usage.
    """
    limit = settings.MAX_TOKENS_PER_DAY
    if limit is None:
        return
    if used_since(owner, {"day": from_now(-DAY_SECONDS)})["day"]["tokens"] >= limit:
        wait = _seconds_until_older(_asked_within(owner, DAY_SECONDS), DAY_SECONDS)
        raise TooManyRequests(
            _("You have used up what this site grants you for a day. Come back later."), retry_after=wait
        )


def _check_messages(count: int) -> None:
    limit = settings.MAX_MESSAGES_PER_CONVERSATION
    if limit is not None and count >= limit:
        text = _("This conversation has %(limit)d messages, as many as it may have. Start a new one.") % {
            "limit": limit
        }
        # Waiting does not help, so a client that asks again by itself should not do it soon.
        raise TooManyRequests(text, retry_after=DAY_SECONDS)


def _asked_within(owner: Owner, seconds: int) -> QuerySet[Any, datetime.datetime]:
    """Returns the times of the owner's generations of the last `seconds`, deleted ones included."""
    kinds: tuple[Any, ...] = (Generation.objects, LedgerEntry.objects.answers())
    stored, deleted = (kind.owned_by(owner).order_by().filter(created_at__gt=from_now(-seconds)) for kind in kinds)
    times: QuerySet[Any, datetime.datetime] = stored.values_list("created_at", flat=True).union(
        deleted.values_list("created_at", flat=True), all=True
    )
    return times.order_by("created_at")


def _seconds_until_older(times: QuerySet[Any, datetime.datetime], seconds: int, place: int = 0) -> int:
    """The time until one of the `times`, oldest first, is `seconds` ago. `place` counts from 0.

    It is from 1 to `seconds`, whatever the clocks say.
    """
    created_at = next(iter(times[place : place + 1]), None)
    age = (timezone.now() - created_at).total_seconds() if created_at else 0
    return min(max(math.ceil(seconds - age), 1), seconds)
