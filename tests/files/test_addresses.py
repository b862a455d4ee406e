"""The URLs of attachments: their form in rows, and the address at which clients find them."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.test import AsyncClient

from streaming.errors import BadRequest
from streaming.files.addresses import id_served_at
from streaming.models import Attachment, Message
from streaming.protocol import FilePart
from tests.pictures import PNG
from tests.responses import body_of
from tests.sent_files import PICTURE, asked, names, picture, say, submit, upload

pytestmark = pytest.mark.usefixtures("engine", "stored")


@pytest.mark.parametrize("prefix", ["", "/sites/chat%20room"])
def test_addresses_are_known_under_every_mount_point(prefix: str) -> None:
    pk = uuid.uuid4()
    assert id_served_at(f"{prefix}/api/files/{pk}") == pk
    for other in (
        f"https://example.org/api/files/{pk}",
        f"//example.org/api/files/{pk}",
        f"/api/files/{pk}?x",
        "/api/files/x",
    ):
        assert id_served_at(other) is None


async def test_a_data_url_is_stored_once_and_shown_by_address(stored: Path) -> None:
    client = AsyncClient()
    assert (await say(client, PICTURE)).status_code == 200
    row = await Message.objects.aget(role="user")
    attachment = await Attachment.objects.aget()
    assert row.parts == [
        {"type": "file", "media_type": "image/png", "url": f"attachment:{attachment.pk}", "filename": "cat.png"},
        {"type": "text", "text": "What is it?"},
    ]
    assert (attachment.message_id, attachment.size) == (row.pk, len(PNG))
    assert [(stored / name).read_bytes() for name in names(stored)] == [PNG]
    loaded = (await client.get("/api/chat/c1")).json()
    url = f"/api/files/{attachment.pk}"
    assert loaded["messages"][0]["parts"][0] == PICTURE | {"url": url}
    assert await body_of(await client.get(url)) == PNG
    branch = {"messageId": loaded["messages"][0]["id"]}
    assert (await client.post("/api/chat/c1/branch", branch, content_type="application/json")).json() == loaded


async def test_an_upload_is_sent_by_its_address(stored: Path) -> None:
    client = AsyncClient()
    given = await upload(client)
    assert given == {
        "id": given["id"],
        "url": f"/api/files/{given['id']}",
        "mediaType": "image/png",
        "filename": "cat.png",
        "size": len(PNG),
    }
    part = {"type": "file", "url": given["url"], "mediaType": "text/html", "filename": "other.html"}
    assert (await say(client, part)).status_code == 200
    assert (await asked())[0].parts[0] == picture()
    attachment = await Attachment.objects.select_related("conversation").aget()
    assert attachment.conversation is not None
    assert attachment.conversation.key == "c1"
    assert len(names(stored)) == 1


@pytest.mark.parametrize("url", ["https://example.org/cat.png", "http://169.254.169.254/", "file:///etc/passwd", ""])
async def test_files_at_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="not fetched"):
        await submit("Look", FilePart(media_type="image/png", url=url))
    assert await Message.objects.acount() == 0
