"""Ids of events that name their answer: a client that comes back goes on in the answer that it followed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from streaming.models import Conversation, Generation, Owner
from streaming.supervisor import current
from tests.engine import submit
from tests.pages import Script
from tests.responses import body_of

pytestmark = pytest.mark.usefixtures("engine")
FROM_START = "/api/chat/c1/stream?after=0&named=1"


@pytest.fixture
async def owner(client: AsyncClient) -> Owner:
    user = await get_user_model().objects.acreate_user("ada")
    await client.aforce_login(user)
    return Owner.of_user(user.pk)


def ids_in(body: bytes) -> list[str]:
    return re.findall(r"^id: (.+)$", body.decode(), re.MULTILINE)


def text_in(body: bytes) -> str:
    return "".join(re.findall(r'"delta":"([^"]*)"', body.decode()))


async def answer(scripted: Script, owner: Owner, text: str, **options: Any) -> Generation:
    scripted(text=text, **options)
    generation = await submit(key="c1", prompt=text, owner=owner)
    if not options:
        await current().idle()
    return generation


async def again(client: AsyncClient, cursor: str, address: str = FROM_START) -> Any:
    """What an EventSource sends after a cut: the same address, and the id of its last event."""
    return await client.get(address, headers={"Last-Event-ID": cursor, "Accept": "text/event-stream"})


async def test_ids_name_the_answer(client: AsyncClient, owner: Owner, scripted: Script) -> None:
    generation = await answer(scripted, owner, "one two three")
    found = ids_in(await body_of(await client.get(FROM_START)))
    assert found == [f"{number}-{generation.pk.hex[:8]}" for number in range(1, len(found) + 1)]
    plain = ids_in(await body_of(await client.get("/api/chat/c1/stream?after=0")))
    assert plain == [str(number) for number in range(1, len(found) + 1)]


async def test_client_goes_on_in_its_answer_while_another_one_runs(
    client: AsyncClient, owner: Owner, scripted: Script
) -> None:
    await answer(scripted, owner, "one two three")
    body = await body_of(await client.get(FROM_START))
    middle = ids_in(body)[3]
    await answer(scripted, owner, "other words of the next answer", hang_after=5)
    rest = await body_of(await again(client, middle))
    assert rest.endswith(body[body.index(b"id: " + middle.encode()) :].partition(b"\n\n")[2])
    assert "other" not in text_in(rest)
    assert (await again(client, ids_in(body)[-1])).status_code == 204


async def test_named_cursor_is_enough_to_get_named_ids(client: AsyncClient, owner: Owner, scripted: Script) -> None:
    await answer(scripted, owner, "one two three")
    whole = ids_in(await body_of(await client.get(FROM_START)))
    rest = await body_of(await client.get(f"/api/chat/c1/stream?after={whole[2]}"))
    assert ids_in(rest) == whole[3:]


async def test_answer_on_a_branch_that_is_not_shown_is_continued(
    client: AsyncClient, owner: Owner, scripted: Script
) -> None:
    generation = await answer(scripted, owner, "one two three")
    whole = ids_in(await body_of(await client.get(FROM_START)))
    await Conversation.objects.filter(pk=generation.conversation_id).aupdate(active_leaf=None)
    assert (await client.get("/api/chat/c1/stream?after=1")).status_code == 204
    assert ids_in(await body_of(await again(client, whole[1]))) == whole[2:]


async def test_nobody_gets_another_owners_answer(owner: Owner, client: AsyncClient, scripted: Script) -> None:
    generation = await answer(scripted, owner, "one two three")
    stranger = AsyncClient()
    await stranger.aforce_login(await get_user_model().objects.acreate_user("stranger"))
    assert (await again(stranger, f"1-{generation.pk.hex[:8]}")).status_code == 204


async def test_unknown_answer_has_nothing_more(client: AsyncClient, owner: Owner, scripted: Script) -> None:
    generation = await answer(scripted, owner, "one two three")
    tag = "00000000" if generation.pk.hex[0] != "0" else "ffffffff"
    assert (await again(client, f"1-{tag}")).status_code == 204
    assert (await again(client, "1-xyz")).status_code == 400


async def test_ids_of_the_stream_that_began_the_answer_name_it_too(
    client: AsyncClient, owner: Owner, scripted: Script
) -> None:
    scripted(text="one two")
    body = {"id": "c1", "prompt": "Hi"}
    found = ids_in(await body_of(await client.post("/api/chat?named=1", body, content_type="application/json")))
    generation = await Generation.objects.aget()
    assert found[0] == f"1-{generation.pk.hex[:8]}"


@pytest.mark.parametrize("named", ["", "&named=1"])
async def test_html_comes_with_either_kind_of_id(
    client: AsyncClient, owner: Owner, scripted: Script, named: str
) -> None:
    await answer(scripted, owner, "one two three")
    body = await body_of(await client.get(f"/api/chat/c1/stream?after=0&html=1{named}"))
    assert b"data-html" in body
    assert all(("-" in one) == bool(named) for one in ids_in(body))
