"""The files of conversations over HTTP: taken in before their message is sent, and given to those who may see them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag

from streaming.conf import settings
from streaming.database import in_database, release_request_connection
from streaming.errors import BadRequest, NotFound, TooLarge
from streaming.files import keep
from streaming.files.addresses import address
from streaming.files.kinds import IMAGES
from streaming.files.uploads import Upload, check_size, part_with
from streaming.models import Attachment, Owner
from streaming.protocol.parts import FilePart
from streaming.protocol.requests.data_url import is_text
from streaming.providers import files_taken, is_taken
from streaming.views.endpoint import endpoint

CHUNK_BYTES = 64 * 1024
# What a form with one file has besides it: boundaries, headers, a token.
FORM_BYTES = 10_000
HEADERS = {
    # The browser asks each time, and is told that nothing has changed: who has signed out sees no file.
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@endpoint("POST")
async def upload(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Keep the one file of a form; its address is then good for a file part of a message."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > settings.MAX_FILE_BYTES + FORM_BYTES:
        raise TooLarge(f"The file is larger than the {settings.MAX_FILE_BYTES} bytes that are accepted.")
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
    """A file, for its owner and for staff who may read messages."""
    attachment = await in_database(_find, owner, pk, sees_all=await _may_read_messages(request))
    etag = quote_etag(attachment.digest)
    response = get_conditional_response(request, etag=etag) or await _opened(attachment)
    for name, value in (HEADERS | {"ETag": etag}).items():
        response.headers[name] = value
    return response


def sent_files(request: HttpRequest) -> tuple[FilePart, ...]:
    """The files of the page's form, as a client sends them that has no other way. Reads them: for a thread.

    Raises:
        TooLarge: one has more bytes than a file may have.
    """
    return tuple(part_with(_read(file)) for file in request.FILES.getlist("files"))


def accepted_files(alias: str) -> str:
    """What may be sent to provider `alias`, as a file field's `accept`; empty for nothing.

    With plain text goes every kind of text, because each programming language calls its own differently.
    """
    try:
        takes = files_taken(alias) if settings.MAX_FILES_PER_MESSAGE else ()
    except (BadRequest, ImproperlyConfigured):
        return ""  # the first answer says what is wrong, and so do the checks
    accepted = [each for each in settings.FILE_TYPES if is_taken(each, takes)]
    return ",".join([*accepted, "text/*"] if "text/plain" in accepted else accepted)


def _only_file(request: HttpRequest) -> Upload:
    files = request.FILES.getlist("file")
    if len(files) != 1:
        raise BadRequest("Send one file, as the field 'file' of a multipart form.")
    return _read(files[0])


def _read(file: UploadedFile[Any]) -> Upload:
    check_size(file.size or 0)
    return Upload(file.read(), file.content_type or "", file.name or "")


async def _may_read_messages(request: HttpRequest) -> bool:
    user = await request.auser()
    if not user.is_staff:
        return False
    try:
        return await user.ahas_perm("streaming.view_message")
    finally:
        await release_request_connection()


def _find(owner: Owner, pk: uuid.UUID, *, sees_all: bool) -> Attachment:
    visible = Attachment.objects.all() if sees_all else Attachment.objects.filter(owner_key=owner.key)
    found = visible.filter(pk=pk).first()
    if found is None:
        raise NotFound("There is no such file.")
    return found


async def _opened(attachment: Attachment) -> HttpResponse | StreamingHttpResponse:
    """Only pictures are shown in the browser; everything else is downloaded."""
    content = StoredBytes(await asyncio.to_thread(_open, attachment))
    charset = "; charset=utf-8" if is_text(attachment.media_type) else ""
    response = StreamingHttpResponse(content, content_type=attachment.media_type + charset)
    response.headers["Content-Length"] = str(attachment.size)
    is_attachment = attachment.media_type not in IMAGES
    if disposition := content_disposition_header(is_attachment, attachment.name):
        response.headers["Content-Disposition"] = disposition
    return response


def _open(attachment: Attachment) -> tuple[File[Any], bytes]:
    """With its first bytes read: storages that are far away find out here that they cannot."""
    try:
        file = attachment.file.open()
    except FileNotFoundError as error:
        raise NotFound("The file is not there any more.") from error
    return file, file.read(CHUNK_BYTES)


class StoredBytes:
    """The bytes of a stored file, read in threads. Django calls `close` when the response is over."""

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
