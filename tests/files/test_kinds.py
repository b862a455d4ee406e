"""The media type of a file is found in its bytes."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.errors import UnsupportedFile
from streaming.files.kinds import media_type_of
from tests.pictures import GIF, HTML, PDF, PNG, SVG


@pytest.mark.parametrize(
    ("content", "claimed", "found"),
    [
        (PNG, "image/png", "image/png"),
        (PNG, "image/jpeg", "image/png"),
        (PNG, "text/plain", "image/png"),
        (b"\xff\xd8\xff\xe0....JFIF", "", "image/jpeg"),
        (GIF, "application/octet-stream", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp", "image/webp"),
        (PDF, "application/x-pdf", "application/pdf"),
        ("žluť".encode(), "text/markdown; charset=utf-8", "text/markdown"),
        (b"print(1)", "text/x-python", "text/plain"),
        (b"print(1)", "", "text/plain"),
        (b"let a = 1", "text/javascript", "text/plain"),
        (b"a { top: 0 }", "text/css", "text/plain"),
        (b"a\tb", "text/tab-separated-values", "text/plain"),
        (b"a,b", "text/csv", "text/csv"),
        (HTML, "text/html", "text/html"),
        (b"<a/>", "text/xml; charset=utf-8", "text/xml"),
        (b"\x00\x01\xff", "", "application/octet-stream"),
        (SVG, "image/svg+xml", "image/svg+xml"),
        (b"\x1aE\xdf\xa3", "video/webm", "video/webm"),
    ],
)
def test_media_type_is_found_in_the_bytes(content: bytes, claimed: str, found: str) -> None:
    assert media_type_of(content, claimed) == found


def test_text_keeps_its_type_if_the_site_accepts_that_type(settings: Any) -> None:
    settings.STREAMING_FILE_TYPES = ["text/calendar"]
    assert media_type_of(b"BEGIN:VCALENDAR", "text/calendar") == "text/calendar"
    assert media_type_of(b"a,b", "text/csv") == "text/plain"


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (b"a;b", "Table.CSV", "text/csv"),
        (b"a;b", "table.xls", "application/vnd.ms-excel"),
        (b"\xd0\xcf\x11\xe0", "table.csv", "application/vnd.ms-excel"),
    ],
)
def test_a_csv_file_is_text_even_if_windows_calls_it_a_spreadsheet(content: bytes, name: str, found: str) -> None:
    assert media_type_of(content, "application/vnd.ms-excel", name) == found


@pytest.mark.parametrize(
    ("content", "claimed"), [(b"GIF8", "image/gif"), (HTML, "image/png"), (b"\xff\xfeh\x00", "text/plain")]
)
def test_a_file_whose_bytes_are_of_another_type_is_refused(content: bytes, claimed: str) -> None:
    with pytest.raises(UnsupportedFile, match=f"is called {claimed}, but"):
        media_type_of(content, claimed)
