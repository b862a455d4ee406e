"""Uploads and data URLs: the site takes the files that it accepts, and gives the reason for the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient

from streaming.errors import BadRequest, RequestError, TooLarge, UnsupportedFile
from streaming.models import Attachment, Message
from streaming.protocol import FilePart
from tests.pages import html
from tests.pictures import HTML, SVG, data_url
from tests.sent_files import names, picture, post_file, submit, upload

pytestmark = pytest.mark.usefixtures("engine", "stored")


@pytest.mark.parametrize(
    ("content", "name", "kind", "status", "reason"),
    [
        (b"", "a.txt", "text/plain", 400, "empty"),
        (b"x" * 1001, "a.txt", "text/plain", 413, "The file has 1001 bytes; at most 1000 are accepted."),
        (b"x" * 40_000, "a.txt", "text/plain", 413, "larger than the 1000 bytes"),
        (
            SVG,
            "a.svg",
            "image/svg+xml",
            415,
            "Files of the type image/svg+xml are not accepted here; accepted: image/png",
        ),
        (HTML, "a.html", "text/html", 415, "text/html are not accepted"),
        (HTML, "a.png", "image/png", 415, "is called image/png, but its content is not image/png."),
        (b"\x00\x01", "a.bin", "", 415, "application/octet-stream are not accepted"),
    ],
)
async def test_an_upload_that_is_refused_gets_the_reason(
    settings: Any, stored: Path, content: bytes, name: str, kind: str, status: int, reason: str
) -> None:
    settings.STREAMING_MAX_FILE_BYTES = 1000
    response = await post_file(AsyncClient(), content, name, kind)
    assert (response.status_code, reason in html(response)) == (status, True), html(response)
    assert names(stored) == []
    assert await Attachment.objects.acount() == 0


@pytest.mark.parametrize(
    ("url", "error", "reason"),
    [
        (data_url(b"x" * 1001, "text/plain"), TooLarge, "1001 bytes"),
        (data_url(b"x" * 9000, "text/plain"), TooLarge, "bytes; at most 1000"),
        (data_url(SVG, "image/svg+xml"), UnsupportedFile, "not accepted"),
        ("data:image/png;base64,$$$", BadRequest, "not valid base64"),
        ("data:image/png", BadRequest, "no content"),
        ("data:image/png;base64,", BadRequest, "empty"),
    ],
)
async def test_a_data_url_that_is_refused_gets_the_reason(
    settings: Any, stored: Path, url: str, error: type[RequestError], reason: str
) -> None:
    settings.STREAMING_MAX_FILE_BYTES = 1000
    with pytest.raises(error, match=reason):
        await submit("Hi", picture(), FilePart(media_type=url[5:].partition(";")[0], url=url))
    assert names(stored) == []
    assert await Message.objects.acount() == await Attachment.objects.acount() == 0


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("a.js", "text/javascript", "text/plain"),
        ("a.tsv", "text/tab-separated-values", "text/plain"),
        ("a.csv", "application/vnd.ms-excel", "text/csv"),
    ],
)
async def test_every_text_file_that_people_may_choose_on_the_page_is_accepted(name: str, kind: str, found: str) -> None:
    uploaded = await upload(AsyncClient(), b"a\tb", name, kind)
    assert (uploaded["mediaType"], uploaded["filename"]) == (found, name)
