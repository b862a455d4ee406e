"""Messages. Each is a child of the message that it answers or continues."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.db import connections, models, router
from django.utils.translation import gettext_lazy as _

from streaming.protocol import Part, dump_parts, load_parts, text_of
from streaming.protocol.storable import MAX_LEVELS, storable

logger = logging.getLogger(__name__)

# MariaDB takes no JSON with more levels, MySQL none with more than 100. What is nested deeper is kept as JSON text.
JSON_LEVELS = {"mysql": 31}


class Role(models.TextChoices):
    USER = "user", _("user")
    ASSISTANT = "assistant", _("assistant")


class Message(models.Model):
    """One message. `parts` is the stored form of `streaming.protocol.parts`; `text` repeats its text for searches.

    `client_id` is the id that the client gave the message. A message that is sent twice with one id is stored once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "streaming.Conversation", on_delete=models.CASCADE, related_name="messages", verbose_name=_("conversation")
    )
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="replies")
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    parts = models.JSONField(_("parts"), default=list)
    text = models.TextField(_("text"), blank=True)
    # Null, not "", because the unique constraint must allow any number of messages without an id.
    client_id = models.CharField(_("client id"), max_length=128, null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ("created_at",)
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.UniqueConstraint(fields=("conversation", "client_id"), name="streaming_message_client_id"),
        )
        indexes = (models.Index(fields=("-created_at",), name="streaming_message_created"),)

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:60]}"

    @property
    def public_id(self) -> str:
        """The id by which clients know this message."""
        return self.client_id or str(self.id)

    @property
    def typed_parts(self) -> tuple[Part, ...]:
        return load_parts(self.parts)

    def set_parts(self, parts: tuple[Part, ...]) -> None:
        """Sets the content. The caller saves the row."""
        vendor = connections[router.db_for_write(Message)].vendor
        levels = JSON_LEVELS.get(vendor, MAX_LEVELS)
        self.parts = storable([one for part in parts for one in _dumped(part)], levels)
        self.text = storable(text_of(parts))


def _dumped(part: Part) -> list[dict[str, Any]]:
    try:
        return dump_parts([part])
    except RecursionError:  # a provider's own JSON may be that deep; an answer that cannot be stored would never end
        logger.warning("A part of an answer is nested too deep to be stored, and was left out.")
        return []
