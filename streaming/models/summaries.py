"""Summaries: what a model wrote about the beginning of a conversation, so that later requests need not repeat it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.clock import InsertedAtField
from streaming.models.generations import Status
from streaming.models.managers import WrittenManager
from streaming.models.owners import Owner


class SummaryQuerySet(models.QuerySet["Summary"]):
    def owned_by(self, owner: Owner) -> SummaryQuerySet:
        return self.filter(conversation__owner_key=owner.key)


SummaryManager = WrittenManager.from_queryset(SummaryQuerySet)


class Summary(models.Model):
    """One request for a summary of the messages up to `upto`, and its result.

    A message has one path of messages before it, so a summary fits all branches that go through `upto`. `generation` is
    the answer for which it was written. A summary whose `status` is not finished has no text, but may have cost tokens.
    The counts mean the same as those of `Generation`.
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
    status = models.CharField(_("status"), max_length=16, choices=Status.choices, default=Status.FINISHED)
    provider = models.CharField(_("provider"), max_length=64)
    model = models.CharField(_("model"), max_length=200, blank=True)
    input_tokens = models.PositiveIntegerField(_("input tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("output tokens"), null=True, blank=True)
    cached_input_tokens = models.PositiveIntegerField(_("cached input tokens"), null=True, blank=True)
    cache_write_tokens = models.PositiveIntegerField(_("cache write tokens"), null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(_("reasoning tokens"), null=True, blank=True)
    is_usage_estimated = models.BooleanField(_("tokens are estimated"), default=False)
    cost = models.DecimalField(_("cost"), max_digits=18, decimal_places=9, null=True, blank=True)
    price = models.JSONField(_("price"), null=True, blank=True)
    created_at = InsertedAtField(_("created"), auto_now_add=True)

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
