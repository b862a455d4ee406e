"""Shared links: a frozen snapshot that whoever has the link can read, until its owner revokes it."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.signals import pre_delete
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from streaming.archive import FORMATS, bundles, forget_expired_shares, forget_revoked_links, prune
from streaming.database import in_steps
from streaming.intake import shares as intake
from streaming.models import Attachment, Conversation, Generation, RevokedLink, Share, StaffAccess
from streaming.models.shares import digest_of
from streaming.protocol import FilePart, OpaquePart, Part, ReasoningPart, TextPart, ToolApproval, ToolCall, ToolResult
from streaming.supervisor import current
from tests.pages import Script, active, answered, html, send, stored
from tests.pictures import PNG
from tests.responses import body_of
from tests.sent_files import PICTURE

pytestmark = pytest.mark.usefixtures("engine")

PARTS = (
    ReasoningPart(text="secret thought", signature="sig", raw={"a": "raw secret"}, duration_ms=2000),
    TextPart(text="A **bold** answer.", raw={"b": "raw secret"}),
    ToolCall(
        id="1",
        name="look_up",
        raw_arguments='{"q": "secret argument"}',
        arguments={"q": "secret argument"},
        is_complete=True,
    ),
    ToolApproval(call_id="1", is_approved=True, reason="secret reason"),
    ToolResult(call_id="1", output="secret result"),
    ToolCall(id="2", name="wait", raw_arguments="{}", arguments={}, is_complete=True),
    ToolApproval(call_id="2"),
    FilePart(media_type="image/png", url="data:image/png;base64,secretfile", filename="secret.png"),
    OpaquePart(raw={"c": "secret block"}),
)


@pytest.fixture
def client(settings: Any) -> AsyncClient:
    settings.STREAMING_SHARES = True
    return AsyncClient()


async def make(client: AsyncClient, key: str = "c1", **options: Any) -> Any:
    return await client.post(f"/api/chat/{key}/shares", json.dumps(options), content_type="application/json")


async def made(client: AsyncClient, **options: Any) -> str:
    """The path of a new link."""
    response = await make(client, **options)
    assert response.status_code == 201, html(response)
    address: str = response.json()["url"]
    assert address.startswith("http://testserver/shared/")
    return address.removeprefix("http://testserver")


async def read(path: str) -> str:
    """Returns the page as somebody reads it who has nothing but the link."""
    response = await AsyncClient().get(path)
    assert response.status_code == 200, html(response)
    return html(response)


async def test_whoever_has_the_link_reads_the_snapshot_as_the_page_shows_it(client: AsyncClient) -> None:
    await stored(client, *PARTS)
    page = await read(await made(client))
    assert "<strong>bold</strong>" in page
    assert "Hello" in page  # the question
    assert "secret" not in page
    assert "chat-composer" not in page
    assert "chat-regenerate" not in page
    row = await Share.objects.aget()
    assert "secret" not in json.dumps(row.messages)


@pytest.mark.parametrize(
    ("choice", "shown", "hidden"),
    [
        ("reasoning", ["secret thought"], ["argument", "result", "secret.png"]),
        ("tools", ["secret argument", "secret result"], ["thought", "secret.png"]),
        ("files", ["secret.png"], ["thought", "argument"]),
    ],
)
async def test_what_is_not_chosen_is_not_even_stored(client: AsyncClient, choice: str, shown: Any, hidden: Any) -> None:
    await stored(client, *PARTS)
    page = await read(await made(client, **{choice: True}))
    row = json.dumps((await Share.objects.aget()).messages)
    assert [word for word in shown if word not in page] == []
    never = [*hidden, "raw secret", "secret reason", "secret block", "secretfile", "sig", "wait"]
    assert [
        word for word in never if re.search(rf"\b{word}\b", page.partition("chat-messages")[2]) or word in row
    ] == []


async def test_the_snapshot_is_frozen(client: AsyncClient) -> None:
    await answered(client, "First question")
    path = await made(client)
    before = await read(path)
    await answered(client, "Second question")
    await client.patch("/api/chat/c1", '{"title": "Another title"}', content_type="application/json")
    after = await read(path)
    assert "Second question" not in after
    assert "Another title" not in after
    assert before == after


async def test_nobody_keeps_or_finds_the_page(client: AsyncClient) -> None:
    await answered(client)
    path = await made(client)
    for response in (await AsyncClient().get(path), await AsyncClient().get("/shared/nobody/")):
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert "Set-Cookie" not in response.headers
        assert not response.cookies
    assert '<meta name="robots" content="noindex, nofollow">' in await read(path)
    assert (await AsyncClient().post(path)).status_code == 405


async def test_the_token_is_stored_as_a_digest_only(client: AsyncClient) -> None:
    await answered(client)
    token = (await made(client)).split("/")[2]
    assert len(token) >= 32  # 24 bytes: 192 bits
    row = await Share.objects.aget()
    assert row.digest == digest_of(token)
    assert token not in str(row.__dict__)
    listed = (await client.get("/api/chat/c1/shares")).json()["shares"]
    assert token not in json.dumps(listed)
    assert (listed[0]["id"], listed[0]["opened"]) == (str(row.pk), 0)
    assert (await AsyncClient().get(f"/shared/{row.digest}/")).status_code == 404


async def test_a_link_ends(client: AsyncClient) -> None:
    await answered(client)
    path = await made(client, days=7)
    await read(path)
    await Share.objects.aupdate(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    gone = await AsyncClient().get(path)
    assert (gone.status_code, "does not work" in html(gone)) == (404, True)
    assert (await client.get("/api/chat/c1/shares")).json() == {"shares": []}
    assert await in_steps(forget_expired_shares()) == 1
    assert not await Share.objects.aexists()


ENTRY = {"role": "user", "at": "2026-01-01T00:00:00+00:00", "parts": []}


@pytest.mark.parametrize(
    "odd", [{}, "text", 5, [5], [ENTRY | {"at": "2026-13-01"}], [ENTRY | {"role": 5}], [{"role": "user"}]], ids=str
)
async def test_a_snapshot_that_cannot_be_read_is_said_to_be_so(client: AsyncClient, odd: Any) -> None:
    await answered(client)
    path = await made(client, files=True)
    await Share.objects.aupdate(messages=odd)
    response = await AsyncClient().get(path)
    assert (response.status_code, "cannot be read" in html(response)) == (200, True)
    assert (await AsyncClient().get(f"{path}files/{uuid.uuid4()}")).status_code == 404


@pytest.mark.parametrize("parts", [[5], [{"type": "hologram"}], [[]]])
async def test_parts_that_cannot_be_read_are_left_out(client: AsyncClient, parts: Any) -> None:
    await answered(client)
    path = await made(client)
    await Share.objects.aupdate(messages=[ENTRY | {"parts": [*parts, {"type": "text", "text": "Hello."}]}])
    assert "Hello." in html(await AsyncClient().get(path))


async def test_snapshots_are_deleted_without_being_read(client: AsyncClient) -> None:
    def forget() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            assert sum(forget_expired_shares()) == 1
        return [query["sql"] for query in asked]

    await answered(client)
    await made(client, days=7)
    await Share.objects.aupdate(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert [sql for sql in await sync_to_async(forget)() if '"messages"' in sql] == []


@pytest.mark.parametrize("at_once", [1, 20])
async def test_a_link_that_cannot_be_deleted_keeps_no_other(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    def keep_first(instance: Share, **kwargs: Any) -> None:
        if instance.pk == first.pk:
            raise RuntimeError("legal hold")

    await answered(client)
    for _ in range(2):
        await made(client, days=7)
    first, _second = [share async for share in Share.objects.order_by("-created_at")]
    monkeypatch.setattr("streaming.archive.leftovers.SHARES_PER_DELETION", at_once)
    await Share.objects.aupdate(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    pre_delete.connect(keep_first, sender=Share)
    try:
        assert await in_steps(forget_expired_shares()) == 1
    finally:
        pre_delete.disconnect(keep_first, sender=Share)
    assert await Share.objects.aget() == first


@pytest.mark.parametrize(
    ("days", "status"), [(1, 201), (30, 201), (None, 201), (31, 400), (0, 400), (-1, 400), ("x", 400)]
)
async def test_the_site_may_limit_the_days(client: AsyncClient, settings: Any, days: Any, status: int) -> None:
    settings.STREAMING_SHARE_DAYS = 30
    await answered(client)
    assert (await make(client, days=days)).status_code == status
    if status == 201:
        assert (await Share.objects.aget()).expires_at is not None


async def test_the_owner_revokes_one_or_all(client: AsyncClient) -> None:
    await answered(client)
    paths = [await made(client) for _ in range(3)]
    [*_, oldest] = (await client.get("/api/chat/c1/shares")).json()["shares"]
    assert (await client.delete(f"/api/chat/c1/shares/{oldest['id']}")).status_code == 204
    assert (await client.delete(f"/api/chat/c1/shares/{oldest['id']}")).status_code == 404
    assert [(await AsyncClient().get(path)).status_code for path in paths] == [404, 200, 200]
    assert (await client.delete("/api/chat/c1/shares")).status_code == 204
    assert [(await AsyncClient().get(path)).status_code for path in paths] == [404, 404, 404]


async def test_nobody_else_makes_lists_or_revokes(client: AsyncClient) -> None:
    await answered(client)
    path = await made(client)
    share = (await client.get("/api/chat/c1/shares")).json()["shares"][0]["id"]
    stranger = AsyncClient()
    await answered(stranger, key="own")
    assert (await make(stranger)).status_code == 404
    assert (await stranger.get("/api/chat/c1/shares")).status_code == 404
    for address in ("/api/chat/c1/shares", f"/api/chat/c1/shares/{share}", f"/api/chat/own/shares/{share}"):
        assert (await stranger.delete(address)).status_code == 404
    assert (await stranger.get("/chat/c1/shares/")).status_code == 404
    cross = await client.post(
        "/api/chat/c1/shares", "{}", content_type="application/json", headers={"Origin": "http://x"}
    )
    assert cross.status_code == 403
    await read(path)


async def test_it_is_off_by_default(client: AsyncClient, settings: Any) -> None:
    await answered(client)
    path = await made(client)
    del settings.STREAMING_SHARES
    for response in (await make(client), await client.get("/api/chat/c1/shares"), await AsyncClient().get(path)):
        assert response.status_code == 404
    assert (await client.get("/chat/c1/shares/")).status_code == 404
    assert "Share…" not in html(await client.get("/"))
    assert (await client.delete("/api/chat/c1/shares")).status_code == 204


async def test_it_goes_with_its_conversation_and_its_owner(client: AsyncClient) -> None:
    await answered(client, key="c1")
    await answered(client, key="c2")
    await make(client, "c1")
    await make(client, "c2")
    assert (await client.delete("/api/chat/c1")).status_code == 204
    assert [one.conversation_id async for one in Share.objects.all()] == [(await Conversation.objects.aget()).pk]
    await sync_to_async(lambda: list(prune(Conversation.objects.all())))()
    assert not await Share.objects.aexists()
    user = await sync_to_async(get_user_model().objects.create_user)("ada")
    await client.aforce_login(user)
    await answered(client, key="c3")
    await make(client, "c3")
    await user.adelete()
    assert not await Share.objects.aexists()


async def test_an_answer_that_is_being_written_is_not_shared(client: AsyncClient, scripted: Script) -> None:
    await active(client, scripted)
    page = await read(await made(client))
    assert "Hello" in page
    assert "one two" not in page
    await client.post("/api/chat/c1/stop")
    await current().idle()


async def test_an_answer_that_broke_off_says_why(client: AsyncClient) -> None:
    await stored(client, TextPart(text="Half"), status="failed", error_code="timeout")
    assert "took too long" in await read(await made(client))


async def test_what_the_site_redacts_today_is_redacted_in_old_links(client: AsyncClient, settings: Any) -> None:
    await stored(client, *PARTS)
    path = await made(client, reasoning=True, tools=True, files=True)
    assert "secret argument" in await read(path)
    settings.STREAMING_REDACT = "tests.views.test_shares.without_secrets"
    page = await read(path)
    assert "secret" not in page.partition("chat-messages")[2]
    assert "Xello" in page


def without_secrets(part: Part) -> Part | None:
    if isinstance(part, TextPart):
        return TextPart(text=part.text.replace("Hello", "Xello"))
    return None


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


async def _with_picture(client: AsyncClient) -> Attachment:
    body = {"id": "c1", "prompt": "Look", "files": [PICTURE]}
    assert (await client.post("/api/chat", json.dumps(body), content_type="application/json")).status_code == 200
    await current().idle()
    return await Attachment.objects.aget()


async def test_files_are_served_behind_the_link_only_if_chosen(client: AsyncClient, files: None) -> None:
    attachment = await _with_picture(client)
    without, with_files = await made(client), await made(client, files=True)
    assert "cat.png" not in await read(without)
    page = await read(with_files)
    [address] = set(re.findall(r'src="(/shared/[^"]+)"', page))
    assert str(attachment.pk) in address
    response = await AsyncClient().get(address)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/png")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert await body_of(response) == PNG
    assert (await AsyncClient().get(f"{without}files/{attachment.pk}")).status_code == 404
    await client.delete("/api/chat/c1/shares")
    assert (await AsyncClient().get(address)).status_code == 404


async def test_the_page_makes_and_revokes_without_a_script(client: AsyncClient) -> None:
    await answered(client)
    assert "Share…" in html(await client.get("/"))
    page = html(await client.post("/chat/c1/shares/", {"make": "1", "days": "7"}))
    [address] = re.findall(r'value="http://testserver(/shared/[^"]+)"', page)
    await read(address)
    assert "opened 1 time" in html(await client.get("/chat/c1/shares/"))
    row = await Share.objects.aget()
    assert round((row.expires_at - row.created_at) / datetime.timedelta(days=1)) == 7
    page = html(await client.post("/chat/c1/shares/", {"revoke": str(row.pk)}))
    assert "There are no shared links." in page
    assert (await AsyncClient().get(address)).status_code == 404
    assert (await client.post("/chat/c1/shares/", {"revoke": "x"})).status_code == 404
    strict = AsyncClient(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert (await strict.post("/chat/c1/shares/", {"make": "1"})).status_code == 403


async def test_a_form_that_is_sent_again_makes_no_second_link(client: AsyncClient) -> None:
    await answered(client)
    [token] = re.findall(r'name="token" value="([^"]+)"', html(await client.get("/chat/c1/shares/")))
    pages = [html(await client.post("/chat/c1/shares/", {"make": "1", "token": token})) for _ in range(2)]
    links = [re.findall(r'value="http://testserver(/shared/[^"]+)"', page) for page in pages]
    assert links[0] == links[1]
    assert await Share.objects.acount() == 1
    await answered(client, "c2")
    page = html(await client.post("/chat/c2/shares/", {"make": "1", "token": token}))
    assert re.findall(r'value="http://testserver(/shared/[^"]+)"', page) != links[0]
    await Share.objects.exclude(conversation__key="c1").adelete()
    await client.post("/chat/c1/shares/", {"make": "1", "token": "one of my own"})
    assert await Share.objects.acount() == 2
    assert not await Share.objects.behind("one of my own").aexists()


async def form_token(client: AsyncClient) -> str:
    [token] = re.findall(r'name="token" value="([^"]+)"', html(await client.get("/chat/c1/shares/")))
    return token


def staff_revokes(share: Share) -> None:
    user = get_user_model().objects.create_superuser("root")
    staff = Client()
    staff.force_login(user)
    asked = {"action": "revoke_selected", "_selected_action": [str(share.pk)]}
    assert staff.post(reverse("admin:streaming_share_changelist"), asked).status_code == 302


@pytest.mark.parametrize("by", ["form", "api", "api, all", "staff"])
async def test_a_form_that_is_sent_again_does_not_bring_a_revoked_link_back(client: AsyncClient, by: str) -> None:
    """A browser offers to send it again when its person goes back."""
    await answered(client)
    token = await form_token(client)
    [link] = re.findall(r'value="http://testserver(/shared/[^"]+)"', html(await send_form(client, token)))
    row = await Share.objects.aget()
    if by == "form":
        await client.post("/chat/c1/shares/", {"revoke": str(row.pk)})
    elif by == "staff":
        await sync_to_async(staff_revokes)(row)
    else:
        await client.delete("/api/chat/c1/shares" + ("" if by.endswith("all") else f"/{row.pk}"))
    refused = await send_form(client, token)
    assert (refused.status_code, "has been revoked" in html(refused)) == (409, True)
    assert not await Share.objects.aexists()
    assert (await AsyncClient().get(link)).status_code == 404
    [fresh] = re.findall(r'name="token" value="([^"]+)"', html(refused))
    assert (await send_form(client, fresh)).status_code == 200
    assert await Share.objects.acount() == 1


async def send_form(client: AsyncClient, token: str) -> Any:
    return await client.post("/chat/c1/shares/", {"make": "1", "token": token})


async def test_a_form_of_yesterday_makes_a_link_of_its_own(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest of its first link may be forgotten by now."""
    await answered(client)
    token = await form_token(client)
    first = await send_form(client, token)
    await Share.objects.all().adelete()
    monkeypatch.setattr("streaming.views.shares.FORM_SECONDS", -1)
    links = [
        re.findall(r'value="http://testserver(/shared/[^"]+)"', html(page))
        for page in (first, await send_form(client, token))
    ]
    assert links[0] != links[1]


async def test_digests_of_revoked_links_are_forgotten_after_their_forms(client: AsyncClient) -> None:
    await answered(client)
    await made(client)
    await client.delete("/api/chat/c1/shares")
    assert (await in_steps(forget_revoked_links()), await RevokedLink.objects.acount()) == (0, 1)
    await RevokedLink.objects.aupdate(created_at=timezone.now() - datetime.timedelta(days=3))
    assert (await in_steps(forget_revoked_links()), await RevokedLink.objects.acount()) == (1, 0)


async def test_the_number_of_links_is_limited(client: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await answered(client)
    monkeypatch.setattr(intake, "MAX_SHARES_PER_HOUR", 2)
    assert [(await make(client)).status_code for _ in range(3)] == [201, 201, 429]
    monkeypatch.setattr(intake, "MAX_SHARES_PER_OWNER", 2)
    response = await make(client)
    assert (response.status_code, "Revoke one" in html(response)) == (429, True)


async def test_nothing_to_share_is_told(client: AsyncClient) -> None:
    await answered(client)
    await Conversation.objects.aupdate(active_leaf=None)
    assert (await make(client)).status_code == 409
    assert (await make(client, "nothing")).status_code == 404


async def test_an_archive_has_no_shared_links(client: AsyncClient) -> None:
    await answered(client)
    before = await sync_to_async(lambda: "".join(FORMATS["jsonl"](bundles(Conversation.objects.all()))))()
    token = await made(client)
    after = await sync_to_async(lambda: "".join(FORMATS["jsonl"](bundles(Conversation.objects.all()))))()
    assert before == after
    assert token not in after


async def test_staff_see_links_without_content_and_revoke_them(client: AsyncClient) -> None:
    await answered(client, "My private question")
    path = await made(client)
    root = await sync_to_async(get_user_model().objects.create_superuser)("root")
    staff = AsyncClient()
    await staff.aforce_login(root)
    row = await Share.objects.aget()
    changelist = reverse("admin:streaming_share_changelist")
    for address in (changelist, reverse("admin:streaming_share_change", args=[row.pk])):
        response = await staff.get(address)
        assert (response.status_code, "private question" in html(response)) == (200, False)
    for guess in (
        "title__startswith=My",
        "messages__icontains=private",
        f"digest={row.digest}",
        "conversation__title=My",
    ):
        assert (await staff.get(f"{changelist}?{guess}")).status_code in (302, 400), guess
    await staff.post(changelist, {"action": "revoke_selected", "_selected_action": str(row.pk)})
    assert (await AsyncClient().get(path)).status_code == 404
    log = await StaffAccess.objects.aget(action="revoke")
    assert (log.username, log.kind, log.object_id) == ("root", "share", str(row.pk))


async def test_a_reader_without_the_right_cannot_revoke_in_the_admin(client: AsyncClient) -> None:
    await answered(client)
    await made(client)
    row = await Share.objects.aget()
    reader = await sync_to_async(get_user_model().objects.create_user)("reader", is_staff=True)
    staff = AsyncClient()
    await staff.aforce_login(reader)
    changelist = reverse("admin:streaming_share_changelist")
    assert (await staff.get(changelist)).status_code == 403
    await staff.post(changelist, {"action": "revoke_selected", "_selected_action": str(row.pk)})
    assert await Share.objects.aexists()


async def test_a_message_that_says_a_great_deal_is_shared_whole(client: AsyncClient) -> None:
    text = "word " * 6000
    await send(client, text)
    await current().idle()
    page = await read(await made(client))
    assert text.strip() in page
    assert await Generation.objects.acount() == 1


@pytest.mark.parametrize("days", ["99999", "999999", "-1", "0", "1.5", "x", "²"])
async def test_form_with_no_possible_number_of_days_makes_no_endless_link(client: AsyncClient, days: str) -> None:
    await answered(client)
    assert (await client.post("/chat/c1/shares/", {"make": "1", "days": days})).status_code == 400
    assert not await Share.objects.aexists()
