"""Stop: the answer ends on both sides with the same text, and the conversation can continue."""

from __future__ import annotations

import asyncio

from tests.live import rows
from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import Chat
from tests.live.wires import answer_wire, until_delta
from tests.peers import HANG, Peer

TEXT = "One two three four five"
ROME = ("call_a", "get_weather", ('{"city": ', '"Rome", ', '"days": 2}'))


async def _press_stop(chat: Chat, client: tuple[str, str]) -> None:
    """Stops as the documentation says: over HTTP the client only disconnects, so the page also calls the stop URL."""
    await chat.stop()
    if client[1] == "http":
        assert await chat.visitor.stop() == "stopping"


async def test_stopped_answer_is_kept_and_the_next_turn_works(
    open_chat: OpenChat, client: tuple[str, str], visitor: Visitor, peer: Peer
) -> None:
    peer.says(*until_delta("chat", TEXT, "three "), HANG)
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    answering = chat.send("Count!")
    await chat.until(lambda state: state.text == "One two three ")
    await _press_stop(chat, client)
    await answering
    stored = await rows.settled(visitor.site, visitor.key)
    state = await chat.state()
    assert (state.status, state.text, state.error) == ("ready", "One two three ", None)
    assert (stored.status, stored.text) == ("cancelled", "One two three ")
    await peer.requests[0].gone()
    await chat.send("And now?")
    assert (await chat.state()).text == "Fine."
    asked = [turn["content"] for turn in peer.requests[1].json["messages"]]
    assert asked == ["Count!", "One two three ", "And now?"]


async def test_answer_stopped_from_elsewhere_ends_by_itself(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*until_delta("chat", TEXT, "three "), HANG)
    chat = open_chat(visitor, "peer-chat")
    answering = chat.send("Count!")
    await chat.until(lambda state: state.text == "One two three ")
    assert await visitor.stop() == "stopping"
    await answering
    state = await chat.settled()
    assert (state.status, state.text) == ("ready", "One two three ")
    assert state.messages[-1]["metadata"]["status"] == "cancelled"


async def test_hanging_up_is_not_a_stop(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    gate, begun = asyncio.Event(), until_delta("chat", TEXT, "three ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    chat = open_chat(visitor, "peer-chat")
    answering = chat.send("Count!")
    await chat.until(lambda state: state.text == "One two three ")
    await (chat.drop() if (await chat.state()).frames else chat.stop())
    await answering
    gate.set()
    stored = await rows.settled(visitor.site, visitor.key)
    assert (stored.status, stored.text) == ("finished", TEXT)


async def test_stop_inside_of_a_tool_calls_arguments(
    open_chat: OpenChat, client: tuple[str, str], visitor: Visitor, peer: Peer
) -> None:
    whole = answer_wire("chat", "Let me see. ", ROME)
    inside = next(number for number, piece in enumerate(whole) if b"Rome" in piece)
    peer.says(*whole[: inside + 1], HANG)
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    answering = chat.send("Weather?")
    await chat.until(lambda state: len(state.parts) == 2 and state.parts[1].get("input") == {"city": "Rome"})
    await _press_stop(chat, client)
    await answering
    (shown,) = (await chat.state()).parts[1:]
    assert shown["state"] == "input-streaming"
    _, call = (await rows.settled(visitor.site, visitor.key)).parts
    assert (call["raw_arguments"], call["error"]) == ('{"city": "Rome", ', "truncated")
    assert not call.get("is_complete")
    await chat.send("And now?")
    state = await chat.state()
    assert (state.status, state.text) == ("ready", "Fine.")
    turns = peer.requests[1].json["messages"]
    assert [(turn["content"], turn.get("tool_calls")) for turn in turns][1] == ("Let me see. ", None)
