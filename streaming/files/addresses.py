"""The URL of a file part: `attachment:<id>` in rows; for clients, the address at which the app serves the file."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec
from django.urls import reverse

from streaming.models import Attachment, Role
from streaming.protocol import FilePart, Part
from streaming.protocol.ui_stream.addresses import FILE_ID, STORED_FILE

SCHEME = "attachment:"
STORED = re.compile(f"{SCHEME}{FILE_ID}")
SERVED = re.compile(STORED_FILE)


def part_of(attachment: Attachment) -> FilePart:
    """Returns the message part for an attachment."""
    return FilePart(media_type=attachment.media_type, url=f"{SCHEME}{attachment.pk}", filename=attachment.name or None)


def id_of(part: FilePart) -> uuid.UUID | None:
    """Returns the id of the attachment that a stored part names; None for any other URL."""
    return _id_in(STORED, part.url)


def id_served_at(url: str) -> uuid.UUID | None:
    """Returns the id of the attachment that a client's URL names; None if the URL is not this app's."""
    return _id_in(SERVED, url)


def _id_in(pattern: re.Pattern[str], url: str) -> uuid.UUID | None:
    found = pattern.fullmatch(url)
    return uuid.UUID(found[1]) if found else None


def address(pk: uuid.UUID) -> str:
    """Returns the path that serves an attachment.

    It depends on the request's mount point, which the database threads do not know. So do not call it there.
    """
    return reverse("streaming:api_file", args=(pk,))


def client_url(url: str) -> str:
    """Returns the URL that clients use for that of a stored part. It depends on the request, as `address` does."""
    pk = _id_in(STORED, url)
    return address(pk) if pk else url


def addressed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Returns stored parts with the URLs that clients use."""
    return tuple(map(_addressed, parts))


def _addressed(part: Part) -> Part:
    pk = id_of(part) if isinstance(part, FilePart) else None
    return msgspec.structs.replace(part, url=address(pk)) if pk else part


def addressed_messages(conversation: dict[str, Any]) -> dict[str, Any]:
    """Sets the URLs that clients use in a conversation of UIMessages, in place, and returns it."""
    for message in conversation["messages"]:
        if message["role"] != Role.USER:
            continue  # a model may write anything
        for part in message["parts"]:
            if part["type"] == "file" and (pk := _id_in(STORED, part["url"])):
                part["url"] = address(pk)
    return conversation
