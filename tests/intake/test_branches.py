"""Branches over HTTP and in the rows: siblings are counted, shown in turn, and continued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from streaming.database import in_database
from streaming.errors import Conflict, NotFound
from streaming.intake import Submission, select_branch
from streaming.models import Conversation, Generation, Message, MessageTree, Owner, path_of
from streaming.supervisor import current, stop
from streaming.testing import frames_of
from streaming.views.conversations import describe
from tests.engine import ALICE, BOB
from tests.responses import body_of

pytestmark = pytest.mark.usefixtures("engine")
Script = Callable[..., None]


class Talk:
    """A conversation over HTTP, in a browser with cookies of its own."""

    def __init__(self) -> None:
        self.http = AsyncClient()

    async def ask(self, text: str, message_id: str, **fields: Any) -> str:
        """Sends a message as `useChat` does, and returns the whole stream."""
        message = {"id": message_id, "role": "user", "parts": [{"type": "text", "text": text}]}
        return await self._stream({"messages": [message], **fields})

    async def edit(self, message_id: str, text: str) -> str:
        return await self.ask(text, message_id, messageId=message_id)

    async def regenerate(self, message_id: str | None = None) -> str:
        named = {"messageId": message_id} if message_id else {}
        return await self._stream({"trigger": "regenerate-message", "messages": [], **named})

    async def walk(self, message_id: str) -> dict[str, Any]:
        response = await self.post("branch", {"messageId": message_id})
        assert response.status_code == 200, response.content
        shown: dict[str, Any] = response.json()
        assert shown == await self.load()
        return shown

    async def load(self) -> dict[str, Any]:
        loaded: dict[str, Any] = (await self.http.get("/api/chat/c1")).json()
        return loaded

    async def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.load())["messages"]
        return found

    async def post(self, verb: str, body: Any) -> Any:
        return await self.http.post(f"/api/chat/c1/{verb}", body, content_type="application/json")

    async def _stream(self, body: dict[str, Any]) -> str:
        response = await self.http.post("/api/chat", {"id": "c1", **body}, content_type="application/json")
        assert response.status_code == 200, response.content
        return (await body_of(response)).decode()


@pytest.fixture
def talk() -> Talk:
    return Talk()


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return ["".join(part.get("text", "") for part in message["parts"]) for message in messages]


def branch(message: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = message.get("metadata", {}).get("branch")
    return found


async def three_answers(talk: Talk, scripted: Script) -> list[str]:
    """Asks one question, gets three answers, and returns their ids."""
    ids = []
    for text in ("One.", "Two.", "Three."):
        scripted(text=text)
        await (talk.regenerate() if ids else talk.ask("Hello?", "q1"))
        ids.append((await talk.messages())[1]["id"])
    return ids


async def test_only_a_message_with_siblings_has_branch_metadata(talk: Talk, scripted: Script) -> None:
    await talk.ask("Hello?", "q1")
    assert [branch(message) for message in await talk.messages()] == [None, None]
    assert "metadata" not in (await talk.messages())[0]
    first, second, third = await three_answers(talk, scripted)
    question, answer = await talk.messages()
    assert branch(question) is None
    assert branch(answer) == {"index": 2, "count": 3, "previous": second}
    assert answer["metadata"]["status"] == "finished"
    assert branch((await talk.walk(second))["messages"][1]) == {
        "index": 1,
        "count": 3,
        "previous": first,
        "next": third,
    }
    assert branch((await talk.walk(first))["messages"][1]) == {"index": 0, "count": 3, "next": second}


async def test_edit_and_original_have_different_ids_and_are_both_shown(talk: Talk, scripted: Script) -> None:
    await talk.ask("One?", "q1")
    await talk.ask("Then?", "q2")
    await talk.edit("q1", "Two?")
    (edited, _) = await talk.messages()
    assert (edited["id"], branch(edited)) == ("q1", {"index": 1, "count": 2, "previous": branch(edited)["previous"]})  # type: ignore[index]
    shown = (await talk.walk(branch(edited)["previous"]))["messages"]  # type: ignore[index]
    assert texts(shown)[::2] == ["One?", "Then?"]
    assert branch(shown[0]) == {"index": 0, "count": 2, "next": "q1"}
    assert [branch(message) for message in shown[1:]] == [None, None, None]
    assert texts((await talk.walk("q1"))["messages"])[0] == "Two?"


@pytest.mark.parametrize("is_known_by_its_row", [True, False])
async def test_ids_stay_different_however_often_versions_are_edited(talk: Talk, is_known_by_its_row: bool) -> None:
    if is_known_by_its_row:
        await talk._stream({"prompt": "Version 0"})
    else:
        await talk.ask("Version 0", "q1")
    for number in range(1, 5):
        # Edits the oldest version each time, under the id that it has now.
        question = (await talk.messages())[0]
        while before := (branch(question) or {}).get("previous"):
            question = (await talk.walk(before))["messages"][0]
        assert texts([question]) == ["Version 0"]
        await talk.edit(question["id"], f"Version {number}")
    seen = {}
    walked: str | None = question["id"]
    question = (await talk.messages())[0]
    while walked:
        seen[question["id"]] = texts([question])[0]
        walked = (branch(question) or {}).get("previous")
        question = (await talk.walk(walked))["messages"][0] if walked else question
    assert list(seen.values()) == [f"Version {number}" for number in (4, 3, 2, 1, 0)]


async def test_the_newest_path_through_a_message_is_shown(talk: Talk, scripted: Script) -> None:
    first, _, third = await three_answers(talk, scripted)
    await talk.walk(first)
    await talk.ask("Then?", "q2")
    await talk.edit("q2", "Or else?")
    await talk.walk(third)
    assert texts(await talk.messages()) == ["Hello?", "Three."]
    shown = texts((await talk.walk(first))["messages"])
    assert shown == ["Hello?", "One.", "Or else?", "Three."]
    assert texts((await talk.walk("q1"))["messages"]) == shown, "the newest path, not the last sibling"
    assert texts((await talk.walk("q1"))["messages"]) == shown


async def test_new_message_continues_the_path_that_is_shown(talk: Talk, scripted: Script) -> None:
    first, second, _ = await three_answers(talk, scripted)
    await talk.walk(first)
    await talk.ask("Then?", "q2")
    assert texts(await talk.messages()) == ["Hello?", "One.", "Then?", "Three."]
    await talk.walk(second)
    await talk.regenerate()
    assert branch((await talk.messages())[1])["count"] == 4  # type: ignore[index]
    await talk.walk(first)
    await talk.regenerate()
    shown = await talk.messages()
    assert texts(shown) == ["Hello?", "One.", "Then?", "Three."]
    assert branch(shown[3])["count"] == 2  # type: ignore[index]


async def test_message_sent_twice_is_one_even_if_another_path_is_shown(talk: Talk, scripted: Script) -> None:
    scripted(text="One.")
    await talk.ask("Hello?", "q1")
    await talk.edit("q1", "Edited?")
    scripted(text="Two.")
    await talk.ask("Then?", "q2")
    old = branch((await talk.messages())[0])["previous"]  # type: ignore[index]
    shown = await talk.walk(old)
    answers = await Generation.objects.acount()
    assert '"Two' in await talk.ask("Then?", "q2")
    assert await Generation.objects.acount() == answers
    assert await talk.load() == shown


@pytest.mark.parametrize("cursor", ["", "?after=1", "?after=4"])
async def test_no_answer_of_another_branch_is_resumed(talk: Talk, scripted: Script, cursor: str) -> None:
    first, _, third = await three_answers(talk, scripted)
    await talk.walk(first)
    response = await talk.http.get(f"/api/chat/c1/stream{cursor}")
    assert response.status_code == 204
    await talk.walk(third)
    response = await talk.http.get("/api/chat/c1/stream?after=1")
    assert response.status_code == 200
    body = (await body_of(response)).decode()
    assert "Three" in body


async def test_branch_cannot_change_while_an_answer_is_written(talk: Talk, scripted: Script) -> None:
    first, *_ = await three_answers(talk, scripted)
    scripted(text="one two three", hang_after=2)
    response = await talk.http.post("/api/chat", {"id": "c1", "prompt": "Then?"}, content_type="application/json")
    refused = await talk.post("branch", {"messageId": first})
    assert refused.status_code == 409
    assert refused.content.decode().startswith("An answer is still being written")
    loaded = await talk.load()
    assert (loaded["active"], texts(loaded["messages"])) == (True, ["Hello?", "Three.", "Then?"])
    assert (await talk.post("stop", {})).json() == {"status": "stopping"}
    assert "abort" in (await body_of(response)).decode()
    await talk.walk(first)


async def test_branch_can_change_after_the_process_of_an_answer_has_died(talk: Talk, scripted: Script) -> None:
    first, *_ = await three_answers(talk, scripted)
    newest = await Generation.objects.select_related("conversation").afirst()
    assert newest is not None
    await Generation.objects.filter(pk=newest.pk).aupdate(
        status="running", active_conversation=newest.conversation, lease_until="2000-01-01T00:00:00Z", worker="dead"
    )
    assert texts((await talk.walk(first))["messages"]) == ["Hello?", "One."]
    assert (await Generation.objects.aget(pk=newest.pk)).status == "interrupted"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messageId": "nowhere"}, 404),
        ({"messageId": "x\x00"}, 404),
        ({"messageId": ""}, 404),
        ({}, 400),
        ({"messageId": 1}, 400),
        ([], 400),
        ("{", 400),
    ],
)
async def test_request_that_names_no_message_is_refused(talk: Talk, body: Any, status: int) -> None:
    await talk.ask("Hello?", "q1")
    before = await talk.load()
    assert (await talk.post("branch", body)).status_code == status
    assert await talk.load() == before


async def test_branch_of_another_owner_is_not_found(talk: Talk, scripted: Script) -> None:
    first, *_ = await three_answers(talk, scripted)
    before = await talk.load()
    other = Talk()
    assert (await other.post("branch", {"messageId": first})).status_code == 404
    await other.ask("Mine", "m1")
    assert (await other.post("branch", {"messageId": first})).status_code == 404
    assert (await talk.http.get("/api/chat/c1/branch")).status_code == 405
    cross_site = await talk.http.post(
        "/api/chat/c1/branch",
        {"messageId": first},
        content_type="application/json",
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert cross_site.status_code == 403
    assert await talk.load() == before


async def test_branch_change_does_not_move_the_conversation_up_in_the_list(talk: Talk, scripted: Script) -> None:
    first, *_ = await three_answers(talk, scripted)
    before = await Conversation.objects.aget()
    await talk.walk(first)
    after = await Conversation.objects.aget()
    assert after.updated_at == before.updated_at
    assert after.active_leaf_id != before.active_leaf_id


async def test_branch_change_and_message_at_once_happen_one_after_the_other(scripted: Script) -> None:
    scripted(text="Fine.")
    ids = []
    for trigger in ("submit-message", "regenerate-message"):
        prompt = "Hello?" if trigger == "submit-message" else ""
        made = await current().submit(ALICE, Submission(key="c1", prompt=prompt, trigger=trigger))  # type: ignore[arg-type]
        await frames_of(made.pk)
        ids.append(made.message_id)
    scripted(text="Fine.", hang_after=1)
    for turn in range(6):
        asking = current().submit(ALICE, Submission(key="c1", prompt=f"Turn {turn}"))
        walks = [in_database(select_branch, ALICE, "c1", str(ids[turn % 2])) for _ in range(2)]
        generation, *walked = await asyncio.gather(asking, *walks, return_exceptions=True)
        assert isinstance(generation, Generation), generation
        assert all(outcome is None or isinstance(outcome, Conflict) for outcome in walked), walked
        conversation = await Conversation.objects.select_related("active_leaf").aget()
        assert conversation.active_leaf_id == generation.message_id, "the path of an answer that is being written stays"
        await stop(generation.pk)
        await frames_of(generation.pk)


# Tests of the tree itself.


def grow(conversation: Conversation, *rows: tuple[str, str, str]) -> dict[str, Message]:
    """Stores rows of (name, parent's name or "", role) in this order. The names are the ids that clients know."""
    made: dict[str, Message] = {}
    for name, parent, role in rows:
        made[name] = Message.objects.create(
            conversation=conversation, parent=made.get(parent), role=role, client_id=name
        )
    return made


def conversation_of(owner: Owner = ALICE) -> Conversation:
    return Conversation.objects.create(key="c1", owner_key=owner.key, provider="default")


def _chains() -> None:
    conversation = conversation_of()
    made = grow(
        conversation,
        ("q1", "", "user"),
        ("a1", "q1", "assistant"),
        ("a1-on", "a1", "assistant"),
        ("a1-on-again", "a1", "assistant"),
        ("q2", "a1", "user"),
        ("q2-edited", "a1", "user"),
        ("a2", "q1", "assistant"),
    )
    tree = MessageTree.read(conversation)
    assert tree.metadata(made["a1"]) == {"branch": {"index": 0, "count": 2, "next": "a2"}}
    assert tree.metadata(made["a1-on"]) == tree.metadata(made["a1-on-again"]) == {}
    assert tree.metadata(made["q2-edited"]) == {"branch": {"index": 1, "count": 2, "previous": "q2"}}
    assert tree.newest_leaf(made["a1"]).pk == made["q2-edited"].pk
    select_branch(ALICE, "c1", "a1-on")
    assert [message.client_id for message in path_of(Conversation.objects.get())] == ["q1", "a1", "a1-on"]
    question, answer = describe(ALICE, "c1")["messages"]
    assert (question["id"], branch(question)) == ("q1", None)
    assert (answer["id"], branch(answer)) == ("a1", {"index": 0, "count": 2, "next": "a2"})


async def test_continued_answer_is_one_sibling_and_is_counted_at_its_first_row() -> None:
    await sync_to_async(_chains)()


def _statements(messages: int) -> int:
    conversation = Conversation.objects.first() or conversation_of()
    start = conversation.messages.count()
    grow(conversation, *((f"q{number}", "", "user") for number in range(start, messages)))
    with CaptureQueriesContext(connection) as queries:
        select_branch(ALICE, "c1", "q0")
        (described,) = describe(ALICE, "c1")["messages"]
    assert described["metadata"]["branch"]["count"] == messages
    return len(queries)


async def test_branch_change_costs_the_same_statements_for_any_length() -> None:
    few = await sync_to_async(_statements)(3)
    assert await sync_to_async(_statements)(60) == few
    assert few == 9, "2 for the transaction, 2 for the conversation, 3 for its messages, 1 for the active one, 1 update"


def _unfindable() -> None:
    conversation_of()
    with pytest.raises(NotFound):
        select_branch(ALICE, "c1", "q1")
    with pytest.raises(NotFound):
        select_branch(BOB, "c1", "q1")


async def test_empty_conversation_has_no_branch() -> None:
    await sync_to_async(_unfindable)()
