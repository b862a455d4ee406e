"""Editing and regenerating: the client shows the path that the database has, and other branches are kept."""

from __future__ import annotations

from tests.live import rows
from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import Chat
from tests.live.wires import answer_wire
from tests.peers import Peer


async def _two_turns(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> Chat:
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("First?")
    await chat.send("Second?")
    return chat


def _asked(peer: Peer) -> list[str]:
    """The turns that the provider got last."""
    return [turn["content"] for turn in peer.requests[-1].json["messages"]]


async def test_last_answer_is_made_again(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    chat = await _two_turns(open_chat, visitor, peer)
    before = (await chat.settled()).messages
    await chat.regenerate()
    after = (await chat.settled()).messages
    assert after[:3] == before[:3]
    assert after[3]["id"] != before[3]["id"]
    assert _asked(peer) == ["First?", "Fine.", "Second?"]
    assert len(rows.answers(visitor.site, visitor.key)) == 3


async def test_earlier_answer_is_made_again(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    chat = await _two_turns(open_chat, visitor, peer)
    before = (await chat.settled()).messages
    await chat.regenerate(messageId=before[1]["id"])
    after = (await chat.settled()).messages
    assert [message["id"] for message in after] == [before[0]["id"], after[1]["id"]]
    assert after[1]["id"] != before[1]["id"]
    assert _asked(peer) == ["First?"]


async def test_earlier_message_is_edited_and_edited_again(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    chat = await _two_turns(open_chat, visitor, peer)
    edited = (await chat.settled()).messages[0]["id"]
    for text in ("Edited?", "Edited again?", "First?"):
        await chat.send(text, messageId=edited)
        state = await chat.settled()
        assert state.error is None
        assert [message["id"] for message in state.messages] == [edited, state.messages[1]["id"]]
        assert state.messages[0]["parts"] == [{"type": "text", "text": text}]
        assert _asked(peer) == [text]
    assert len(rows.answers(visitor.site, visitor.key)) == 5, "the messages before the edits are kept"


async def test_message_edited_to_the_same_text_is_asked_again(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    chat = await _two_turns(open_chat, visitor, peer)
    first = (await chat.settled()).messages[0]["id"]
    await chat.send("First?", messageId=first)
    state = await chat.settled()
    assert len(state.messages) == 2
    assert _asked(peer) == ["First?"]


async def test_conversation_goes_on_after_an_edit(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    chat = await _two_turns(open_chat, visitor, peer)
    await chat.send("Edited?", messageId=(await chat.settled()).messages[2]["id"])
    await chat.regenerate()
    await chat.send("Third?")
    state = await chat.settled()
    assert _asked(peer) == ["First?", "Fine.", "Edited?", "Fine.", "Third?"]
    assert len(state.messages) == 6


async def test_reloaded_conversation_can_be_edited_and_made_again(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    await (await _two_turns(open_chat, visitor, peer)).settled()
    chat = open_chat(visitor, "peer-chat", (await visitor.conversation())["messages"])
    await chat.regenerate()
    before = (await chat.settled()).messages
    await chat.send("Edited?", messageId=before[2]["id"])
    state = await chat.settled()
    assert [message["id"] for message in state.messages[:3]] == [message["id"] for message in before[:3]]
    assert _asked(peer) == ["First?", "Fine.", "Edited?"]


async def test_client_that_sends_only_its_last_message_can_do_the_same(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat", isBrief=True)
    await chat.send("First?")
    await chat.send("Second?")
    await chat.regenerate()
    assert _asked(peer) == ["First?", "Fine.", "Second?"]
    await chat.send("Edited?", messageId=(await chat.settled()).messages[2]["id"])
    await chat.settled()
    assert _asked(peer) == ["First?", "Fine.", "Edited?"]
    await chat.regenerate(messageId=(await chat.state()).messages[1]["id"])
    await chat.settled()
    assert _asked(peer) == ["First?"]
