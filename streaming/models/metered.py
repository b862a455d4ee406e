"""The columns of every request to a model: its status, the provider, the tokens that it used, and their cost.

A row that is deleted leaves a `LedgerEntry` in the same transaction, if the site has a limit that still counts it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from streaming.conf import MAX_ALIAS_CHARS
from streaming.models.before_delete import BeforeDelete, BeforeDeleteQuerySet
from streaming.models.clock import InsertedAtField
from streaming.models.conversations import Conversation
from streaming.models.ledger import LedgerEntry, earliest_counted, is_any_counted
from streaming.models.owners import Owner

MAX_MODEL_CHARS = 200
"""A longer name of a model is cut."""


class Status(models.TextChoices):
    PENDING = "pending", _("pending")
    RUNNING = "running", _("running")
    FINISHED = "finished", _("finished")
    CANCELLED = "cancelled", _("cancelled")
    FAILED = "failed", _("failed")
    TRUNCATED = "truncated", _("truncated")
    INTERRUPTED = "interrupted", _("interrupted")


FAILURES = (Status.FAILED, Status.TRUNCATED, Status.INTERRUPTED)
"""The statuses that count as a failure in reports. An answer that somebody stopped is none."""

USED = ("input_tokens", "output_tokens", "cost")
"""The columns with what a request has used. The ledger has the same."""

COUNTS = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")
"""The columns of the token counts. `Usage` has the same names."""


class Metered(BeforeDelete):
    """A row that counts in limits, budgets and reports. Each such model also has a `conversation`.

    Token counts are null if they are not known. If the model broke off before the provider reported them, they are
    estimated, and `is_usage_estimated` is True. `price` is what `cost` was made from.
    """

    provider = models.CharField(_("provider"), max_length=MAX_ALIAS_CHARS)
    model = models.CharField(_("model"), max_length=MAX_MODEL_CHARS, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.PENDING)

    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True, blank=True)
    cached_input_tokens = models.PositiveIntegerField(_("cached input tokens"), null=True, blank=True)
    cache_write_tokens = models.PositiveIntegerField(_("cache write tokens"), null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(_("reasoning tokens"), null=True, blank=True)
    is_usage_estimated = models.BooleanField(_("tokens are estimated"), default=False, db_default=False)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=9, null=True, blank=True)
    price = models.JSONField(_("price"), null=True, blank=True)

    created_at = InsertedAtField(_("created"), auto_now_add=True)

    is_answer: ClassVar[bool] = False
    """True for the model of answers."""
    KEY_COLUMNS: ClassVar[tuple[str, ...]] = ("pk",)
    """The columns that `ledger_key` reads."""

    class Meta:
        abstract = True

    @property
    def ledger_key(self) -> str:
        """The primary key of the row's entry in the ledger, if it is deleted. It has at most 64 characters."""
        return self._ledger_key(self.pk)

    def _ledger_key(self, *values: object) -> str:
        concrete: Any = self._meta.concrete_model  # the same for a row of a proxy
        return " ".join(map(str, (concrete._meta.model_name, *values)))

    def entry(self, owner_key: str) -> LedgerEntry:
        """Returns the entry for the ledger, not stored yet."""
        used = {name: getattr(self, name) for name in (*USED, "created_at")}
        return LedgerEntry(id=self.ledger_key, owner_key=owner_key, is_answer=self.is_answer, **used)

    def charge(self) -> None:
        """Enters what the request has used, at its end, if its row was deleted while it ran. Does nothing otherwise."""
        unknown = LedgerEntry.objects.filter(pk=self.ledger_key, input_tokens=None, output_tokens=None)
        unknown.update(**{name: getattr(self, name) for name in USED})


MeteredT = TypeVar("MeteredT", bound=Metered, covariant=True)


class MeteredQuerySet(BeforeDeleteQuerySet[MeteredT]):
    def owned_by(self, owner: Owner) -> Self:
        return self.filter(conversation__owner_key=owner.key)

    def before_delete(self) -> None:
        these = self.model._base_manager.using(self.db).filter(pk__in=self.order_by().values("pk"))
        enter_in_ledger(Conversation.objects.using(self.db).filter(pk__in=these.values("conversation")), these)


def enter_in_ledger(conversations: QuerySet[Conversation], *kinds: QuerySet[Any]) -> None:
    """Enters what rows of these conversations have used in the ledger, as far as a limit still counts it.

    All rows are locked first. So of two deletions only one finds them, no answer ends between this and the deletion,
    and no sign-in gives the conversation to somebody else.
    """
    if not is_any_counted():
        return
    owners = dict(conversations.select_for_update().order_by("pk").values_list("pk", "owner_key"))
    entries = []
    for rows in kinds if owners else ():
        counted = rows.select_for_update().filter(created_at__gt=earliest_counted(), conversation__in=list(owners))
        columns = (*rows.model.KEY_COLUMNS, "conversation", "created_at", *USED)
        entries += [row.entry(owners[row.conversation_id]) for row in counted.order_by("pk").only(*columns)]
    LedgerEntry.objects.using(conversations.db).bulk_create(entries, ignore_conflicts=True)
