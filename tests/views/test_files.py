"""The endpoint for files: who may upload and read them, and the headers with which they are served."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from streaming.errors import BadRequest
from streaming.intake import submission_of
from streaming.models import Attachment, StaffAccess
from streaming.supervisor import current
from tests.pages import html, visible
from tests.pictures import PDF, PNG, data_url
from tests.responses import body_of
from tests.sent_files import PICTURE, asked, names, picture, post_file, say, upload

pytestmark = pytest.mark.usefixtures("engine", "stored")


async def test_a_prompt_may_have_files() -> None:
    client = AsyncClient()
    given = await upload(client)
    body = {"prompt": "What is it?", "files": [{"url": given["url"]}]}
    response = await client.post("/api/chat", body, content_type="application/json")
    await body_of(response)
    assert (await asked())[0].parts[0] == picture()


@pytest.mark.parametrize(
    ("origin", "status"),
    [({"Sec-Fetch-Site": "cross-site"}, 403), ({"Origin": "https://evil.example"}, 403), ({}, 201)],
)
async def test_uploads_of_other_sites_are_refused(origin: dict[str, str], status: int) -> None:
    response = await AsyncClient().post("/api/files", {"file": SimpleUploadedFile("a.png", PNG)}, headers=origin)
    assert response.status_code == status


async def test_uploads_need_a_person_who_may_chat(settings: Any) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = False
    response = await post_file(AsyncClient(), PNG, "a.png", "image/png")
    assert response.status_code == 401


@pytest.mark.parametrize("fields", [{}, {"file": "text"}, {"picture": BytesIO(PNG)}])
async def test_an_upload_without_its_file_is_refused_with_the_reason(fields: dict[str, Any]) -> None:
    response = await AsyncClient().post("/api/files", fields)
    assert (response.status_code, b"the field 'file'" in response.content) == (400, True)


async def test_a_body_that_is_too_large_for_django_is_refused_with_advice(settings: Any) -> None:
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


async def test_only_its_owner_and_staff_who_may_read_messages_see_a_file() -> None:
    alice, bob = AsyncClient(), AsyncClient()
    given = await upload(alice)
    await upload(bob)
    assert await body_of(await alice.get(given["url"])) == PNG
    assert (await bob.get(given["url"])).status_code == 404
    assert (await AsyncClient().get(given["url"])).status_code == 404
    assert (await alice.get("/api/files/00000000-0000-4000-8000-000000000000")).status_code == 404
    staff = await get_user_model().objects.acreate_user("staff", is_staff=True)
    desk = AsyncClient()
    await desk.aforce_login(staff)
    assert (await desk.get(given["url"])).status_code == 404
    await staff.user_permissions.aadd(await Permission.objects.aget(codename="view_message"))
    assert await body_of(await desk.get(given["url"])) == PNG


async def test_look_of_staff_is_logged_and_needs_more_where_content_is_redacted(settings: Any) -> None:
    given = await upload(AsyncClient())
    staff, client = await get_user_model().objects.acreate_user("staff", is_staff=True), AsyncClient()
    await client.aforce_login(staff)
    await staff.user_permissions.aadd(await Permission.objects.aget(codename="view_message"))
    assert await body_of(await client.get(given["url"])) == PNG
    logged = await StaffAccess.objects.aget()
    assert (logged.username, logged.action, logged.object_id) == ("staff", "file", given["id"])
    settings.STREAMING_REDACT = "tests.admin.test_staff.hide"
    assert (await client.get(given["url"])).status_code == 404
    await staff.user_permissions.aadd(await Permission.objects.aget(codename="view_raw_events"))
    assert await body_of(await client.get(given["url"])) == PNG


class Bare:
    """A user of a site's own model, which has no staff and no permissions."""

    pk, is_authenticated, is_active = 7, True, True


def signs_in_bare(get_response: Any) -> Any:
    """A middleware that signs everybody in as such a user."""

    def respond(request: Any) -> Any:
        request.user = Bare()
        return get_response(request)

    return respond


async def test_people_of_a_model_without_staff_see_their_own_files(settings: Any) -> None:
    given = await upload(AsyncClient())
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.signs_in_bare"]
    client = AsyncClient()
    own = await upload(client)
    assert await body_of(await client.get(own["url"])) == PNG
    assert (await client.get(given["url"])).status_code == 404


async def test_a_file_is_served_with_headers_that_keep_code_from_running() -> None:
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


async def test_a_file_whose_loss_shows_only_when_it_is_read_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    client = AsyncClient()
    url = (await upload(client))["url"]

    def missing(self: Any, *args: Any) -> bytes:
        raise FileNotFoundError(self.name)

    monkeypatch.setattr("django.core.files.base.File.read", missing, raising=False)
    assert (await client.get(url)).status_code == 404


async def test_a_browser_that_has_the_file_gets_304() -> None:
    client = AsyncClient()
    url = (await upload(client))["url"]
    whole = await client.get(url)
    assert await body_of(whole) == PNG
    etag = whole.headers["ETag"]
    response = await client.get(url, headers={"If-None-Match": etag})
    assert (response.status_code, response.content) == (304, b"")
    assert (await AsyncClient().get(url, headers={"If-None-Match": etag})).status_code == 404


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


async def test_a_form_with_a_refused_file_shows_the_reason(settings: Any, stored: Path) -> None:
    settings.STREAMING_MAX_FILE_BYTES = 10
    response = await AsyncClient().post("/chat/c1/send/", {"prompt": "Look", "files": SimpleUploadedFile("a.png", PNG)})
    assert response.status_code == 413
    page = visible(html(response))
    assert "at most 10 are accepted" in page
    assert ">Look</textarea>" in page
    assert names(stored) == []


async def test_a_form_with_too_many_files_is_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.views.files._read", lambda file: pytest.fail("A file was read."))
    files = [SimpleUploadedFile(f"{number}.png", PNG) for number in range(6)]
    response = await AsyncClient().post("/chat/c1/send/", {"prompt": "Look", "files": files})
    assert response.status_code == 413
    assert "The message has 6 files; at most 5 are accepted." in html(response)
