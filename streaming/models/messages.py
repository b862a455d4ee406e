"""Messages. Each is a child of the message that it answers or continues."""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from django.db import connections, models, router
from django.utils.translation import gettext_lazy as _

from streaming.models.before_delete import BeforeDelete, BeforeDeleteQuerySet
from streaming.models.conversations import MAX_ID_CHARS
from streaming.models.generations import Generation
from streaming.models.managers import WrittenManager
from streaming.models.name_lists import joined
from streaming.models.summaries import Summary
from streaming.protocol import Part, ToolCall, dump_parts, readable_parts, text_of
from streaming.protocol.storable import MAX_LEVELS, storable

logger = logging.getLogger(__name__)

# MariaDB takes no JSON with more levels, MySQL none with more than 100. What is nested deeper is kept as JSON text.
JSON_LEVELS = {"mysql": 31}


class Role(models.TextChoices):
    USER = "user", _("user")
    ASSISTANT = "assistant", _("assistant")


class MessageQuerySet(BeforeDeleteQuerySet["Message"]):
    def before_delete(self) -> None:
        """Does what the generations and the summaries below these messages need."""
        messages = self._with_replies()
        Generation.objects.using(self.db).filter(message__in=messages).before_delete()
        Summary.objects.using(self.db).filter(upto__in=messages).before_delete()

    def _with_replies(self) -> set[uuid.UUID]:
        """Returns the keys of these messages and of everything below them, which is deleted with them."""
        found: set[uuid.UUID] = set()
        newest = set(self.order_by().values_list("pk", flat=True))
        while newest:
            found |= newest
            replies = Message.objects.using(self.db).order_by().filter(parent__in=newest)
            newest = set(replies.values_list("pk", flat=True)) - found
        return found


MessageManager = WrittenManager.from_queryset(MessageQuerySet)


class Message(BeforeDelete):
    """One message. `parts` is the stored form of `streaming.protocol.parts`.

    For searches, `text` repeats its text, and `tool_names` has the names of the called tools (`name_lists`).

    `client_id` is the id that the client gave the message. A message that is sent twice with one id is stored once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "streaming.Conversation", on_delete=models.CASCADE, related_name="messages", verbose_name=_("conversation")
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="replies",
        verbose_name=_("previous message"),
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    parts = models.JSONField(_("parts"), default=list)
    text = models.TextField(_("text"), blank=True)
    tool_names = models.TextField(_("called tools"), blank=True)
    # Null, not "", because the unique constraint must allow any number of messages without an id.
    client_id = models.CharField(_("client id"), max_length=MAX_ID_CHARS, null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = MessageManager()

    class Meta:
        base_manager_name = "objects"
        ordering = ("created_at",)
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = (
            ("view_reasoning", _("Can view the reasoning of models")),
            ("review_message", _("Can review answers")),
        )
        constraints = (
            models.UniqueConstraint(fields=("conversation", "client_id"), name="streaming_message_client_id"),
        )
        indexes = (models.Index(fields=("-created_at",), name="streaming_message_created"),)

    def __str__(self) -> str:
        """No text: Django's admin shows it to staff who may not read what people wrote."""
        return f"{self.get_role_display()} {self.id}"

    @property
    def public_id(self) -> str:
        """The id by which clients know this message."""
        return self.client_id or str(self.id)

    @property
    def generation_if_any(self) -> Generation | None:
        """The generation that writes, or wrote, this answer. What a person or other code has written has none."""
        found: Generation | None = getattr(self, "generation", None) if self.role == Role.ASSISTANT else None
        return found

    @property
    def is_being_written(self) -> bool:
        """True until the generation of this message has ended."""
        generation = self.generation_if_any
        return generation is not None and generation.is_active

    @property
    def typed_parts(self) -> tuple[Part, ...]:
        """The content. A part that this version cannot read is opaque."""
        return readable_parts(self.parts)

    def set_parts(self, parts: tuple[Part, ...]) -> None:
        """Sets the content. The caller saves the row."""
        for name, value in stored_content(parts).items():
            setattr(self, name, value)


class Place(NamedTuple):
    """The place of a message in its conversation, without its content."""

    pk: uuid.UUID
    parent_id: uuid.UUID | None
    role: str
    client_id: str | None
    created_at: datetime.datetime

    @property
    def public_id(self) -> str:
        return self.client_id or str(self.pk)


PlaceT = TypeVar("PlaceT", "Message", Place)


def path_to(leaf: PlaceT | None, parent_of: Callable[[PlaceT], PlaceT | None]) -> list[PlaceT]:
    """Returns the messages from the first to `leaf`; none without a leaf."""
    walked: list[PlaceT] = []
    while leaf is not None:
        walked.append(leaf)
        leaf = parent_of(leaf)
    return walked[::-1]


def stored_content(parts: tuple[Part, ...]) -> dict[str, Any]:
    """Returns the values of a message's fields that hold these parts."""
    return {
        "parts": storable_json([one for part in parts for one in _dumped(part)]),
        "text": storable(text_of(parts)),
        "tool_names": storable(joined(part.name for part in parts if isinstance(part, ToolCall))),
    }


def storable_json(value: Any) -> Any:
    """Returns a JSON value that the database can hold."""
    return storable(value, JSON_LEVELS.get(connections[router.db_for_write(Message)].vendor, MAX_LEVELS))


def _dumped(part: Part) -> list[dict[str, Any]]:
    try:
        return dump_parts([part])
    except RecursionError:  # a provider's own JSON may be that deep; an answer that cannot be stored would never end
        logger.warning("A part of an answer is nested too deep to be stored, and was left out.")
        return []
