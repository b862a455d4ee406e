"""Conversations: an owner's messages, as a tree with one path shown."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from streaming.conf import MAX_ALIAS_CHARS
from streaming.models.managers import WrittenManager
from streaming.models.owners import MAX_OWNER_CHARS, Owner, OwnerKind
from streaming.protocol.storable import storable
from streaming.records import readable

logger = logging.getLogger(__name__)

TITLE_LENGTH = 80
MAX_TITLE_CHARS = 200
MAX_ID_CHARS = 128
"""The longest id that a client may choose, for a conversation or a message."""


class KeyField(models.CharField):  # type: ignore[type-arg]
    """A text column for keys from URLs. Looking up a key that no database can hold finds nothing; it does not fail."""

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(storable(value))

    def deconstruct(self) -> Any:
        """Returns a plain CharField, so that migrations do not import this class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def owned_by(self, owner: Owner) -> ConversationQuerySet:
        return self.filter(owner_key=owner.key)

    def find(self, owner: Owner, key: str) -> Conversation | None:
        """Returns the owner's conversation with this key."""
        return self.owned_by(owner).filter(key=key).first()

    def of_visitors(self) -> ConversationQuerySet:
        return self.filter(owner_key__startswith=OwnerKind.VISITOR.prefix)


ConversationManager = WrittenManager.from_queryset(ConversationQuerySet)


class Conversation(models.Model):
    """One conversation. `key` is its id for clients: the client chooses it, and it is unique for the owner.

    `tools` are stored names, which `tool_names` reads.
    `active_leaf` is the last message of the path that is shown. Edits and regenerated answers start other paths.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = KeyField(_("key"), max_length=MAX_ID_CHARS)
    owner_key = models.CharField(_("owner"), max_length=MAX_OWNER_CHARS)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="llm_conversations",
        verbose_name=_("user"),
    )
    title = models.CharField(_("title"), max_length=MAX_TITLE_CHARS, blank=True)
    pinned = models.BooleanField(_("pinned"), default=False)
    provider = models.CharField(_("provider"), max_length=MAX_ALIAS_CHARS)
    system_prompt = models.TextField(_("system prompt"), blank=True)
    tools = models.JSONField(_("tools"), null=True, blank=True)
    active_leaf = models.ForeignKey(
        "streaming.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = ConversationManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("-updated_at",)
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        permissions = (("export_conversation", _("Can export conversations")),)
        constraints = (models.UniqueConstraint(fields=("owner_key", "key"), name="streaming_conversation_key"),)
        indexes = (
            models.Index(fields=("owner_key", "-updated_at"), name="streaming_owner_list"),
            models.Index(fields=("-updated_at",), name="streaming_by_update"),
            models.Index(fields=("key",), name="streaming_by_key"),
        )

    def __str__(self) -> str:
        """The id and not the title: Django's admin shows it to staff who may not read what people wrote."""
        return str(self.id)

    @property
    def tool_names(self) -> list[str] | None:
        """The names of the tools that the model is offered; None means those of the provider's settings.

        A value that cannot be read means none: the conversation may have been given fewer tools than others have.
        """
        names = readable(self.tools, list[str])
        if names is None and self.tools is not None:
            logger.warning("The tools of conversation %s cannot be read, so its model is offered none.", self.pk)
            return []
        return names


def title_from(prompt: str) -> str:
    """Returns the first line of a prompt, cut to `TITLE_LENGTH` characters."""
    line = " ".join(storable(prompt).strip().partition("\n")[0].split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"
