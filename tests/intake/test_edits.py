"""Edits and regenerations: each makes a sibling message, under the ids that clients use."""

from __future__ import annotations

import pytest

from streaming.errors import BadRequest, Conflict, NotFound
from streaming.intake import Submission
from streaming.models import Conversation, Message
from streaming.providers import get_provider
from streaming.supervisor import current
from streaming.testing import frames_of
from tests.engine import ALICE, Script, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_regenerate_makes_a_sibling_and_shows_it(scripted: Script) -> None:
    scripted(text="first")
    await frames_of((await submit("one")).pk)
    scripted(text="second")
    again = await current().submit(ALICE, Submission(key="c1", trigger="regenerate-message"))
    await frames_of(again.pk)
    conversation = await Conversation.objects.select_related("active_leaf").aget()
    assert conversation.active_leaf is not None
    assert conversation.active_leaf.text == "second"
    answers = [m async for m in Message.objects.filter(role="assistant")]
    assert len({answer.parent_id for answer in answers}) == 1
    assert len(answers) == 2


async def test_edit_makes_a_sibling_question(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("uno", client_id="m2", message_id="m1")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent] == ["uno"]


async def test_edited_message_may_keep_its_id(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("two", client_id="m2")).pk)
    for text in ("uno", "uno", "one"):
        await frames_of((await submit(text, client_id="m1", message_id="m1")).pk)
        sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
        assert [turn.parts[0].text for turn in sent] == [text]
        assert [m.text async for m in Message.objects.filter(client_id="m1")] == [text]
    assert await Message.objects.filter(role="user").acount() == 5
    with pytest.raises(Conflict):
        await submit("uno", client_id="m1")


async def test_edit_that_is_sent_twice_joins_while_it_is_answered(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    scripted(text="ok", hang_after=1)
    first = await submit("uno", client_id="m1", message_id="m1")
    assert await submit("uno", client_id="m1", message_id="m1") == first
    with pytest.raises(Conflict):
        await submit("eins", client_id="m1", message_id="m1")


@pytest.mark.parametrize("is_known", [True, False])
async def test_regenerate_sends_a_message_that_never_arrived(scripted: Script, is_known: bool) -> None:
    scripted(text="ok")
    before = ["one"] if is_known else []
    for prompt in before:
        await frames_of((await submit(prompt)).pk)
    for _ in range(2):
        await frames_of((await submit("two", client_id="m2", trigger="regenerate-message")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent if turn.role == "user"] == [*before, "two"]
    assert await Message.objects.filter(client_id="m2").acount() == 1
    assert await Message.objects.filter(parent__client_id="m2").acount() == 2


async def test_regenerate_sends_an_edit_that_never_arrived(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("uno", client_id="m1", trigger="regenerate-message")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent] == ["uno"]


async def test_answer_cannot_be_edited(scripted: Script) -> None:
    scripted(text="ok")
    generation = await submit("one")
    await frames_of(generation.pk)
    with pytest.raises(BadRequest, match="of the user's"):
        await submit("two", message_id=str(generation.message_id))
    assert await Message.objects.acount() == 2


async def test_edit_of_a_message_that_never_arrived_is_a_new_message(scripted: Script) -> None:
    scripted(text="ok")
    await frames_of((await submit("one", client_id="m1")).pk)
    await frames_of((await submit("two", client_id="m2", message_id="m2")).pk)
    sent = get_provider().requests[-1].turns  # type: ignore[attr-defined]
    assert [turn.parts[0].text for turn in sent] == ["one", "ok", "two"]


async def test_unknown_message_and_conversation_are_not_found(scripted: Script) -> None:
    scripted(text="ok")
    with pytest.raises(NotFound):
        await current().submit(ALICE, Submission(key="nope", trigger="regenerate-message"))
    await frames_of((await submit()).pk)
    for message_id in ("nope", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(NotFound):
            await submit("x", message_id=message_id)
