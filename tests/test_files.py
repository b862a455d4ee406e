"""Files that people send: what is taken in, who may see it, what providers are sent, and when it goes."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.test import AsyncClient
from django.utils import timezone

from streaming.chat import start_chat
from streaming.database import in_database
from streaming.errors import BadRequest, Conflict, Overloaded, RequestError, TooLarge, UnsupportedFile
from streaming.files import forget_unsent
from streaming.files.addresses import id_served_at
from streaming.files.kinds import media_type_of
from streaming.intake import Submission, submission_of
from streaming.models import Attachment, Conversation, Generation, Message
from streaming.protocol.parts import FilePart, TextPart, Turn
from streaming.providers import get_provider
from streaming.supervisor import current
from tests.engine import ALICE, BOB
from tests.pages import Script, html, visible
from tests.pictures import GIF, HTML, PDF, PNG, SVG, data_url, png

pytestmark = pytest.mark.usefixtures("engine")
PICTURE = {"type": "file", "mediaType": "image/png", "filename": "cat.png", "url": data_url(PNG)}


@pytest.fixture(autouse=True)
def stored(settings: Any, tmp_path: Path) -> Path:
    """Where the files are."""
    settings.MEDIA_ROOT = str(tmp_path)
    settings.STREAMING_ALLOW_ANONYMOUS = True
    return tmp_path / "streaming"


def names(stored: Path) -> list[str]:
    return sorted(path.name for path in stored.iterdir()) if stored.exists() else []


def picture(content: bytes = PNG, **fields: Any) -> FilePart:
    return FilePart(media_type="image/png", url=data_url(content), **({"filename": "cat.png"} | fields))


async def submit(
    prompt: str = "Hi", *files: FilePart, key: str = "c1", owner: Any = ALICE, **fields: Any
) -> Generation:
    generation = await current().submit(owner, Submission(key=key, prompt=prompt, files=files, **fields))
    await current().idle()
    return generation


async def upload(client: AsyncClient, content: bytes = PNG, name: str = "cat.png", kind: str = "image/png") -> Any:
    response = await post_file(client, content, name, kind)
    assert response.status_code == 201, response.content
    return response.json()


async def post_file(client: AsyncClient, content: bytes, name: str, kind: str) -> HttpResponse:
    return await client.post("/api/files", {"file": SimpleUploadedFile(name, content, kind)})


async def say(client: AsyncClient, *files: dict[str, Any], text: str = "What is it?", **fields: Any) -> HttpResponse:
    parts = [*files, *([{"type": "text", "text": text}] if text else [])]
    message = {"id": fields.pop("message_id", "m1"), "role": "user", "parts": parts}
    body = {"id": "c1", "messages": [message]} | fields
    response = await client.post("/api/chat", body, content_type="application/json")
    if response.status_code == 200:
        async for _ in response.streaming_content:
            pass
    return response


async def body_of(response: HttpResponse) -> bytes:
    """The whole body, with the response closed as a server closes it."""
    content = b"".join([chunk async for chunk in response.streaming_content])
    await sync_to_async(response.close)()
    return content


async def asked() -> tuple[Turn, ...]:
    """What the scripted provider was sent last."""
    turns: tuple[Turn, ...] = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    return turns


# --- what a file is


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
def test_bytes_say_what_they_are(content: bytes, claimed: str, found: str) -> None:
    assert media_type_of(content, claimed) == found


def test_text_keeps_the_name_that_the_site_gives_it(settings: Any) -> None:
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
def test_a_table_is_text_also_where_windows_calls_it_a_spreadsheet(content: bytes, name: str, found: str) -> None:
    assert media_type_of(content, "application/vnd.ms-excel", name) == found


@pytest.mark.parametrize(
    ("content", "claimed"), [(b"GIF8", "image/gif"), (HTML, "image/png"), (b"\xff\xfeh\x00", "text/plain")]
)
def test_a_file_that_is_not_what_it_is_called_is_refused(content: bytes, claimed: str) -> None:
    with pytest.raises(UnsupportedFile, match=f"is called {claimed}, but"):
        media_type_of(content, claimed)


@pytest.mark.parametrize("prefix", ["", "/sites/chat%20room"])
def test_addresses_are_known_wherever_the_app_is_mounted(prefix: str) -> None:
    pk = uuid.uuid4()
    assert id_served_at(f"{prefix}/api/files/{pk}") == pk
    for other in (
        f"https://example.org/api/files/{pk}",
        f"//example.org/api/files/{pk}",
        f"/api/files/{pk}?x",
        "/api/files/x",
    ):
        assert id_served_at(other) is None


# --- sent as the stock client does, inside the message


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


async def test_the_provider_is_sent_the_bytes_and_sent_them_again_as_history() -> None:
    client = AsyncClient()
    await say(client, PICTURE)
    shown = FilePart(media_type="image/png", url=data_url(PNG), filename="cat.png")
    assert [turn.parts for turn in await asked()] == [(shown, TextPart(text="What is it?"))]
    await say(client, text="And now?", message_id="m2")
    assert (await asked())[0].parts[0] == shown


async def test_files_without_text_are_a_message() -> None:
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


async def test_a_storage_that_fails_is_told_and_leaves_nothing(stored: Path) -> None:
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


async def test_code_may_send_files_too() -> None:
    answer = await start_chat("What is it?", files=[picture()])
    assert (await answer.result()).status == "finished"
    assert (await asked())[0].parts[0] == picture()


# --- uploaded first


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


async def test_a_prompt_may_have_files_too() -> None:
    client = AsyncClient()
    given = await upload(client)
    body = {"prompt": "What is it?", "files": [{"url": given["url"]}]}
    response = await client.post("/api/chat", body, content_type="application/json")
    await body_of(response)
    assert (await asked())[0].parts[0] == picture()


@pytest.mark.parametrize("url", ["https://example.org/cat.png", "http://169.254.169.254/", "file:///etc/passwd", ""])
async def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadRequest, match="not fetched"):
        await submit("Look", FilePart(media_type="image/png", url=url))
    assert await Message.objects.acount() == 0


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


@pytest.mark.parametrize(
    ("origin", "status"),
    [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "https://evil.example"}, 403), ({}, 201)],
)
async def test_uploads_of_other_sites_are_refused(origin: dict[str, str], status: int) -> None:
    response = await AsyncClient().post("/api/files", {"file": SimpleUploadedFile("a.png", PNG)}, headers=origin)
    assert response.status_code == status


async def test_uploads_need_somebody_who_may_chat(settings: Any) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = False
    response = await post_file(AsyncClient(), PNG, "a.png", "image/png")
    assert response.status_code == 401


@pytest.mark.parametrize("fields", [{}, {"file": "text"}, {"picture": BytesIO(PNG)}])
async def test_an_upload_without_its_one_file_says_what_is_wanted(fields: dict[str, Any]) -> None:
    response = await AsyncClient().post("/api/files", fields)
    assert (response.status_code, b"the field 'file'" in response.content) == (400, True)


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("a.js", "text/javascript", "text/plain"),
        ("a.tsv", "text/tab-separated-values", "text/plain"),
        ("a.csv", "application/vnd.ms-excel", "text/csv"),
    ],
)
async def test_every_text_that_the_page_lets_people_choose_is_taken(name: str, kind: str, found: str) -> None:
    uploaded = await upload(AsyncClient(), b"a\tb", name, kind)
    assert (uploaded["mediaType"], uploaded["filename"]) == (found, name)


# --- limits


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
async def test_an_upload_that_is_not_accepted_is_told_why(
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
async def test_a_data_url_that_is_not_accepted_is_told_why(
    settings: Any, stored: Path, url: str, error: type[RequestError], reason: str
) -> None:
    settings.STREAMING_MAX_FILE_BYTES = 1000
    with pytest.raises(error, match=reason):
        await submit("Hi", picture(), FilePart(media_type=url[5:].partition(";")[0], url=url))
    assert names(stored) == []
    assert await Message.objects.acount() == await Attachment.objects.acount() == 0


async def test_a_message_may_have_so_many_files(settings: Any, stored: Path) -> None:
    settings.STREAMING_MAX_FILES_PER_MESSAGE = 2
    with pytest.raises(TooLarge, match="has 3 files; at most 2 are accepted"):
        await submit("Hi", *[picture()] * 3)
    assert names(stored) == []
    await submit("Hi", *[picture()] * 2)


async def test_an_owner_may_keep_so_many_bytes(settings: Any) -> None:
    settings.STREAMING_MAX_FILE_BYTES_PER_OWNER = 2 * len(PNG)
    await submit("Hi", picture(), picture())
    with pytest.raises(TooLarge, match="keeps for one person"):
        await submit("Hi", picture(png(colour=(200, 120, 60))))
    await submit("Hi", picture(), owner=BOB)


async def test_a_body_that_django_refuses_is_told_the_way_on(settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = await say(AsyncClient(), PICTURE | {"url": data_url(PNG * 20)})
    assert response.status_code == 413
    assert "send files to api/files first" in html(response)


@pytest.mark.parametrize(
    "files", ["x", [7], [{"mediaType": "image/png"}], [{"url": 7}], [{"url": "/x", "filename": 7}]]
)
def test_files_that_cannot_be_read_are_refused(files: Any) -> None:
    with pytest.raises(BadRequest, match=r"'files'|A file needs"):
        submission_of({"prompt": "x", "files": files})


# --- who may see it


async def test_only_its_owner_and_staff_who_may_read_messages_see_a_file() -> None:
    alice, bob = AsyncClient(), AsyncClient()
    given = await upload(alice)
    await upload(bob)
    assert await body_of(await alice.get(given["url"])) == PNG
    assert (await bob.get(given["url"])).status_code == 404
    assert (await AsyncClient().get(given["url"])).status_code == 404
    assert (await alice.get("/api/files/00000000-0000-4000-8000-000000000000")).status_code == 404
    staff = await get_user_model().objects.acreate_user("staff", is_staff=True)
    await alice.aforce_login(staff)
    assert (await alice.get(given["url"])).status_code == 404
    await staff.user_permissions.aadd(await Permission.objects.aget(codename="view_message"))
    assert await body_of(await alice.get(given["url"])) == PNG


async def test_a_file_is_served_so_that_nothing_in_it_can_run() -> None:
    client = AsyncClient()
    text = await upload(client, b"<script>alert(1)</script>", 'a"\r\n/b.txt', "text/plain")
    response = await client.get(text["url"])
    assert len(await body_of(response)) == 25
    assert {name: response.headers[name] for name in ("Content-Type", "Content-Disposition", "Content-Length")} == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Disposition": 'attachment; filename="b.txt"',
        "Content-Length": "25",
    }
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-cache",
    }.items():
        assert response.headers[name] == value
    for content, name, disposition in ((PNG, "a.png", "inline"), (PDF, "a.pdf", "attachment")):
        response = await client.get((await upload(client, content, name))["url"])
        assert await body_of(response) == content
        assert response.headers["Content-Disposition"] == f'{disposition}; filename="{name}"'


async def test_a_browser_that_has_the_file_is_told_so() -> None:
    client = AsyncClient()
    url = (await upload(client))["url"]
    whole = await client.get(url)
    assert await body_of(whole) == PNG
    etag = whole.headers["ETag"]
    response = await client.get(url, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert (await AsyncClient().get(url, headers={"If-None-Match": etag})).status_code == 404


async def test_a_file_that_its_storage_lost_is_not_found_and_the_conversation_goes_on(stored: Path) -> None:
    client = AsyncClient()
    await say(client, PICTURE)
    (stored / names(stored)[0]).unlink()
    assert (await client.get(f"/api/files/{(await Attachment.objects.aget()).pk}")).status_code == 404
    await say(client, text="Still there?", message_id="m2")
    assert (await asked())[0].parts[0] == TextPart(text="[The file cat.png (image/png) is not shown.]\n\n")


# --- edits, regenerated answers, ends


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


async def test_a_deletion_that_is_taken_back_removes_no_file(stored: Path) -> None:
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
    await in_database(forget_unsent)
    kinds = [kind async for kind in Attachment.objects.order_by("media_type").values_list("media_type", flat=True)]
    assert kinds == ["application/pdf", "image/gif"]
    assert len(names(stored)) == 2


async def test_the_sweep_looks_for_them(settings: Any, monkeypatch: pytest.MonkeyPatch, stored: Path) -> None:
    settings.STREAMING_UNSENT_FILE_SECONDS = settings.STREAMING_SWEEP_SECONDS = 0.05
    monkeypatch.setattr("streaming.supervisor.sweeper.SWEEPS_PER_PRUNING", 1)
    await upload(AsyncClient())
    current().ensure_sweeping()
    async with asyncio.timeout(10):
        while names(stored):  # noqa: ASYNC110  # the sweep tells nobody
            await asyncio.sleep(0.05)
    assert await Attachment.objects.acount() == 0


# --- what providers take


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


async def test_earlier_files_that_another_model_does_not_take_are_named(scripted: Script) -> None:
    await submit("What is it?", picture())
    scripted(takes=["text/*"])
    await submit("And in words?")
    assert (await asked())[0].parts[0] == TextPart(text="[The file cat.png (image/png) is not shown.]\n\n")


async def test_the_newest_files_are_sent_and_older_ones_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.files.for_provider.MAX_REQUEST_BYTES", 2 * len(PNG))
    for number in range(3):
        await submit(f"Number {number}", picture(filename=f"{number}.png"))
    sent = [part for turn in await asked() for part in turn.parts if isinstance(part, FilePart)]
    assert [part.filename for part in sent] == ["1.png", "2.png"]


async def test_an_answer_that_names_a_file_of_others_is_not_sent_it() -> None:
    await submit("Mine", picture(), owner=BOB, key="theirs")
    theirs = await Attachment.objects.aget()
    await submit("Hi")
    answer = await Message.objects.aget(role="assistant", conversation__key="c1")
    answer.set_parts((FilePart(media_type="image/png", url=f"attachment:{theirs.pk}"), TextPart(text="Look.")))
    await answer.asave()
    await submit("And?")
    assert "base64" not in str(await asked())


# --- pages


async def test_a_form_sends_files_and_the_page_shows_them(stored: Path) -> None:
    client = AsyncClient()
    files = [SimpleUploadedFile("cat.png", PNG, "image/png"), SimpleUploadedFile("notes.txt", b"Notes", "text/plain")]
    for _ in range(2):
        for file in files:
            file.seek(0)
        response = await client.post("/chat/c1/send/", {"prompt": "", "client_id": "m1", "files": files})
        assert response.status_code == 303, html(response)
    await current().idle()
    assert len(names(stored)) == 2
    page = visible(html(await client.get("/chat/c1/")))
    urls = {attachment.name: f"/api/files/{attachment.pk}" async for attachment in Attachment.objects.all()}
    assert f'<img src="{urls["cat.png"]}" alt="cat.png"' in page
    assert f'href="{urls["notes.txt"]}">notes.txt</a>' in page
    assert 'enctype="multipart/form-data"' in page


async def test_a_form_with_a_file_that_is_refused_says_why(settings: Any, stored: Path) -> None:
    settings.STREAMING_MAX_FILE_BYTES = 10
    response = await AsyncClient().post("/chat/c1/send/", {"prompt": "Look", "files": SimpleUploadedFile("a.png", PNG)})
    assert response.status_code == 413
    page = visible(html(response))
    assert "at most 10 are accepted" in page
    assert ">Look</textarea>" in page
    assert names(stored) == []


async def test_staff_see_pictures_and_links() -> None:
    await submit("Hi", picture(), FilePart(media_type="text/plain", url=data_url(b"Notes"), filename="notes.txt"))
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(get_user_model().objects.create_superuser)("root"))
    page = html(await client.get(f"/admin/streaming/conversation/{(await Conversation.objects.aget()).pk}/change/"))
    urls = {attachment.name: f"/api/files/{attachment.pk}" async for attachment in Attachment.objects.all()}
    assert f'cat.png<img src="{urls["cat.png"]}" alt=""' in page
    assert f'<a href="{urls["notes.txt"]}" target="_blank" rel="noopener">notes.txt</a>' in page
