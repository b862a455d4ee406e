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


def checked(content: Any, attachment: Attachment) -> bytes | None:
    """Returns the bytes of an archived file; None if the archive does not have them.

    Raises:
        BadLine: they are not those of the attachment.
    """
    if content is None:
        return None
    try:
        data = base64.b64decode(content, validate=True)
    except (ValueError, TypeError) as error:
        raise BadLine("'content' is not base64.") from error
    if hashlib.sha256(data).hexdigest() != attachment.digest:
        raise BadLine("'content' does not have the SHA-256 of 'digest'.")
    if len(data) != attachment.size:
        raise BadLine(f"'size' is {attachment.size}, and 'content' has {len(data)} bytes.")
    return data


def store(name: str, data: bytes | None) -> str:
    """Stores the bytes of a file, and returns the name that the storage gives it.

    Raises:
        BadLine: the storage refuses the name, or there are no bytes and the name is that of another file.
    """
    storage = Attachment._meta.get_field("file").storage
    try:
        if data is not None:
            return str(storage.save(name, ContentFile(data)))
        if storage.exists(name):
            raise BadLine(f"'file' is {name!r}: that is the file of another attachment.")
    except (SuspiciousFileOperation, ValueError) as error:  # ValueError: NUL, for example
        raise BadLine(f"'file' cannot be {name!r}.") from error
    return name


def discard(name: str) -> None:
    """Deletes a file that an import has stored, because its conversation is not imported after all.

    Logs any error: the other files are to be deleted, too, and the operator is to see why nothing was imported.
    """
    try:
        Attachment._meta.get_field("file").storage.delete(name)
    except Exception as trouble:  # each storage's library has exceptions of its own
        logger.error("The imported file %r could not be deleted (%s).", name, type(trouble).__name__)
