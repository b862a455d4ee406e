"""The ledger: what deleted answers, side calls and summaries had used.

Without it, people who delete their conversations would get back what they have spent. A row of `METERED` that is
deleted leaves a `LedgerEntry` in the same transaction, if the site has a limit that still counts it. A deletion that
sends no signals of Django's (SQL, `_raw_delete`) leaves none.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from streaming.conf import settings
from streaming.models.clock import from_now
from streaming.models.conversations import Conversation
from streaming.models.generations import Generation
from streaming.models.managers import WrittenManager
from streaming.models.messages import Message
from streaming.models.metered import Metered
from streaming.models.owners import Owner
from streaming.models.side_calls import SideCall
from streaming.models.summaries import Summary

METERED: tuple[Any, ...] = (Generation, SideCall, Summary)
"""The models whose rows count in limits, budgets and reports."""

# A day more than the longest period, because time zones and clocks differ.
BUDGET_PERIOD = datetime.timedelta(days=32)
LIMIT_PERIOD = datetime.timedelta(days=2)

USED = ("input_tokens", "output_tokens", "cost")


def _period() -> datetime.timedelta:
    """Returns for how long the limits of the site count what was used; 0 if the site has no such limit."""
    if settings.BUDGETS or settings.QUOTA:
        return BUDGET_PERIOD
    has_limit = settings.MAX_TOKENS_PER_DAY or settings.MAX_PROMPTS_PER_MINUTE
    return LIMIT_PERIOD if has_limit else datetime.timedelta()


def _earliest() -> Any:
    """Returns the time, on the database's clock, from which on a limit counts what was used."""
    return from_now(-_period().total_seconds())


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    def owned_by(self, owner: Owner) -> LedgerQuerySet:
        return self.filter(owner_key=owner.key)

    def answers(self) -> LedgerQuerySet:
        return self.filter(is_answer=True)

    def outdated(self) -> LedgerQuerySet:
        """Returns the entries that no limit counts any more."""
        return self.filter(created_at__lt=_earliest())

    def charge(self, row: Metered) -> None:
        """Enters what a request has used, at its end, if its row was deleted while it ran. Does nothing otherwise."""
        unknown = self.filter(pk=row.ledger_key, input_tokens=None, output_tokens=None)
        unknown.update(**{name: getattr(row, name) for name in USED})

    def charge_summary(self, summary: Summary) -> None:
        """Enters what a summary has used, if it cannot be stored because its generation was deleted meanwhile."""
        asked_for = self.filter(pk=summary.generation.ledger_key).first()
        if asked_for is not None:
            self.bulk_create([_entry(asked_for.owner_key, summary)], ignore_conflicts=True)


LedgerManager = WrittenManager.from_queryset(LedgerQuerySet)


class LedgerEntry(models.Model):
    """What one row of `METERED` had used that is deleted: tokens, cost and time, and no content.

    The entry of a generation or side call that was running has no tokens until the request ends. `owner_key` is empty
    after the owner's account was deleted: only the budget of the whole site counts it then.
    """

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    owner_key = models.CharField(max_length=128, blank=True)
    is_answer = models.BooleanField()
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    created_at = models.DateTimeField()

    objects = LedgerManager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()  # no page shows it, so its names are not translated
        verbose_name_plural = "ledger entries"
        indexes = (
            models.Index(fields=("owner_key", "created_at"), name="streaming_ledger_owner"),
            models.Index(fields=("created_at",), name="streaming_ledger_created"),
        )

    def __str__(self) -> str:
        return self.id


def _entry(owner_key: str, row: Metered) -> LedgerEntry:
    used = {name: getattr(row, name) for name in (*USED, "created_at")}
    return LedgerEntry(id=row.ledger_key, owner_key=owner_key, is_answer=isinstance(row, Generation), **used)


@receiver(pre_delete, sender=Conversation)
def _keep_all(instance: Conversation, using: str, **kwargs: Any) -> None:
    """Enters what the requests of a conversation have used, unless it is unused for longer than any limit counts."""
    if instance.updated_at > timezone.now() - _period():
        _keep(using, instance.pk, METERED, conversation=instance.pk)


@receiver(pre_delete, sender=Generation)
@receiver(pre_delete, sender=SideCall)
@receiver(pre_delete, sender=Summary)
def _keep_one(instance: Any, using: str, origin: Any = None, **kwargs: Any) -> None:
    """Enters what a request has used that is deleted without its conversation. Only a site's own code does that.

    It also does so for a proxy of `Conversation`, for which Django sends no signal of `Conversation` itself.
    """
    root = origin.model if isinstance(origin, models.QuerySet) else type(origin)
    if root is not Conversation and issubclass(root, (Conversation, Message, *METERED)):
        _keep(using, instance.conversation_id, (type(instance),), pk=instance.pk)


def _keep(using: str, conversation_id: Any, kinds: Iterable[Any], **chosen: Any) -> None:
    """Enters what the chosen rows of a conversation have used, if a limit still counts it.

    All rows are locked first. So of two deletions only one finds them, no answer ends between this and the deletion,
    and no sign-in gives the conversation to somebody else.
    """
    if not _period():
        return
    conversations = Conversation.objects.using(using).select_for_update().filter(pk=conversation_id)
    owner_key = conversations.values_list("owner_key", flat=True).first()
    if owner_key is None:
        return
    entries = []
    for kind in kinds:
        rows = kind.objects.using(using).select_for_update().filter(created_at__gt=_earliest(), **chosen)
        entries += [_entry(owner_key, row) for row in rows.order_by("pk")]
    LedgerEntry.objects.using(using).bulk_create(entries, ignore_conflicts=True)
