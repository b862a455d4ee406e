"""Branches with the functions of the documentation: the client shows the path of the database and continues it."""

from __future__ import annotations

from typing import Any

from tests.live import rows
from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import Chat, State
from tests.live.wires import answer_wire
from tests.peers import Peer


async def _loaded(chat: Chat) -> list[dict[str, Any]]:
    """The client's messages, when they are the same as in the database."""
    state = await chat.settled()
    assert state.messages == (await chat.visitor.conversation())["messages"]
    return state.messages


def _branches(messages: list[dict[str, Any]]) -> list[str]:
    """The position among the siblings as people read it; "" for a message without siblings."""
    branches = [message.get("metadata", {}).get("branch") for message in messages]
    return [f"{branch['index'] + 1}/{branch['count']}" if branch else "" for branch in branches]


def _way(message: dict[str, Any], to: str) -> str:
    way: str = message["metadata"]["branch"][to]
    return way


def _asked(peer: Peer) -> list[str]:
    return [turn["content"] for turn in peer.requests[-1].json["messages"]]


async def test_walk_back_and_go_on_from_there(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("First?")
    await chat.send("Second?")
    await chat.send("Edited?", messageId=(await chat.settled()).messages[0]["id"])
    peer.says(*answer_wire("chat", "Again."))
    await chat.regenerate()
    await chat.reload()
    newest = await _loaded(chat)
    assert _branches(newest) == ["2/2", "2/2"]

    await chat.walk(_way(newest[1], "previous"))
    assert _branches(await _loaded(chat)) == ["2/2", "1/2"]
    await chat.walk(_way(newest[0], "previous"))
    oldest = await _loaded(chat)
    assert _branches(oldest) == ["1/2", "", "", ""]
    assert [message["parts"][-1]["text"] for message in oldest] == ["First?", "Fine.", "Second?", "Fine."]

    await chat.send("Third?")
    assert _asked(peer) == ["First?", "Fine.", "Second?", "Fine.", "Third?"]
    assert len((await chat.settled()).messages) == 6
    await chat.regenerate(messageId=oldest[3]["id"])
    assert _asked(peer) == ["First?", "Fine.", "Second?"]
    await chat.send("Second, edited?", messageId=oldest[2]["id"])
    assert _asked(peer) == ["First?", "Fine.", "Second, edited?"]
    await chat.settled()
    await chat.reload()
    shown = await _loaded(chat)
    assert _branches(shown) == ["1/2", "", "2/2", ""]
    assert shown[2]["id"] == oldest[2]["id"], "clients keep the id of an edited message"
    assert shown[2]["id"] != _way(shown[2], "previous")

    await chat.walk(_way(shown[0], "next"))
    assert await _loaded(chat) == newest
    assert len(rows.answers(visitor.site, visitor.key)) == 7


async def test_old_version_edited_time_and_again(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("Version 1?")
    for number in (2, 3, 4):
        question = (await chat.settled()).messages[0]
        await chat.send(f"Version {number}?", messageId=question["id"])
        await chat.settled()
        await chat.reload()
        while before := (await _loaded(chat))[0]["metadata"]["branch"].get("previous"):
            await chat.walk(before)
    messages = await _loaded(chat)
    walked = [messages[0]]
    while after := walked[-1]["metadata"]["branch"].get("next"):
        await chat.walk(after)
        walked.append((await _loaded(chat))[0])
    assert [message["parts"][0]["text"] for message in walked] == [f"Version {number}?" for number in (1, 2, 3, 4)]
    assert len({message["id"] for message in walked}) == 4


async def test_resume_after_walking_brings_nothing_back(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("First?")
    await chat.regenerate()
    await chat.reload()
    await chat.walk(_way((await _loaded(chat))[1], "previous"))
    before = await _loaded(chat)
    await chat.resume()
    assert await _loaded(chat) == before
    again: State = await open_chat(visitor, "peer-chat", before).settled()
    assert again.messages == before
    answers = len(rows.answers(visitor.site, visitor.key))
    twice = {"id": before[0]["id"], "role": "user", "parts": before[0]["parts"]}
    await open_chat(visitor, "peer-chat").send_message(**twice)
    assert len(rows.answers(visitor.site, visitor.key)) == answers, (
        "a message that was sent before is not answered again"
    )
    assert (await visitor.conversation())["messages"] == before
