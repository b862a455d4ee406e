"""Reads and checks one file that a client sends."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple
from urllib.parse import unquote

from django.utils.translation import gettext as _

from streaming.conf import settings
from streaming.errors import BadRequest, TooLarge, UnsupportedFile
from streaming.files.kinds import media_type_of
from streaming.models import MAX_FILE_NAME_CHARS, Attachment, Owner
from streaming.protocol import FilePart
from streaming.protocol.requests.data_url import base64_of


class Upload(NamedTuple):
    """One file from a client: its bytes, the media type that the client claims, and its name."""

    content: bytes
    claimed: str = ""
    name: str = ""


def upload_in(part: FilePart) -> Upload:
    """Returns the file inside a part whose URL is a data URL.

    Raises:
        BadRequest: the URL cannot be read.
        TooLarge: the file is larger than `STREAMING_MAX_FILE_BYTES`.
    """
    payload = base64_of(part.url)
    if payload is None:
        raise BadRequest("A file's data URL has no content.")
    check_size(len(payload) * 3 // 4 - 2)
    try:
        content = base64.b64decode(unquote(payload), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("A file's data URL is not valid base64.") from error
    return Upload(content, part.media_type, part.filename or "")


def part_with(upload: Upload) -> FilePart:
    """Returns a part with the file as a data URL, which `upload_in` reads."""
    url = f"data:;base64,{base64.b64encode(upload.content).decode()}"
    return FilePart(media_type=upload.claimed, url=url, filename=upload.name)


def check_size(size: int) -> None:
    """Checks a file's size in bytes.

    Raises:
        TooLarge: it is over `STREAMING_MAX_FILE_BYTES`.
    """
    limit = settings.MAX_FILE_BYTES
    if size > limit:
        raise TooLarge(
            _("The file has %(size)d bytes; at most %(limit)d are accepted.") % {"size": size, "limit": limit}
        )


def check_number(count: int) -> None:
    """Checks the number of files of one message.

    Raises:
        TooLarge: it is over `STREAMING_MAX_FILES_PER_MESSAGE`.
    """
    limit = settings.MAX_FILES_PER_MESSAGE
    if count > limit:
        raise TooLarge(
            _("The message has %(count)d files; at most %(limit)d are accepted.") % {"count": count, "limit": limit}
        )


def described(owner: Owner, upload: Upload) -> Attachment:
    """Returns an attachment for the file, not stored yet.

    Raises:
        BadRequest, TooLarge, UnsupportedFile: the site does not accept the file.
    """
    if not upload.content:
        raise BadRequest(_("The file is empty."))
    check_size(len(upload.content))
    media_type = media_type_of(upload.content, upload.claimed, upload.name)
    allowed = settings.FILE_TYPES
    if media_type not in allowed:
        wanted = ", ".join(allowed) if allowed else "no files"
        raise UnsupportedFile(
            _("Files of the type %(type)s are not accepted here; accepted: %(wanted)s.")
            % {"type": media_type[:100], "wanted": wanted}
        )
    return Attachment(
        owner_key=owner.key,
        name=_plain(upload.name),
        media_type=media_type,
        size=len(upload.content),
        digest=hashlib.sha256(upload.content).hexdigest(),
    )


def _plain(name: str) -> str:
    """Returns a file's name without folders and without characters that cannot be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:MAX_FILE_NAME_CHARS]
