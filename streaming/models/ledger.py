"""The ledger: what deleted answers, side calls and summaries had used.

Without it, people who delete their conversations would get back what they have spent. `metered` and `deletions` write
it. A deletion in SQL leaves no entries.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db import models

from streaming.conf import settings
from streaming.models.clock import from_now
from streaming.models.managers import WrittenManager
from streaming.models.owners import MAX_OWNER_CHARS, Owner

# A day more than the longest period, because time zones and clocks differ.
BUDGET_PERIOD = datetime.timedelta(days=32)
LIMIT_PERIOD = datetime.timedelta(days=2)


def counted_period() -> datetime.timedelta:
    """Returns for how long the limits of the site count what was used; 0 if the site has no such limit."""
    if settings.BUDGETS or settings.QUOTA:
        return BUDGET_PERIOD
    has_limit = settings.MAX_TOKENS_PER_DAY or settings.MAX_PROMPTS_PER_MINUTE
    return LIMIT_PERIOD if has_limit else datetime.timedelta()


def is_any_counted() -> bool:
    """Returns True if a limit of the site counts what was used."""
    return bool(counted_period())


def earliest_counted() -> Any:
    """Returns the time, on the database's clock, from which on a limit counts what was used."""
    return from_now(-counted_period().total_seconds())


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    def owned_by(self, owner: Owner) -> LedgerQuerySet:
        return self.filter(owner_key=owner.key)

    def answers(self) -> LedgerQuerySet:
        return self.filter(is_answer=True)

    def outdated(self) -> LedgerQuerySet:
        """Returns the entries that no limit counts any more."""
        return self.filter(created_at__lt=earliest_counted())


LedgerManager = WrittenManager.from_queryset(LedgerQuerySet)


class LedgerEntry(models.Model):
    """What one deleted row of a model that is `Metered` had used: tokens, cost and time, and no content.

    The entry of a generation or side call that was running has no tokens until the request ends. `owner_key` is empty
    after the owner's account was deleted: only the budget of the whole site counts it then.
    """

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    owner_key = models.CharField(max_length=MAX_OWNER_CHARS, blank=True)
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
