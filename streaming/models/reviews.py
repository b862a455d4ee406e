"""Reviews: what staff think of an answer. The thumbs of the people who read it are `Feedback`."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from streaming.models.managers import WrittenManager
from streaming.models.name_lists import joined, names_in

RATINGS = (1, 2, 3, 4, 5)
"""All ratings, from the worst to the best."""


class Review(models.Model):
    """One answer's review. `reviewer` and `reviewed_at` tell who saved it last, and when.

    `labels` is one text (`name_lists`); `label_set` has the labels as a list. `rating` is None if nobody rated the
    answer.
    """

    message = models.OneToOneField(
        "streaming.Message", on_delete=models.CASCADE, related_name="review", verbose_name=_("message")
    )
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, blank=True, validators=[MinValueValidator(RATINGS[0]), MaxValueValidator(RATINGS[-1])]
    )
    labels = models.TextField(_("labels"), blank=True)
    note = models.TextField(_("note"), blank=True)
    is_flagged = models.BooleanField(_("flagged"), default=False)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewed by"),
    )
    reviewed_at = models.DateTimeField(_("reviewed"), default=timezone.now)

    objects = WrittenManager["Review"]()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-reviewed_at",)
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        indexes = (
            models.Index(fields=("is_flagged",), name="streaming_review_flag"),
            models.Index(fields=("-reviewed_at",), name="streaming_review_time"),
        )

    def __str__(self) -> str:
        return f"{self.message_id} {self.rating or '-'}"

    @property
    def label_set(self) -> list[str]:
        return names_in(self.labels)

    @label_set.setter
    def label_set(self, labels: Iterable[str]) -> None:
        self.labels = joined(labels)
