"""A provider is sent the bytes of the files that it takes, and the names of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import AsyncClient

from streaming.models import Attachment, Message
from streaming.protocol import FilePart, TextPart
from tests.engine import BOB, Script
from tests.pages import html
from tests.pictures import PNG, data_url
from tests.sent_files import PICTURE, asked, names, picture, say, submit

pytestmark = pytest.mark.usefixtures("engine", "stored")


async def test_the_provider_is_sent_the_bytes_with_each_request() -> None:
    client = AsyncClient()
    await say(client, PICTURE)
    shown = FilePart(media_type="image/png", url=data_url(PNG), filename="cat.png")
    assert [turn.parts for turn in await asked()] == [(shown, TextPart(text="What is it?"))]
    await say(client, text="And now?", message_id="m2")
    assert (await asked())[0].parts[0] == shown


async def test_a_file_that_the_model_does_not_take_is_refused_before_the_stream(scripted: Script, stored: Path) -> None:
    client = AsyncClient()
    scripted(takes=["text/*"])
    response = await say(client, PICTURE)
    assert (response.status_code, html(response)) == (
        415,
        "The model does not take files of the type image/png; it takes: text/*.",
    )
    assert (await Message.objects.acount(), names(stored)) == (0, [])
    scripted(takes=[])
    assert html(await say(client, PICTURE)).endswith("it takes: no files.")
    assert 'type="file"' not in html(await client.get("/"))


async def test_earlier_files_that_the_model_does_not_take_are_named(scripted: Script) -> None:
    await submit("What is it?", picture())
    scripted(takes=["text/*"])
    await submit("And in words?")
    assert (await asked())[0].parts[0] == TextPart(text="[The file cat.png (image/png) is not shown.]\n\n")


async def test_the_newest_files_are_sent_and_older_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.files.for_provider.MAX_REQUEST_BYTES", 2 * len(PNG))
    for number in range(3):
        await submit(f"Number {number}", picture(filename=f"{number}.png"))
    sent = [part for turn in await asked() for part in turn.parts if isinstance(part, FilePart)]
    assert [part.filename for part in sent] == ["1.png", "2.png"]


async def test_an_answer_that_names_the_file_of_another_owner_does_not_load_it() -> None:
    await submit("Mine", picture(), owner=BOB, key="theirs")
    theirs = await Attachment.objects.aget()
    await submit("Hi")
    answer = await Message.objects.aget(role="assistant", conversation__key="c1")
    answer.set_parts((FilePart(media_type="image/png", url=f"attachment:{theirs.pk}"), TextPart(text="Look.")))
    await answer.asave()
    await submit("And?")
    assert "base64" not in str(await asked())


async def test_a_file_that_its_storage_lost_is_not_found_and_the_conversation_goes_on(stored: Path) -> None:
    client = AsyncClient()
    await say(client, PICTURE)
    (stored / names(stored)[0]).unlink()
    assert (await client.get(f"/api/files/{(await Attachment.objects.aget()).pk}")).status_code == 404
    await say(client, text="Still there?", message_id="m2")
    assert (await asked())[0].parts[0] == TextPart(text="[The file cat.png (image/png) is not shown.]\n\n")
