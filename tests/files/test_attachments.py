"""Attachments: they are stored once, belong to one owner and one conversation, and are removed with their messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models.signals import pre_delete
from django.test import AsyncClient
from django.utils import timezone

from streaming.chat import start_chat
from streaming.database import in_database, in_steps
from streaming.errors import BadRequest, Conflict, Overloaded, TooLarge
from streaming.files import forget_unsent
from streaming.models import Attachment, Conversation, Message
from streaming.protocol import FilePart, TextPart
from streaming.supervisor import current
from tests.engine import BOB
from tests.pages import html
from tests.pictures import GIF, PDF, PNG, png
from tests.sent_files import PICTURE, asked, names, picture, post_file, say, submit, upload

pytestmark = pytest.mark.usefixtures("engine", "stored")


async def test_a_message_may_have_files_and_no_text() -> None:
    client = AsyncClient()
    assert (await say(client, PICTURE, text="")).status_code == 200
    assert (await Conversation.objects.aget()).title == "cat.png"
    assert len((await Message.objects.aget(role="user")).parts) == 1
    assert [type(part) for part in (await asked())[0].parts] == [FilePart]


async def test_a_message_sent_again_joins_and_stores_no_second_copy(stored: Path) -> None:
    client = AsyncClient()
    await client.get("/")  # the session
    statuses = [response.status_code for response in await asyncio.gather(*(say(client, PICTURE) for _ in range(4)))]
    assert statuses == [200] * 4
    assert len(names(stored)) == await Attachment.objects.acount() == 1
    assert await Message.objects.acount() == 2


async def test_the_same_picture_in_another_message_is_not_stored_again(settings: Any, stored: Path) -> None:
    settings.STREAMING_MAX_FILE_BYTES_PER_OWNER = len(PNG)
    await submit("What is it?", picture(), client_id="m1")
    await submit("What is it?", picture(), client_id="m1")
    await submit("And again?", picture(), picture())
    assert (len(names(stored)), await Attachment.objects.acount()) == (1, 3)
    await submit("Elsewhere", picture(), key="c2", owner=BOB)
    assert len(names(stored)) == 2


async def test_a_storage_that_fails_is_reported_and_leaves_nothing(stored: Path) -> None:
    await asyncio.to_thread(stored.write_text, "in the way of the directory")
    response = await post_file(AsyncClient(), PNG, "a.png", "image/png")
    assert (response.status_code, html(response)) == (503, "The file could not be stored. Try again in a moment.")
    with pytest.raises(Overloaded):
        await submit("Hi", picture())
    assert await Attachment.objects.acount() == await Message.objects.acount() == 0


async def test_the_same_id_with_another_file_is_a_conflict(stored: Path) -> None:
    await submit("Hi", picture(), client_id="m1")
    with pytest.raises(Conflict):
        await submit("Hi", picture(png(3, 3)), client_id="m1")
    with pytest.raises(Conflict):
        await submit("Hi", client_id="m1")
    assert len(names(stored)) == 1


async def test_code_may_send_files() -> None:
    answer = await start_chat("What is it?", files=[picture()])
    assert (await answer.result()).status == "finished"
    assert (await asked())[0].parts[0] == picture()


async def test_files_of_others_and_of_other_conversations_are_refused() -> None:
    client = AsyncClient()
    url = (await upload(client))["url"]
    with pytest.raises(BadRequest, match="no such file of yours"):
        await submit("Mine now", FilePart(media_type="", url=url), owner=BOB)
    await say(client, {"type": "file", "url": url})
    response = await say(client, {"type": "file", "url": url}, id="c2")
    assert (response.status_code, response.content) == (
        400,
        b"A file belongs to another conversation. Upload it again.",
    )
    with pytest.raises(BadRequest, match="no such file of yours"):
        await submit("Made up", FilePart(media_type="", url="/api/files/00000000-0000-4000-8000-000000000000"))


async def test_the_number_of_files_of_a_message_is_limited(settings: Any, stored: Path) -> None:
    settings.STREAMING_MAX_FILES_PER_MESSAGE = 2
    with pytest.raises(TooLarge, match="has 3 files; at most 2 are accepted"):
        await submit("Hi", *[picture()] * 3)
    assert names(stored) == []
    await submit("Hi", *[picture()] * 2)


async def test_the_bytes_of_an_owner_are_limited(settings: Any) -> None:
    settings.STREAMING_MAX_FILE_BYTES_PER_OWNER = 2 * len(PNG)
    await submit("Hi", picture(), picture())
    with pytest.raises(TooLarge, match="keeps for one person"):
        await submit("Hi", picture(png(colour=(200, 120, 60))))
    await submit("Hi", picture(), owner=BOB)


async def test_an_edit_keeps_the_files_it_names_and_a_regenerated_answer_those_of_its_question(stored: Path) -> None:
    client = AsyncClient()
    await say(client, PICTURE)
    url = f"/api/files/{(await Attachment.objects.aget()).pk}"
    await say(client, {"type": "file", "url": url}, text="Look closer.", messageId="m1")
    assert [part for turn in await asked() for part in turn.parts] == [picture(), TextPart(text="Look closer.")]
    assert (await Attachment.objects.acount(), len(names(stored))) == (2, 1)
    await say(client, PICTURE, text="Look closer.", trigger="regenerate-message")
    assert (await asked())[-1].parts[0] == picture()
    assert (await Attachment.objects.acount(), len(names(stored))) == (2, 1)
    await say(client, text="Never mind the picture.", messageId="m1")
    assert [part for turn in await asked() for part in turn.parts] == [TextPart(text="Never mind the picture.")]
    first = await Message.objects.filter(role="user").order_by("created_at").afirst()
    assert first is not None
    await in_database(first.delete)
    assert len(names(stored)) == 1
    await in_database(Conversation.objects.all().delete)
    assert (await Attachment.objects.acount(), names(stored)) == (0, [])


async def test_a_deletion_that_is_rolled_back_removes_no_file(stored: Path) -> None:
    await submit("Hi", picture())
    await in_database(_delete_and_roll_back)
    assert len(names(stored)) == 1


def _delete_and_roll_back() -> None:
    with transaction.atomic():
        Conversation.objects.all().delete()
        transaction.set_rollback(True)


async def test_an_upload_that_is_never_sent_is_removed(settings: Any, stored: Path) -> None:
    client = AsyncClient()
    for content in (PNG, GIF):
        await upload(client, content, "a", "")
    sent = await upload(client, PDF, "a.pdf")
    await say(client, {"type": "file", "url": sent["url"]})
    settings.STREAMING_UNSENT_FILE_SECONDS = 60
    old = timezone.now() - timedelta(seconds=70)
    await Attachment.objects.exclude(media_type="image/gif").aupdate(created_at=old)
    await in_steps(forget_unsent())
    kinds = [kind async for kind in Attachment.objects.order_by("media_type").values_list("media_type", flat=True)]
    assert kinds == ["application/pdf", "image/gif"]
    assert len(names(stored)) == 2


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_a_file_that_cannot_be_removed_keeps_no_other(
    settings: Any, stored: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, at_once: int
) -> None:
    """More files are old than one transaction removes."""

    def keep_gifs(instance: Attachment, **kwargs: Any) -> None:
        if instance.media_type == "image/gif":
            raise RuntimeError("legal hold")

    monkeypatch.setattr("streaming.files.attachments.MAX_REMOVED", at_once)
    for content in (GIF, PNG, PDF, PNG):
        await upload(AsyncClient(), content, "a", "")
    settings.STREAMING_UNSENT_FILE_SECONDS = 0
    pre_delete.connect(keep_gifs, sender=Attachment)
    try:
        assert await in_steps(forget_unsent()) == 3
    finally:
        pre_delete.disconnect(keep_gifs, sender=Attachment)
    assert len(names(stored)) == 1
    assert "could not be deleted (RuntimeError × 1)" in caplog.text


async def test_the_sweep_removes_unsent_files(settings: Any, monkeypatch: pytest.MonkeyPatch, stored: Path) -> None:
    settings.STREAMING_UNSENT_FILE_SECONDS = settings.STREAMING_SWEEP_SECONDS = 0.05
    monkeypatch.setattr("streaming.supervisor.sweeper.SWEEPS_PER_PRUNING", 1)
    await upload(AsyncClient())
    current().ensure_sweeping()
    async with asyncio.timeout(10):
        while names(stored):  # noqa: ASYNC110  # the sweep tells nobody
            await asyncio.sleep(0.05)
    assert await Attachment.objects.acount() == 0
