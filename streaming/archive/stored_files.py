"""The bytes of attachments in an archive, as base64."""

from __future__ import annotations

import base64
import hashlib
import logging
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile

from streaming.archive.errors import BadLine
from streaming.models import Attachment

logger = logging.getLogger(__name__)


def content_of(attachment: Attachment) -> str | None:
    """Returns the bytes of the stored file as base64, or None if the storage does not have it."""
    try:
        with attachment.file.open() as file:
            return base64.b64encode(file.read()).decode()
    except Exception as trouble:  # each storage's library has exceptions of its own
        logger.warning("The file of attachment %s could not be read (%s).", attachment.pk, type(trouble).__name__)
        return None


def store(name: str, content: Any, digest: str) -> str:
    """Stores the bytes of an archived file, and returns the name that the storage gives it.

    Raises:
        BadLine: `content` is not what was archived, or the storage refuses the name.
    """
    storage = Attachment._meta.get_field("file").storage
    try:
        if content is None:
            if storage.exists(name):
                raise BadLine(f"'file' is {name!r}: that is the file of another attachment.")
            return name
        data = base64.b64decode(content, validate=True)
        if hashlib.sha256(data).hexdigest() != digest:
            raise BadLine("'content' does not have the SHA-256 of 'digest'.")
        return str(storage.save(name, ContentFile(data)))
    except (ValueError, TypeError) as error:
        raise BadLine("'content' is not base64.") from error
    except SuspiciousFileOperation as error:
        raise BadLine(f"'file' cannot be {name!r}.") from error


def discard(name: str) -> None:
    """Deletes a file that an import has stored, because its conversation is not imported after all."""
    Attachment._meta.get_field("file").storage.delete(name)
