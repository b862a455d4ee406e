"""Side calls: requests to a model that write no message, for example the one that finds a conversation's title."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.conversations import Conversation
from streaming.models.managers import WrittenManager
from streaming.models.metered import Metered, MeteredQuerySet


class Purpose(models.TextChoices):
    TITLE = "title", _("title")


class SideCallQuerySet(MeteredQuerySet["SideCall"]):
    """See `MeteredQuerySet`."""


SideCallManager = WrittenManager.from_queryset(SideCallQuerySet)


class SideCall(Metered):
    """One side call. Its tokens and its cost count in the owner's budget, as those of a `Generation` do.

    The row is stored before the model is asked. So a conversation has at most one for each purpose, even if a process
    dies. Summaries are rows of `Summary`.
    """

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="side_calls", verbose_name=_("conversation")
    )
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose.choices)
    error_code = models.CharField(_("error code"), max_length=32, blank=True)

    KEY_COLUMNS = ("conversation", "purpose")

    objects = SideCallManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-created_at",)
        verbose_name = _("side call")
        verbose_name_plural = _("side calls")
        constraints = (models.UniqueConstraint(fields=("conversation", "purpose"), name="streaming_side_call_purpose"),)
        indexes = (models.Index(fields=("created_at",), name="streaming_side_call_created"),)

    def __str__(self) -> str:
        return f"{self.purpose} {self.conversation_id}"

    @property
    def ledger_key(self) -> str:
        """An imported side call has another primary key than the exported one, so the key does not have it."""
        return self._ledger_key(self.conversation_id, self.purpose)
