"""The owner's thumbs for answers: the JSON endpoint, the form without JavaScript, and what the conversation says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from streaming.database import in_database
from streaming.intake.bounds import MAX_COMMENT_CHARS
from streaming.models import Conversation, Feedback, Message, Owner, Thumb
from streaming.supervisor import current
from streaming.views import shown_messages
from streaming.views.conversations import describe
from tests.pages import Script, answered, html, send, visible

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def client(settings: Any) -> AsyncClient:
    settings.STREAMING_ALLOW_ANONYMOUS = True
    return AsyncClient()


async def newest(role: str = "assistant") -> str:
    message = await Message.objects.filter(role=role).alatest("created_at")
    return message.public_id


async def put(client: AsyncClient, message_id: str, **body: Any) -> HttpResponse:
    path = f"/api/chat/c1/messages/{message_id}/feedback"
    return await client.put(path, json.dumps(body), content_type="application/json")


async def told(client: AsyncClient) -> Any:
    """The feedback in the metadata of the last message."""
    loaded = (await client.get("/api/chat/c1")).json()
    return loaded["messages"][-1]["metadata"].get("feedback")


async def test_a_thumb_is_kept_changed_and_taken_back(client: AsyncClient) -> None:
    await answered(client)
    before = (await Conversation.objects.aget()).updated_at
    assert await told(client) is None
    answer = await newest()
    response = await put(client, answer, thumb="down", comment="  Wrong\0 city. ", extra=1)
    expected = {"thumb": "down", "comment": "Wrong\ufffd city."}
    assert (response.status_code, response.json(), await told(client)) == (200, expected, expected)
    await put(client, answer, thumb="up")
    assert await told(client) == {"thumb": "up", "comment": ""}
    kept = await Feedback.objects.select_related("message").aget()
    assert (kept.thumb, str(kept.message_id)) == (Thumb.UP, answer)
    for _ in range(2):
        response = await client.delete(f"/api/chat/c1/messages/{answer}/feedback")
        assert (response.status_code, response.content) == (204, b"")
    assert not await Feedback.objects.aexists()
    assert (await Conversation.objects.aget()).updated_at == before


async def test_an_answer_of_several_rows_has_one_thumb(client: AsyncClient) -> None:
    await answered(client)
    first = await Message.objects.aget(role="assistant")
    last = await Message.objects.acreate(conversation_id=first.conversation_id, parent=first, role="assistant")
    await Conversation.objects.aupdate(active_leaf=last)
    await put(client, str(last.pk), thumb="up")
    await put(client, str(first.pk), thumb="down")
    assert [(one.message_id, one.thumb) async for one in Feedback.objects.all()] == [(first.pk, Thumb.DOWN)]
    assert await told(client) == {"thumb": "down", "comment": ""}


@pytest.mark.parametrize("body", ["", "[]", "{", "{}", '{"thumb": "sideways"}', '{"thumb": "up", "comment": 1}'])
async def test_feedback_that_cannot_be_read_is_refused(client: AsyncClient, body: str) -> None:
    await answered(client)
    path = f"/api/chat/c1/messages/{await newest()}/feedback"
    response = await client.put(path, body, content_type="application/json")
    assert response.status_code == 400
    assert '{"thumb": "up", "comment": "…"}' in html(response)
    assert not await Feedback.objects.aexists()


async def test_a_comment_has_a_bound(client: AsyncClient) -> None:
    await answered(client)
    response = await put(client, await newest(), thumb="up", comment="x" * (MAX_COMMENT_CHARS + 1))
    assert response.status_code == 413
    form = {"message": await newest(), "thumb": "up", "comment": "x" * (MAX_COMMENT_CHARS + 1)}
    refused = await client.post("/chat/c1/feedback/", form)
    assert refused.status_code == 413
    assert f"at most {MAX_COMMENT_CHARS} are accepted" in html(refused)
    assert not await Feedback.objects.aexists()


async def test_only_the_owner_has_thumbs_and_only_for_answers(client: AsyncClient) -> None:
    await answered(client)
    answer = await newest()
    stranger = AsyncClient()
    assert (await put(stranger, answer, thumb="up")).status_code == 404
    assert (await stranger.delete(f"/api/chat/c1/messages/{answer}/feedback")).status_code == 404
    assert (await stranger.post("/chat/c1/feedback/", {"message": answer, "thumb": "up"})).status_code == 404
    for other in (await newest("user"), "nothing", "%00"):
        assert (await put(client, other, thumb="up")).status_code == 404
    cross = await client.delete(f"/api/chat/c1/messages/{answer}/feedback", headers={"sec-fetch-site": "cross-site"})
    assert cross.status_code == 403
    assert not await Feedback.objects.aexists()


async def test_strangers_must_sign_in_where_the_site_demands_it(settings: Any) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = False
    assert (await put(AsyncClient(), "x", thumb="up")).status_code == 401
    assert (await AsyncClient().get("/api/chat/c1/messages/x/feedback")).headers["Allow"] == "PUT, DELETE"


async def test_an_answer_that_is_being_written_has_no_thumb_yet(client: AsyncClient, scripted: Script) -> None:
    await answered(client, "One")
    earlier = await newest()
    scripted(text="one two three four", hang_after=4)
    await send(client, "Two")
    written = await newest()
    refused = await put(client, written, thumb="up")
    assert refused.status_code == 409
    assert "still being written" in html(refused)
    assert (await client.delete(f"/api/chat/c1/messages/{written}/feedback")).status_code == 409
    assert (await client.post("/chat/c1/feedback/", {"message": written, "thumb": "up"})).status_code == 409
    assert (await put(client, earlier, thumb="up")).status_code == 200
    await client.post("/api/chat/c1/stop")
    await current().idle()
    assert (await put(client, written, thumb="up")).status_code == 200
    assert await Feedback.objects.acount() == 2


def _queries(owner: Owner) -> int:
    """The queries that load the conversation, as JSON and for the page."""
    with CaptureQueriesContext(connection) as captured:
        describe(owner, "c1")
        shown_messages(Conversation.objects.get())
    return len(captured)


async def test_thumbs_cost_no_query_each(client: AsyncClient) -> None:
    await answered(client, "One")
    owner = Owner((await Conversation.objects.aget()).owner_key)
    before = await in_database(_queries, owner)
    for prompt in ("Two", "Three"):
        await put(client, await newest(), thumb="up")
        await answered(client, prompt)
    assert await in_database(_queries, owner) == before


# --- the page, without JavaScript


async def pressed(client: AsyncClient) -> list[str]:
    """The names of the pressed buttons on the page."""
    page = visible(html(await client.get("/chat/c1/")))
    return re.findall(r'aria-pressed="true" aria-label="([^"]+)"', page)


async def test_a_form_gives_a_thumb_and_takes_it_back(client: AsyncClient) -> None:
    page, answer = visible(await answered(client)), await newest()
    address = f"/chat/c1/feedback/?message={answer}"
    assert page.count(f'formaction="{address}" name="thumb"') == 2  # the question has none
    assert await pressed(client) == []
    response = await client.post(address, {"thumb": "down"})
    shown = f"/chat/c1/?from={answer}#message-{answer}"
    assert (response.status_code, response.headers["Location"]) == (303, shown)
    assert await pressed(client) == ["Bad answer"]
    form = {"message": answer, "thumb": "down", "comment": "Too\r\nlong"}
    assert (await client.post("/chat/c1/feedback/", form)).status_code == 303
    assert (await Feedback.objects.aget()).comment == "Too\nlong"
    page = visible(html(await client.get("/chat/c1/", {"comment": answer})))
    assert page.count("Too\nlong</textarea>") == page.count(f'action="{address}">') == 1
    await client.post(address, {"thumb": ""})
    assert await pressed(client) == []
    assert not await Feedback.objects.aexists()
