"""A person's conversations as an API: list, search, change, delete, export; and the providers to choose from."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient
from django.utils import timezone

from streaming.models import Attachment, Conversation, Message
from streaming.protocol import ReasoningPart, TextPart, ToolCall, ToolResult
from streaming.supervisor import current
from streaming.views.listing import LISTED
from tests.pages import Script, active, answered, html, stored, visible

pytestmark = pytest.mark.usefixtures("engine")


async def entries(client: AsyncClient, query: str = "") -> list[dict[str, Any]]:
    response = await client.get(f"/api/chat{query}")
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()["conversations"]
    return found


async def change(client: AsyncClient, key: str, **changes: Any) -> Any:
    return await client.patch(f"/api/chat/{key}", json.dumps(changes), content_type="application/json")


async def test_the_list_is_the_owners_alone_and_newest_first(client: AsyncClient) -> None:
    await answered(client, "One", "c1")
    await answered(client, "Two", "c2")
    assert [(one["id"], one["title"]) for one in await entries(client)] == [("c2", "Two"), ("c1", "One")]
    assert await entries(AsyncClient()) == []
    assert (await AsyncClient().get("/api/chat")).headers["Cache-Control"] == "private, no-store"


async def test_the_list_has_pages(client: AsyncClient) -> None:
    await answered(client)
    owner = (await Conversation.objects.aget()).owner_key
    more = [Conversation(owner_key=owner, key=f"n{n}", title=f"{n}", provider="default") for n in range(LISTED)]
    await Conversation.objects.abulk_create(more)
    first = (await client.get("/api/chat")).json()
    assert (len(first["conversations"]), first["nextPage"]) == (LISTED, 2)
    second = (await client.get("/api/chat?page=2")).json()
    assert (len(second["conversations"]), second["nextPage"]) == (1, None)
    assert (await client.get("/api/chat?page=%00")).status_code == 200


async def test_conversations_of_one_moment_have_an_order(client: AsyncClient) -> None:
    """Without it, a row may be on two pages of the list and another one on none."""
    await answered(client)
    owner = (await Conversation.objects.aget()).owner_key
    more = [Conversation(owner_key=owner, key=f"n{n}", provider="default") for n in range(8)]
    await Conversation.objects.abulk_create(more)
    await Conversation.objects.all().aupdate(updated_at=timezone.now())
    rows = [row async for row in Conversation.objects.all()]
    wanted = [row.key for row in sorted(rows, key=lambda row: row.pk, reverse=True)]
    assert [one["id"] for one in await entries(client)] == wanted


@pytest.mark.parametrize(("query", "found"), [("ROME", ["c1"]), ("title", ["c2"]), ("%25", []), ("%00", []), ("", [2])])
async def test_titles_and_messages_are_searched(client: AsyncClient, query: str, found: list[Any]) -> None:
    await answered(client, "A first line\nabout Rome", "c1")
    await answered(client, "Other", "c2")
    await change(client, "c2", title="My title")
    listed = [one["id"] for one in await entries(client, f"?q={query}")]
    assert listed == found or [len(listed)] == found


async def test_the_list_says_what_is_being_answered(client: AsyncClient, scripted: Script) -> None:
    await active(client, scripted)
    assert [one["active"] for one in await entries(client)] == [True]
    assert "chat-busy" in html(await client.get("/"))
    await client.post("/api/chat/c1/stop")
    await current().idle()
    assert [one["active"] for one in await entries(client)] == [False]


async def test_a_title_is_changed_and_a_pinned_conversation_comes_first(client: AsyncClient) -> None:
    await answered(client, "One", "c1")
    await answered(client, "Two", "c2")
    before = (await Conversation.objects.aget(key="c1")).updated_at
    response = await change(client, "c1", title="  Very\n new ", pinned=True, extra=1)
    assert (response.status_code, response.json()["title"], response.json()["pinned"]) == (200, "Very new", True)
    assert [one["id"] for one in await entries(client)] == ["c1", "c2"]
    assert (await Conversation.objects.aget(key="c1")).updated_at == before
    await change(client, "c1", pinned=False)
    assert [one["title"] for one in await entries(client)] == ["Two", "Very new"]


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"title": ""}', '{"title": 3}', '{"pinned": "yes"}', '{"title": "%s"}' % ("x" * 201)]
)
async def test_a_change_that_cannot_be_read_is_refused(client: AsyncClient, body: str) -> None:
    await answered(client)
    response = await client.patch("/api/chat/c1", body, content_type="application/json")
    assert response.status_code == 400
    assert (await Conversation.objects.aget()).title == "Hello"


async def test_a_change_tells_the_entry_of_the_list(client: AsyncClient, scripted: Script) -> None:
    await active(client, scripted)
    changed = (await change(client, "c1", title="Mine")).json()
    assert changed["active"] is True
    assert [changed] == await entries(client)


async def test_a_conversation_is_deleted_with_its_messages(client: AsyncClient) -> None:
    await answered(client)
    response = await client.delete("/api/chat/c1")
    assert (response.status_code, response.content) == (204, b"")
    assert await Message.objects.acount() == await Attachment.objects.acount() == 0
    assert (await client.delete("/api/chat/c1")).status_code == 404


async def test_a_conversation_that_is_being_answered_is_stopped_and_deleted(
    client: AsyncClient, scripted: Script
) -> None:
    generation = await active(client, scripted)
    assert (await client.delete("/api/chat/c1")).status_code == 204
    assert not await Conversation.objects.aexists()
    assert current().find(generation.pk) is None


async def test_a_conversation_whose_answer_does_not_end_is_not_deleted(
    client: AsyncClient, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without_effect(owner: Any, key: str) -> None: ...

    await active(client, scripted)
    monkeypatch.setattr("streaming.views.stopping.stop_all", without_effect)
    monkeypatch.setattr("streaming.views.stopping.PAUSES", (0.01, 0.01))
    response = await client.delete("/api/chat/c1")
    assert response.status_code == 409
    assert "still being written" in response.content.decode()
    assert await Conversation.objects.aexists()


@pytest.mark.parametrize("method", ["patch", "delete", "get"])
async def test_somebody_elses_conversation_is_not_found(client: AsyncClient, method: str) -> None:
    await answered(client)
    stranger = AsyncClient()
    options = {"data": '{"title": "Mine"}', "content_type": "application/json"} if method == "patch" else {}
    path = "/api/chat/c1/export" if method == "get" else "/api/chat/c1"
    assert (await getattr(stranger, method)(path, **options)).status_code == 404
    assert (await Conversation.objects.aget()).title == "Hello"


@pytest.mark.parametrize("method", ["patch", "delete"])
async def test_another_site_can_change_nothing(client: AsyncClient, method: str) -> None:
    await answered(client)
    response = await getattr(client, method)("/api/chat/c1", headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    assert await Conversation.objects.aexists()


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/c1", "/api/chat/c1/export", "/api/providers"])
async def test_strangers_must_sign_in_where_the_site_demands_it(settings: Any, path: str) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = False
    assert (await AsyncClient().get(path)).status_code == 401


async def test_methods_that_an_address_does_not_have_are_named(client: AsyncClient) -> None:
    assert (await client.put("/api/chat")).headers["Allow"] == "GET, POST, DELETE, HEAD"
    assert (await client.post("/api/chat/c1")).headers["Allow"] == "GET, PATCH, DELETE, HEAD"
    head = await client.head("/api/chat")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_conversation_is_exported_as_markdown_and_json(client: AsyncClient) -> None:
    await stored(
        client,
        ReasoningPart(text="A secret."),
        ToolCall(id="1", name="look_up", arguments={"city": "Rome", "key": "k"}, is_complete=True),
        ToolResult(call_id="1", output={"people": 1}),
        TextPart(text="**Many**."),
    )
    await change(client, "c1", title="Zoë's [list]")
    response = await client.get("/api/chat/c1/export")
    assert response.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert response.headers["Content-Disposition"] == "attachment; filename*=utf-8''zo%C3%ABs-list.md"
    assert response.headers["Cache-Control"] == "private, no-store"
    text = response.content.decode()
    assert text == ("# Zoë's [list]\n\n## You\n\nHello\n\n## Assistant\n\n> **Look up**: Rome · k\n\n**Many**.\n")
    exported = (await client.get("/api/chat/c1/export?format=json")).json()
    loaded = (await client.get("/api/chat/c1")).json()
    assert exported == {"title": "Zoë's [list]"} | loaded
    assert (await client.get("/api/chat/c1/export?format=pdf")).status_code == 400


async def test_only_providers_with_a_label_are_offered(client: AsyncClient, settings: Any) -> None:
    one = settings.STREAMING_PROVIDERS["default"]
    settings.STREAMING_PROVIDERS = {"default": {**one, "LABEL": "Quick"}, "titles": one}
    assert (await client.get("/api/providers")).json() == {"providers": [{"id": "default", "label": "Quick"}]}
    assert "chat-picker" not in html(await client.get("/"))
    settings.STREAMING_PROVIDERS |= {"slow": {**one, "LABEL": "Slow"}}
    assert "chat-picker" in html(await client.get("/"))


# --- the page, without JavaScript


@pytest.mark.parametrize(
    ("days", "heading"),
    [(0, "Today"), (1, "Yesterday"), (5, "Previous 7 days"), (20, "Previous 30 days"), (99, "Earlier")],
)
async def test_the_list_is_grouped_by_day(client: AsyncClient, days: int, heading: str) -> None:
    await answered(client)
    moment = timezone.now() - datetime.timedelta(days=days)
    await Conversation.objects.aupdate(updated_at=moment)
    page = html(await client.get("/"))
    assert f">{heading}</h2>" in page
    await Conversation.objects.aupdate(pinned=True)
    page = html(await client.get("/"))
    assert ">Pinned</h2>" in page
    assert f">{heading}</h2>" not in page


async def test_forms_rename_pin_search_and_delete(client: AsyncClient) -> None:
    await answered(client, "One", "c1")
    await answered(client, "Two", "c2")
    form = "/chat/c1/change/"
    assert (await client.post(form, {"change": "rename", "title": "First"})).headers["Location"] == "/chat/c1/"
    await client.post(form, {"change": "pin"})
    conversation = await Conversation.objects.aget(key="c1")
    assert (conversation.title, conversation.pinned) == ("First", True)
    await client.post(form, {"change": "unpin"})
    assert not (await Conversation.objects.aget(key="c1")).pinned
    refused = await client.post(form, {"change": "rename", "title": ""})
    assert refused.status_code == 400
    assert "A title has 1 to 200 characters." in html(refused)
    found = html(await client.get("/?q=first"))
    assert "/chat/c1/" in found
    assert "/chat/c2/" not in found
    assert 'class="chat-options"' not in visible(found)
    opened = visible(html(await client.get("/chat/c2/?q=first&page=1&options=c1")))
    assert opened.count('class="chat-options" method="post" action="/chat/c1/change/"') == 1
    assert 'name="title" value="First"' in opened
    assert 'name="q" value="first">' in opened
    assert 'name="options" value="" aria-expanded="true"' in opened
    assert (await client.post(form, {"change": "delete"})).headers["Location"] == "/"
    assert [one.key async for one in Conversation.objects.all()] == ["c2"]
    assert (await client.post(form, {"change": "delete"})).status_code == 404


async def test_signed_in_people_have_their_own_list(settings: Any) -> None:
    client = AsyncClient()
    await client.aforce_login(await get_user_model().objects.acreate_user("ada"))
    await answered(client, "Mine")
    assert [one["title"] for one in await entries(client)] == ["Mine"]


@pytest.mark.parametrize("use_tz", [True, False])
async def test_times_say_their_offset_from_utc(client: AsyncClient, settings: Any, use_tz: bool) -> None:
    settings.USE_TZ, settings.TIME_ZONE = use_tz, "Asia/Tokyo"
    await answered(client)
    listed = (await client.get("/api/chat")).json()["conversations"][0]
    for name in ("createdAt", "updatedAt"):
        since = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(listed[name])
        assert abs(since.total_seconds()) < 600
