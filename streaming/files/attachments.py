"""Stores files as attachments, adds attachments to messages, and removes files that were not sent."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from django.core.files.base import ContentFile
from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from streaming.conf import settings
from streaming.database import alone, deletions, in_database
from streaming.errors import BadRequest, Overloaded, TooLarge
from streaming.files.addresses import SCHEME, id_of, id_served_at, part_of
from streaming.files.uploads import Upload, check_number, described, upload_in
from streaming.models import Attachment, Message, Owner, from_now
from streaming.protocol import FilePart, TextPart

logger = logging.getLogger(__name__)

# The number of files removed in one transaction. Each costs a call to the storage, which may be slow.
MAX_REMOVED = 100


async def keep(owner: Owner, upload: Upload) -> Attachment:
    """Stores one file for `owner` that no message has yet.

    Raises:
        BadRequest, TooLarge, UnsupportedFile, Overloaded: the file cannot be taken; nothing was stored.
    """
    attachment = await asyncio.to_thread(described, owner, upload)
    await _store(attachment, upload.content)
    return attachment


async def _store(attachment: Attachment, content: bytes) -> None:
    """Stores the row, then the bytes. If the process dies in between, the sweep finds the row and removes it."""
    await in_database(_insert, attachment)
    name, storage = attachment.file.name, attachment.file.storage
    try:
        stored = await asyncio.to_thread(storage.save, name, ContentFile(content))
    except Exception as trouble:  # each storage's library has exceptions of its own
        logger.exception("A file could not be stored.")
        await in_database(attachment.delete)
        raise Overloaded(_("The file could not be stored. Try again in a moment.")) from trouble
    if stored != name:
        attachment.file.name = stored
        await in_database(attachment.save, update_fields=("file",))


def _insert(attachment: Attachment) -> None:
    limit = settings.MAX_FILE_BYTES_PER_OWNER
    with alone(attachment.owner_key):
        if limit is not None and _bytes_of(attachment.owner_key) + attachment.size > limit:
            raise TooLarge(
                _("Your files would have more than the %(limit)d bytes that this site keeps for one person.")
                % {"limit": limit}
            )
        attachment.save(force_insert=True)


def _bytes_of(owner_key: str) -> int:
    """Returns the size of an owner's files in bytes. A file that several messages share counts once."""
    files = Attachment.objects.filter(owner_key=owner_key).order_by().values("file").annotate(bytes=Max("size"))
    total: int = files.aggregate(total=Sum("bytes", default=0))["total"]
    return total


@asynccontextmanager
async def kept(owner: Owner, key: str, files: Sequence[FilePart]) -> AsyncIterator[tuple[FilePart, ...]]:
    """Stores the files of a submission to conversation `key`, and yields them as attachments.

    Files that no message has taken when the context ends are removed.

    Raises:
        BadRequest, TooLarge, UnsupportedFile, Overloaded: a file cannot be taken; nothing was stored.
    """
    check_number(len(files))
    made: list[uuid.UUID] = []
    try:
        yield tuple([await _kept(owner, key, part, made) for part in files])
    finally:
        if made:
            await _discard(made)


async def _kept(owner: Owner, key: str, part: FilePart, made: list[uuid.UUID]) -> FilePart:
    if part.url[:5].lower() == "data:":
        return await _kept_content(owner, key, part, made)
    found = id_served_at(part.url)
    if found is None:
        raise BadRequest(
            "A file's 'url' must be a data URL, or the one that POST api/files gave for it. "
            "Files at other addresses are not fetched."
        )
    return msgspec.structs.replace(part, url=f"{SCHEME}{found}")


async def _kept_content(owner: Owner, key: str, part: FilePart, made: list[uuid.UUID]) -> FilePart:
    """Stores the bytes in a data URL, unless the conversation has this file, for example from the same message."""
    upload = await asyncio.to_thread(upload_in, part)
    attachment = await asyncio.to_thread(described, owner, upload)
    sent = Attachment.objects.filter(owner_key=owner.key, conversation__key=key, digest=attachment.digest)
    known = await in_database(sent.filter(name=attachment.name, media_type=attachment.media_type).first)
    if known is None:
        await _store(attachment, upload.content)
        made.append(attachment.pk)
    return part_of(known or attachment)


async def _discard(made: list[uuid.UUID]) -> None:
    """Deletes unused attachments. Logs any error: the answer may run already, so the request must not fail."""
    try:
        await in_database(Attachment.objects.filter(pk__in=made, message=None).delete)
    except Exception:  # a site's signal receivers have exceptions of their own
        logger.exception("Unsent files are left to the sweep.")


def attach(message: Message, files: tuple[FilePart, ...]) -> None:
    """Adds files to the stored `message`, before its text. Call it inside the transaction that stores the message.

    Raises:
        BadRequest: a file belongs to another owner or another conversation.
    """
    if not files:
        return
    named = [pk for part in files if (pk := id_of(part))]
    owned = Attachment.objects.filter(owner_key=message.conversation.owner_key)
    # The lock keeps the sweep and other messages away from these rows.
    found = {attachment.pk: attachment for attachment in owned.select_for_update().filter(pk__in=named)}
    taken = [_take(found.get(pk), message) for pk in named]
    said = (part for part in message.typed_parts if not (isinstance(part, TextPart) and not part.text))
    message.set_parts((*map(part_of, taken), *said))
    message.save(update_fields=("parts", "text"))


def _take(attachment: Attachment | None, message: Message) -> Attachment:
    if attachment is None:
        raise BadRequest(_("There is no such file of yours, or it was not sent in time. Upload it again."))
    if attachment.conversation_id not in (None, message.conversation_id):
        raise BadRequest(_("A file belongs to another conversation. Upload it again."))
    if attachment.message_id is not None:
        attachment.pk = uuid.uuid4()
        attachment._state.adding = True
    attachment.message, attachment.conversation = message, message.conversation
    attachment.save()
    return attachment


def has_same_files(message: Message, files: tuple[FilePart, ...]) -> bool:
    """Returns True if `files`, which are all attachments, have the same bytes as the files of `message`."""
    if not files and not any(part["type"] == "file" for part in message.parts):
        return True
    named = [pk for part in files if (pk := id_of(part))]
    given = Attachment.objects.filter(pk__in=named).values_list("digest", flat=True)
    return set(given) == set(message.attachments.values_list("digest", flat=True))


def forget_unsent() -> Iterator[int]:
    """Removes files that were uploaded and not sent within `STREAMING_UNSENT_FILE_SECONDS`.

    Yields how many each transaction removed.
    """
    old = Attachment.objects.filter(message=None, created_at__lt=from_now(-settings.UNSENT_FILE_SECONDS))
    return deletions(old, MAX_REMOVED)
