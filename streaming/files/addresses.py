"""How a file part names its attachment: by `attachment:<id>` in rows, by the address that serves it to clients."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec
from django.urls import reverse

from streaming.models import Attachment
from streaming.protocol import FilePart, Part

SCHEME = "attachment:"
ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
STORED = re.compile(f"{SCHEME}{ID}")
# Wherever the site mounts the app. Only a path: an address with a host names another place.
SERVED = re.compile(rf"/(?:[\w.~%-]+/)*api/files/{ID}")


def part_of(attachment: Attachment) -> FilePart:
    """The part that stands for it in a message."""
    return FilePart(media_type=attachment.media_type, url=f"{SCHEME}{attachment.pk}", filename=attachment.name or None)


def id_of(part: FilePart) -> uuid.UUID | None:
    """The attachment that a stored part names; None when it has an address of its own."""
    return _id_in(STORED, part.url)


def id_served_at(url: str) -> uuid.UUID | None:
    """The attachment that a client's URL names; None for an address that is not this app's."""
    return _id_in(SERVED, url)


def _id_in(pattern: re.Pattern[str], url: str) -> uuid.UUID | None:
    found = pattern.fullmatch(url)
    return uuid.UUID(found[1]) if found else None


def address(pk: uuid.UUID) -> str:
    """Where an attachment is served. It depends on the request's mount point: not for the database's threads."""
    return reverse("streaming:api_file", args=(pk,))


def addressed(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Stored parts, with the addresses of their attachments."""
    return tuple(map(_addressed, parts))


def _addressed(part: Part) -> Part:
    pk = id_of(part) if isinstance(part, FilePart) else None
    return msgspec.structs.replace(part, url=address(pk)) if pk else part


def addressed_messages(conversation: dict[str, Any]) -> dict[str, Any]:
    """The same for a conversation as clients load it: its UIMessages, in place."""
    for message in conversation["messages"]:
        for part in message["parts"]:
            if part["type"] == "file" and (pk := _id_in(STORED, part["url"])):
                part["url"] = address(pk)
    return conversation
