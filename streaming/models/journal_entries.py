"""Journal entries: the frames of a generation's log. One row holds the frames of one tick."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.managers import WrittenManager


class JournalEntry(models.Model):
    """The frames `first_seq` to `last_seq`, joined, in the bytes that readers get."""

    generation = models.ForeignKey("streaming.Generation", on_delete=models.CASCADE, related_name="journal")
    first_seq = models.PositiveIntegerField()
    last_seq = models.PositiveIntegerField()
    frames = models.BinaryField()

    objects = WrittenManager["JournalEntry"]()

    class Meta:
        base_manager_name = "objects"
        ordering = ("generation", "first_seq")
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        constraints = (models.UniqueConstraint(fields=("generation", "first_seq"), name="streaming_journal_seq"),)

    def __str__(self) -> str:
        return f"{self.generation_id}: {self.first_seq}–{self.last_seq}"
