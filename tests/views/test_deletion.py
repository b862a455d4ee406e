"""A person deletes everything at once, by the API and by the form of the page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from streaming.archive import pruning
from streaming.models import Attachment, Conversation, Generation
from streaming.supervisor import current
from tests.engine import Script
from tests.pages import answered
from tests.pictures import PNG

pytestmark = pytest.mark.usefixtures("engine", "stored")
ALL = "/api/chat?confirm=all"


@pytest.mark.parametrize("address", ["/api/chat", "/api/chat?confirm=1", "/api/chat?all=confirm"])
async def test_nothing_is_deleted_without_the_confirmation(client: AsyncClient, address: str) -> None:
    await answered(client)
    refused = await client.delete(address)
    assert (refused.status_code, "confirm=all" in refused.content.decode()) == (400, True)
    refused = await client.post("/delete-conversations/")
    assert (refused.status_code, "confirm=all" in refused.content.decode()) == (400, True)
    assert await Conversation.objects.acount() == 1


async def test_everything_of_the_owner_is_deleted_and_nothing_of_others(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning.prune, "__kwdefaults__", {"at_once": 2})  # several transactions
    other = AsyncClient()
    await answered(other, key="theirs")
    for number in range(5):
        await answered(client, key=f"c{number}")
    await client.post("/api/files", {"file": SimpleUploadedFile("cat.png", PNG, "image/png")})
    assert (await client.delete(ALL)).json() == {"deleted": 5}
    assert [one.key async for one in Conversation.objects.all()] == ["theirs"]
    assert not await Attachment.objects.aexists()
    assert (await client.delete(ALL)).json() == {"deleted": 0}


async def test_running_answer_is_stopped_first(client: AsyncClient, scripted: Script) -> None:
    scripted(text="word " * 10_000, delay=0.01)
    response = await client.post("/api/chat", json.dumps({"id": "c", "prompt": "?"}), content_type="application/json")
    reading: Any = response.streaming_content
    await anext(reading)
    assert (await client.delete(ALL)).json() == {"deleted": 1}
    rest = b"".join([piece async for piece in reading])
    assert b"deleted" in rest or b'"abort"' in rest
    assert rest.endswith(b"\n\n")
    await current().idle()
    assert not await Generation.objects.aexists()
    assert not await Conversation.objects.aexists()


async def test_button_of_the_page_does_the_same(client: AsyncClient) -> None:
    await answered(client)
    assert "delete-conversations" in (await client.get("/")).content.decode()
    done = await client.post("/delete-conversations/", {"confirm": "all"})
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert not await Conversation.objects.aexists()
