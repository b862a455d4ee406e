"""A long conversation is shown and loaded piece by piece, and each piece costs the same number of queries."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import connection
from django.template import Context, Template
from django.test import AsyncClient, RequestFactory
from django.test.utils import CaptureQueriesContext

from streaming.errors import NotFound
from streaming.models import Conversation, Generation, Message, Owner
from streaming.supervisor import current
from streaming.views.conversations import MAX_LIMIT, describe
from streaming.views.window import SHOWN
from tests.long_ones import lengthen
from tests.pages import answered, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db: None) -> Any:
    return get_user_model().objects.create_user("ada")


@pytest.fixture
def owner(ada: Any) -> Owner:
    return Owner.of_user(ada.pk)


@pytest.fixture
def stored(ada: Any, owner: Owner) -> Callable[[int], list[str]]:
    """Stores Ada's conversation `c` with so many messages, and returns their ids."""

    def store(count: int) -> list[str]:
        conversation = Conversation.objects.create(key="c", owner_key=owner.key, user=ada, title="Long")
        return [message.public_id for message in lengthen(conversation, count)]

    return store


def page(**asked: str) -> str:
    """The chat of a page whose address asks for these parameters."""
    template = Template("{% load streaming %}{% chat conversation page=True %}")
    request = RequestFactory().get("/chat/c/", asked)
    return template.render(Context({"conversation": Conversation.objects.get(), "request": request}))


def shown(page: str) -> list[str]:
    return re.findall(r'id="message-([^"]+)"', page)


def test_a_page_opens_with_the_newest_messages_and_leads_to_the_others(stored: Callable[[int], list[str]]) -> None:
    ids = stored(2 * SHOWN + 10)
    opened = page()
    assert shown(opened) == ids[-SHOWN:]
    earlier, everything = re.findall(r'href="/chat/c/\?from=([^#"]+)#message-([^"]+)"', opened)
    assert earlier == (ids[10], ids[-SHOWN])
    assert everything == (ids[0], ids[-SHOWN])
    assert shown(page(**{"from": ids[10]})) == ids[10:]
    last = page(**{"from": ids[0]})
    assert shown(last) == ids
    assert "chat-earlier" not in last


def test_a_script_gets_the_messages_before_one(stored: Callable[[int], list[str]]) -> None:
    ids = stored(2 * SHOWN + 10)
    assert shown(page(before=ids[-SHOWN])) == ids[10 : 10 + SHOWN]
    assert shown(page(before=ids[10])) == ids[:10]
    assert shown(page(before=ids[-SHOWN], **{"from": ids[0]})) == ids[:-SHOWN]
    assert shown(page(before=ids[0])) == []


def test_an_address_that_names_a_message_of_another_version_shows_the_newest(
    stored: Callable[[int], list[str]],
) -> None:
    ids = stored(SHOWN + 2)
    assert shown(page(**{"from": "gone"})) == ids[2:]
    with pytest.raises(NotFound):
        page(before="gone")


def test_versions_outside_a_window_are_counted(stored: Callable[[int], list[str]], owner: Owner) -> None:
    ids = stored(SHOWN + 4)
    conversation = Conversation.objects.get()
    old = Message.objects.get(pk=ids[2])
    other = Message.objects.create(conversation=conversation, parent=old.parent, role="user", client_id="other")
    window = describe(owner, "c", limit=2, before=ids[4])["messages"]
    assert [message["id"] for message in window] == ids[2:4]
    assert window[0]["metadata"]["branch"] == {"index": 0, "count": 2, "next": "other"}
    assert 'aria-label="Version 1 of 2"' in page(before=ids[4])
    Conversation.objects.update(active_leaf=other)
    assert shown(page()) == [*ids[:2], "other"]


@pytest.mark.usefixtures("engine")
async def test_the_api_gives_all_messages_or_pages_of_them(stored: Callable[[int], list[str]], ada: Any) -> None:
    ids = await sync_to_async(stored)(120)
    client = AsyncClient()
    await client.aforce_login(ada)

    async def get(**asked: Any) -> Any:
        response = await client.get("/api/chat/c", asked)
        return response.json() if response.status_code == 200 else (response.status_code, response.content.decode())

    whole = await get()
    assert [message["id"] for message in whole["messages"]] == ids
    assert "earlier" not in whole
    collected: list[Any] = []
    asked: dict[str, Any] = {"limit": 50}
    while asked:
        piece = await get(**asked)
        collected = piece["messages"] + collected
        assert piece["active"] is False
        asked = {"limit": 50, "before": piece["earlier"]} if piece["earlier"] else {}
    assert collected == whole["messages"]
    assert (await get(before=ids[60]))["messages"] == whole["messages"][10:60]
    assert (await get(limit=MAX_LIMIT))["earlier"] is None
    for bad in ("0", "-1", "x", "٣", str(MAX_LIMIT + 1), "99999999"):
        assert await get(limit=bad) == (400, f"'limit' must be a number from 1 to {MAX_LIMIT}.")
    assert (await get(before="gone"))[0] == 404
    assert (await client.get("/chat/c/", {"before": "gone"})).status_code == 404
    assert (await client.get("/chat/c/", {"from": "gone"})).status_code == 200


@pytest.mark.usefixtures("engine")
async def test_a_client_that_has_seen_everything_gets_nothing(client: AsyncClient, scripted: Any) -> None:
    """The page asks this way whether another tab or device has said something."""
    seen: list[str] = []

    async def looks_new() -> bool:
        response = await client.get("/api/chat/c1?limit=1", headers={"if-none-match": seen[-1] if seen else '"none"'})
        seen.append(response.headers["ETag"])
        return bool(response.status_code == 200)

    await answered(client)
    assert [await looks_new(), await looks_new()] == [True, False]
    answer = await Message.objects.aget(role="assistant")
    await client.post("/chat/c1/feedback/", {"message": answer.public_id, "thumb": "up", "comment": ""})
    assert [await looks_new(), await looks_new()] == [True, False]
    scripted(text="one two three four", hang_after=2)
    await send(client, "And?")
    assert [await looks_new(), await looks_new()] == [True, False]
    await client.post("/chat/c1/stop/")
    await current().idle()
    assert [await looks_new(), await looks_new()] == [True, False]
    scripted(text="Yes.")
    await client.post("/chat/c1/send/", {"edited": (await Message.objects.afirst()).public_id, "prompt": "Else"})
    await current().idle()
    assert [await looks_new(), await looks_new()] == [True, False]
    assert len(set(seen)) == 5


@pytest.mark.usefixtures("engine")
async def test_a_client_that_speaks_another_language_gets_its_words(client: AsyncClient, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    await answered(client)
    await Generation.objects.aupdate(status="failed", error_code="timeout")
    english = await client.get("/api/chat/c1", headers={"accept-language": "en"})
    asked = {"accept-language": "de", "if-none-match": english.headers["ETag"]}
    german = await client.get("/api/chat/c1", headers=asked)
    assert german.status_code == 200
    assert german.json() != english.json()


READS = {
    "page": lambda owner: page(),
    "piece": lambda owner: describe(owner, "c", limit=SHOWN),
    "whole": lambda owner: describe(owner, "c"),
}


@pytest.mark.parametrize("name", READS)
def test_the_number_of_queries_does_not_depend_on_the_length(
    stored: Callable[[int], list[str]], owner: Owner, name: str
) -> None:
    counts = []
    for count in (4, 300):
        stored(count)
        with CaptureQueriesContext(connection) as asked:
            READS[name](owner)
        counts.append(len(asked))
        Conversation.objects.all().delete()
    assert counts == [3, 3], "1 for the conversation, 1 for the path, 1 for its messages"
