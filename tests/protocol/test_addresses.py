"""The addresses that a model may show to people: the same in the stream and after a reload."""

from __future__ import annotations

import msgspec
import pytest

from streaming.protocol import FilePart, TextPart
from streaming.protocol.ui_stream import UIStreamEncoder, events_of, fold_chunks, ui_parts
from streaming.protocol.ui_stream.addresses import NOWHERE

ID = "0c2f5e1a-0000-4000-8000-00000000000f"
# An address -> True if a file may have it, and if a source may have it.
ADDRESSES = {
    "https://example.org/a.png": (True, True),
    "HTTP://example.org": (True, True),
    f"/api/files/{ID}": (True, True),
    f"/mount/api/files/{ID}": (True, True),
    "data:image/png;base64,AA": (True, False),
    "/docs/page?x=1#top": (False, True),
    f"/api/files/../../admin/api/files/{ID}": (False, True),
    f"/api/files/%2E%2e/admin/api/files/{ID}": (False, True),
    "/admin/logout/": (False, True),
    "javascript:alert(1)": (False, False),
    "JavaScript:alert(1)": (False, False),
    " javascript:alert(1)": (False, False),
    "java\tscript:alert(1)": (False, False),
    "\x01javascript:alert(1)": (False, False),
    "vbscript:x": (False, False),
    "file:///etc/passwd": (False, False),
    "blob:https://example.org/x": (False, False),
    "ftp://example.org/x": (False, False),
    "data:text/html,<script>alert(1)</script>": (False, False),
    "data:,x": (False, False),
    f"attachment:{ID}": (False, False),
    "//evil.example/x": (False, False),
    "/\\evil.example/x": (False, False),
    "/\t/evil.example/x": (False, False),
    "https://example.org/\njavascript:x": (False, False),
    "page.html": (False, False),
    "": (False, False),
    "about:blank": (False, False),
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_address_leaves_the_server_only_if_it_is_allowed(url: str) -> None:
    file_ok, source_ok = ADDRESSES[url]
    citations = ({"url": url}, {"type": "url_citation", "url_citation": {"url": url}})
    parts = (TextPart(text="x", citations=citations), FilePart(media_type="image/png", url=url))
    encoder = UIStreamEncoder("m")
    sent = [*encoder.start(), *(chunk for event in events_of(parts) for chunk in encoder.encode(event))]
    live = [chunk for chunk in map(msgspec.json.decode, sent) if chunk["type"] in ("file", "source-url")]
    reloaded = [part for part in ui_parts(parts) if part["type"] in ("file", "source-url")]
    for shown in (live, reloaded):
        assert [part["url"] for part in shown if part["type"] == "file"] == [url if file_ok else NOWHERE]
        assert [part["url"] for part in shown if part["type"] == "source-url"] == ([url] * 2 if source_ok else [])
    (text, file) = fold_chunks(sent)
    assert text == parts[0]
    assert ui_parts((file,)) == ui_parts(parts[1:])


def test_file_of_a_person_keeps_the_apps_own_address() -> None:
    stored = FilePart(media_type="image/png", url=f"attachment:{ID}")
    assert ui_parts((stored,), is_persons=True)[0]["url"] == stored.url
