"""Puts the bytes of attachments into a request to a provider, once for each generation."""

from __future__ import annotations

import asyncio
import logging
import uuid
from base64 import b64encode
from collections.abc import Iterable

import msgspec
from django.utils.translation import gettext as _

from streaming.database import in_database
from streaming.errors import UnsupportedFile
from streaming.files.addresses import id_of
from streaming.models import Attachment, Generation
from streaming.protocol import FilePart, GenerationRequest, Part, TextPart, Turn
from streaming.providers import files_taken, is_taken

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 20_000_000
"""The largest size of the files in one request, in bytes. The newest files are sent, older ones are left out.

Anthropic has the lowest limit of the vendors, 32 MB for a request; base64 makes files a third larger. Without a limit
of our own, a long conversation with pictures could not be continued."""


def check_taken(alias: str, parts: Iterable[Part]) -> None:
    """Checks that provider `alias` understands the files among `parts`.

    Raises:
        UnsupportedFile: it does not. The text names the types that it takes.
    """
    for part in _stored(parts):
        takes = files_taken(alias)
        if not is_taken(part.media_type, takes):
            wanted = ", ".join(takes) if takes else _("no files")
            told = {"type": part.media_type, "wanted": wanted}
            raise UnsupportedFile(_("The model does not take files of the type %(type)s; it takes: %(wanted)s.") % told)


async def with_files(request: GenerationRequest, generation: Generation) -> GenerationRequest:
    """Returns the request with the bytes of its files as data URLs.

    A text with its name replaces a file that the provider does not take, that the request has no room for, or that the
    storage has lost.
    """
    if not any(_stored(turn.parts) for turn in request.turns):
        return request
    known = await in_database(_attachments, generation.conversation_id)
    turns = await asyncio.to_thread(_Loader(known, files_taken(generation.provider)).load, request.turns)
    return msgspec.structs.replace(request, turns=turns)


def _attachments(conversation_id: uuid.UUID) -> dict[uuid.UUID, Attachment]:
    """Returns the conversation's attachments by id.

    Others must not be loaded: a model's answer has parts, too, and may name the file of another owner.
    """
    return {attachment.pk: attachment for attachment in Attachment.objects.filter(conversation=conversation_id)}


def _stored(parts: Iterable[Part]) -> list[FilePart]:
    return [part for part in parts if isinstance(part, FilePart) and id_of(part)]


class _Loader:
    """Loads files from the newest turn to the oldest while there is room. It blocks, so run it in a thread."""

    def __init__(self, known: dict[uuid.UUID, Attachment], takes: tuple[str, ...]) -> None:
        self._known = known
        self._takes = takes
        self._room = MAX_REQUEST_BYTES

    def load(self, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        return tuple(self._turn(turn) for turn in reversed(turns))[::-1]

    def _turn(self, turn: Turn) -> Turn:
        return msgspec.structs.replace(turn, parts=tuple(map(self._part, turn.parts)))

    def _part(self, part: Part) -> Part:
        attachment_id = id_of(part) if isinstance(part, FilePart) else None
        if attachment_id is None or not isinstance(part, FilePart):
            return part
        content = self._content(part, self._known.get(attachment_id))
        if content is None:
            return TextPart(
                text=f"[The file {part.filename or 'without a name'} ({part.media_type}) is not shown.]\n\n"
            )
        return msgspec.structs.replace(part, url=f"data:{part.media_type};base64,{b64encode(content).decode()}")

    def _content(self, part: FilePart, attachment: Attachment | None) -> bytes | None:
        if attachment is None or not is_taken(part.media_type, self._takes) or attachment.size > self._room:
            return None
        try:
            with attachment.file.open() as file:
                content: bytes = file.read()
        except FileNotFoundError:
            logger.warning("The file of attachment %s is not in its storage.", attachment.pk)
            return None
        self._room -= attachment.size
        return content
