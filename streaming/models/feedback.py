"""Feedback: what the reader of an answer thinks of it. Staff have a `Review` instead; the two are never mixed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.models.managers import WrittenManager


class Thumb(models.IntegerChoices):
    UP = 1, _("thumbs up")
    DOWN = -1, _("thumbs down")


class Feedback(models.Model):
    """The owner's thumb on one answer, with an optional comment."""

    message = models.OneToOneField(
        "streaming.Message", on_delete=models.CASCADE, related_name="feedback", verbose_name=_("message")
    )
    thumb = models.SmallIntegerField(_("thumb"), choices=Thumb.choices)
    comment = models.TextField(_("comment"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = WrittenManager["Feedback"]()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-updated_at",)
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        indexes = (models.Index(fields=("thumb",), name="streaming_feedback_thumb"),)

    def __str__(self) -> str:
        return f"{self.get_thumb_display()} {self.message_id}"

    @property
    def metadata(self) -> dict[str, str]:
        """The entry for the message's metadata, in the words of the request that stores it."""
        return {"thumb": Thumb(self.thumb).name.lower(), "comment": self.comment}
