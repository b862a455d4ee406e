"""Resuming: a page that is loaded during an answer shows it once, from the first word to the last."""

from __future__ import annotations

import asyncio

from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import Chat
from tests.live.wires import answer_wire, until_delta
from tests.peers import Peer

TEXT = "One two three four five six."


async def _begin(chat: Chat, peer: Peer) -> tuple[asyncio.Future[None], asyncio.Event]:
    """Begins an answer that has come to "three". It continues when the event is set."""
    gate, begun = asyncio.Event(), until_delta("chat", TEXT, "three ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    answering = chat.send("Count!")
    await chat.until(lambda state: state.text == "One two three ")
    return answering, gate


async def test_page_loaded_in_mid_answer(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    first = open_chat(visitor, "peer-chat")
    answering, gate = await _begin(first, peer)
    loaded = await visitor.conversation()
    assert loaded["active"]
    second = open_chat(visitor, "peer-chat", loaded["messages"])
    resuming = second.resume()
    await second.until(lambda state: state.text == "One two three ")
    gate.set()
    await asyncio.gather(answering, resuming)
    state = await second.settled()
    assert (state.status, state.text) == ("ready", TEXT)
    assert state.messages[-1] == (await first.settled()).messages[-1]
    await second.send("And again?")
    assert len((await second.settled()).messages) == 4


async def test_page_that_is_already_there_resumes_without_a_duplicate(
    open_chat: OpenChat, client: tuple[str, str], visitor: Visitor, peer: Peer
) -> None:
    chat = open_chat(visitor, "peer-chat")
    answering, gate = await _begin(chat, peer)
    if client[1] == "socket":
        await chat.drop()
        await chat.until(lambda state: state.status == "error")
        assert (await chat.state()).finished[-1]["isDisconnect"]
    else:
        await chat.stop()
    await answering
    resuming = chat.resume()
    await chat.until(lambda state: state.status == "streaming")
    gate.set()
    await resuming
    state = await chat.settled()
    assert (state.status, state.text, len(state.messages)) == ("ready", TEXT, 2)


async def test_page_loaded_before_the_first_word(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    gate = asyncio.Event()
    peer.says(gate, *answer_wire("chat", TEXT))
    answering = open_chat(visitor, "peer-chat").send("Count!")
    await peer.asked()
    second = open_chat(visitor, "peer-chat", (await visitor.conversation())["messages"])
    resuming = second.resume()
    await second.until(lambda state: len(state.messages) == 2)
    gate.set()
    await asyncio.gather(answering, resuming)
    assert (await second.settled()).text == TEXT


async def test_page_loaded_inside_of_a_second_answer(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    await open_chat(visitor).send("Hello?")
    first = open_chat(visitor, "peer-chat", (await visitor.conversation())["messages"])
    answering, gate = await _begin(first, peer)
    second = open_chat(visitor, "peer-chat", (await visitor.conversation())["messages"])
    resuming = second.resume()
    await second.until(lambda state: state.text == "One two three ")
    gate.set()
    await asyncio.gather(answering, resuming)
    state = await second.settled()
    assert [message["parts"][-1]["text"] for message in state.messages] == [
        "Hello?",
        "Hello from the script.",
        "Count!",
        TEXT,
    ]


async def test_answer_that_has_ended_is_not_resumed(open_chat: OpenChat, visitor: Visitor) -> None:
    await open_chat(visitor).send("Hello?")
    loaded = (await visitor.conversation())["messages"]
    chat = open_chat(visitor, "default", loaded)
    await chat.resume()
    state = await chat.settled()
    assert (state.status, state.error, state.messages) == ("ready", None, loaded)
    assert [request["status"] for request in state.requests] in ([204], [])


async def test_new_chat_has_nothing_to_resume(open_chat: OpenChat, visitor: Visitor) -> None:
    visitor.key = "new/chat?".replace("/", " ")
    chat = open_chat(visitor)
    await chat.resume()
    state = await chat.state()
    assert (state.status, state.error, state.messages) == ("ready", None, [])
