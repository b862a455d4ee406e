"""Upload and download of attachments. A client uploads a file first, and then sends a message that names it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.utils.translation import gettext as _

from streaming.access import is_redacting
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import BadRequest, NotFound, TooLarge
from streaming.files import keep
from streaming.files.addresses import address
from streaming.files.kinds import IMAGES
from streaming.files.uploads import Upload, check_number, check_size, part_with
from streaming.models import Action, Attachment, Owner, StaffAccess
from streaming.protocol import FilePart
from streaming.protocol.requests.data_url import is_text
from streaming.providers import files_taken, is_taken
from streaming.views.endpoint import endpoint

CHUNK_BYTES = 64 * 1024
# The bytes of a form besides its one file: boundaries, headers, a token. This is a generous guess.
FORM_BYTES = 10_000
READ_RAW = ("streaming.view_message", "streaming.view_raw_events")
HEADERS = {
    # The browser keeps the file but asks each time if it may use it. So nobody sees a file after signing out.
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@endpoint("POST")
async def upload(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Stores the one file of a form. A file part of a message can then name its address."""
    if _declared_length(request) > settings.MAX_FILE_BYTES + FORM_BYTES:
        raise TooLarge(
            _("The file is larger than the %(limit)d bytes that are accepted.") % {"limit": settings.MAX_FILE_BYTES}
        )
    attachment = await keep(owner, await sync_to_async(_only_file)(request))
    return JsonResponse(
        {
            "id": str(attachment.pk),
            "url": address(attachment.pk),
            "mediaType": attachment.media_type,
            "filename": attachment.name,
            "size": attachment.size,
        },
        status=201,
    )


@endpoint("GET")
async def download(request: HttpRequest, owner: Owner, pk: uuid.UUID) -> HttpResponseBase:
    """Serves a file to its owner and to staff with the permission to view messages."""
    attachment = await in_database(_find, owner, pk, request.user)
    etag = quote_etag(attachment.digest)
    response = get_conditional_response(request, etag=etag) or await opened(attachment)
    for name, value in (HEADERS | {"ETag": etag}).items():
        response.headers[name] = value
    return response


def sent_files(request: HttpRequest) -> tuple[FilePart, ...]:
    """Returns the files in the form of a page without JavaScript. It reads the files, so call it in a thread.

    Raises:
        TooLarge: there are too many files, or one is larger than `STREAMING_MAX_FILE_BYTES`.
    """
    files = request.FILES.getlist("files")
    check_number(len(files))  # before a hundred of them are in memory
    return tuple(part_with(_read(file)) for file in files)


def accepted_files(alias: str) -> str:
    """The types of files that provider `alias` takes, as a file field's `accept`. Empty if it takes none.

    If it takes plain text, all text types are accepted, because each programming language has a type of its own.
    """
    try:
        takes = files_taken(alias) if settings.MAX_FILES_PER_MESSAGE else ()
    except (BadRequest, ImproperlyConfigured):
        return ""  # the system checks and the first answer report this error
    accepted = [each for each in settings.FILE_TYPES if is_taken(each, takes)]
    return ",".join([*accepted, "text/*"] if "text/plain" in accepted else accepted)


def _declared_length(request: HttpRequest) -> int:
    """The length that the request's header tells; 0 if it tells none."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _only_file(request: HttpRequest) -> Upload:
    try:
        files = request.FILES.getlist("file")
    except LookupError as error:
        raise BadRequest("The request's charset is none that texts can have.") from error
    if len(files) != 1:
        raise BadRequest("Send one file, as the field 'file' of a multipart form.")
    return _read(files[0])


def _read(file: UploadedFile[Any]) -> Upload:
    check_size(file.size or 0)
    return Upload(file.read(), file.content_type or "", file.name or "")


def _find(owner: Owner, pk: uuid.UUID, user: Any) -> Attachment:
    """Returns the file, if it is the owner's or `user` may read it. A look at somebody else's file is logged.

    Raises:
        NotFound: there is no such file, or it is not for this person.
    """
    found = Attachment.objects.filter(pk=pk).first()
    is_own = found is not None and found.owner_key == owner.key
    if found is None or not (is_own or _reads_messages(user)):
        raise NotFound(_("There is no such file."))
    if not is_own:
        StaffAccess.objects.record(user, Action.FILE, "attachment", pk)
    return found


def _reads_messages(user: Any) -> bool:
    """Returns True for staff who may view everybody's messages. A site's own model of users may have no staff.

    Where the site redacts content, they must also be allowed to see it raw, because nobody redacts a file.
    """
    wanted = READ_RAW if is_redacting() else READ_RAW[:1]
    return getattr(user, "is_staff", False) and all(map(user.has_perm, wanted))


async def opened(attachment: Attachment) -> HttpResponse | StreamingHttpResponse:
    """The response with the file's content. The browser shows only pictures and downloads everything else."""
    content = StoredBytes(await asyncio.to_thread(_open, attachment))
    charset = "; charset=utf-8" if is_text(attachment.media_type) else ""
    response = StreamingHttpResponse(content, content_type=attachment.media_type + charset)
    response.headers["Content-Length"] = str(attachment.size)
    is_attachment = attachment.media_type not in IMAGES
    if disposition := content_disposition_header(is_attachment, attachment.name):
        response.headers["Content-Disposition"] = disposition
    return response


def _open(attachment: Attachment) -> tuple[File[Any], bytes]:
    """Opens the stored file and reads its first bytes. A remote storage reports a missing file only when it reads.

    Raises:
        NotFound: the storage has no such file.
    """
    try:
        with ExitStack() as closing:
            file = closing.enter_context(attachment.file.open())
            first = file.read(CHUNK_BYTES)
            closing.pop_all()  # `StoredBytes` closes it
            return file, first
    except FileNotFoundError as error:
        raise NotFound(_("The file is not there any more.")) from error


class StoredBytes:
    """The bytes of a stored file, read in threads. Django calls `close` at the end of the response."""

    def __init__(self, opened: tuple[File[Any], bytes]) -> None:
        self._file, self._first = opened

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunk = self._first
        while chunk:
            yield chunk
            chunk = await asyncio.to_thread(self._file.read, CHUNK_BYTES)

    def close(self) -> None:
        self._file.close()


file_patterns = [
    path("api/files", upload, name="api_files"),
    path("api/files/<uuid:pk>", download, name="api_file"),
]
