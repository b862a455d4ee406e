"""Attachments: the files that people send with their messages. A storage keeps the bytes; rows never do."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

from streaming.conf import settings
from streaming.models.clock import InsertedAtField
from streaming.models.managers import WrittenManager
from streaming.models.owners import MAX_OWNER_CHARS

MAX_FILE_NAME_CHARS = 200
"""A longer name of a file is cut."""


@deconstructible
class FilesStorage(Storage):
    """Passes each call to the storage that `STREAMING_FILES_STORAGE` names at that moment.

    So migrations do not depend on the site's setting.
    """

    @property
    def _named(self) -> Storage:
        return storages[settings.FILES_STORAGE]

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        return self._named.open(name, mode)

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        return self._named.save(name, content, max_length)

    def delete(self, name: str) -> None:
        self._named.delete(name)

    def exists(self, name: str) -> bool:
        return self._named.exists(name)

    def size(self, name: str) -> int:
        return self._named.size(name)


def new_name() -> str:
    """Returns a random name. It reveals neither the owner, nor the content, nor the id, which clients know."""
    return f"streaming/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """One file of one message. `message` and `conversation` are null until it is sent.

    `media_type` is the type found in the bytes, `digest` their SHA-256 in hex, `size` their number. An edited message
    that keeps a file of the earlier one gets a row of its own; both rows name the same stored `file`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner_key = models.CharField(_("owner"), max_length=MAX_OWNER_CHARS)
    conversation = models.ForeignKey(
        "streaming.Conversation", on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    message = models.ForeignKey(
        "streaming.Message", on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    file = models.FileField(_("file"), storage=FilesStorage(), default=new_name)
    name = models.CharField(_("file name"), max_length=MAX_FILE_NAME_CHARS, blank=True)
    media_type = models.CharField(_("media type"), max_length=100)
    size = models.PositiveBigIntegerField(_("size, bytes"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    created_at = InsertedAtField(_("created"), auto_now_add=True)

    objects = WrittenManager["Attachment"]()

    class Meta:
        base_manager_name = "objects"
        ordering = ("created_at",)
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = (
            models.Index(fields=("owner_key",), name="streaming_attachment_owner"),
            models.Index(fields=("file",), name="streaming_attachment_file"),
        )

    def __str__(self) -> str:
        return str(self.id)


@receiver(post_delete, sender=Attachment)
def _remove_file(instance: Attachment, using: str, **kwargs: Any) -> None:
    """Deletes the file after the transaction commits, unless another message has it. Django logs a storage's error."""
    name = instance.file.name
    if name:
        transaction.on_commit(lambda: _remove_unless_shared(name), using=using, robust=True)


def _remove_unless_shared(name: str) -> None:
    if not Attachment.objects.filter(file=name).exists():
        FilesStorage().delete(name)
