"""Summaries: what a model wrote about the beginning of a conversation, so that later requests need not repeat it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.ledger import LedgerEntry
from streaming.models.managers import WrittenManager
from streaming.models.metered import Metered, MeteredQuerySet


class SummaryQuerySet(MeteredQuerySet["Summary"]):
    """See `MeteredQuerySet`."""


SummaryManager = WrittenManager.from_queryset(SummaryQuerySet)


class Summary(Metered):
    """One request for a summary of the messages up to `upto`, and its result.

    A message has one path of messages before it, so a summary fits all branches that go through `upto`. `generation` is
    the answer for which it was written. A summary whose `status` is not finished has no text, but may have cost tokens.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "streaming.Conversation", on_delete=models.CASCADE, related_name="summaries", verbose_name=_("conversation")
    )
    generation = models.ForeignKey(
        "streaming.Generation", on_delete=models.CASCADE, related_name="summaries", verbose_name=_("generation")
    )
    upto = models.ForeignKey(
        "streaming.Message", on_delete=models.CASCADE, related_name="summaries", verbose_name=_("last message")
    )
    text = models.TextField(_("text"), blank=True)

    objects = SummaryManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("created_at",)
        verbose_name = _("summary")
        verbose_name_plural = _("summaries")
        indexes = (models.Index(fields=("-created_at",), name="streaming_summary_created"),)

    def __str__(self) -> str:
        """No text, as with messages."""
        return f"{self.provider} {self.id}"

    def charge(self) -> None:
        """Enters what the summary has used, if it could not be stored because its generation was deleted meanwhile."""
        asked_for = LedgerEntry.objects.filter(pk=self.generation.ledger_key).first()
        if asked_for is not None:
            LedgerEntry.objects.bulk_create([self.entry(asked_for.owner_key)], ignore_conflicts=True)
