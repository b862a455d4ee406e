"""The admin shows the files of a conversation."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from streaming.models import Attachment, Conversation
from streaming.protocol import FilePart
from tests.pages import html
from tests.pictures import data_url
from tests.sent_files import picture, submit

pytestmark = pytest.mark.usefixtures("engine", "stored")


async def test_staff_see_pictures_and_links_to_files() -> None:
    await submit("Hi", picture(), FilePart(media_type="text/plain", url=data_url(b"Notes"), filename="notes.txt"))
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(get_user_model().objects.create_superuser)("root"))
    page = html(await client.get(f"/admin/streaming/conversation/{(await Conversation.objects.aget()).pk}/change/"))
    urls = {attachment.name: f"/api/files/{attachment.pk}" async for attachment in Attachment.objects.all()}
    assert f'cat.png<img src="{urls["cat.png"]}" alt=""' in page
    assert f'<a href="{urls["notes.txt"]}" target="_blank" rel="noopener">notes.txt</a>' in page
