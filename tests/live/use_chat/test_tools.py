"""Tool calls: the client shows their arguments while they arrive, and the same errors as the database."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.client import Visitor
from tests.live.providers import DIALECTS
from tests.live.test_tool_calls import ARGUMENTS, OSLO, ROME
from tests.live.use_chat.conftest import OpenChat
from tests.live.wires import answer_wire
from tests.peers import CUT, Peer


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_parallel_calls(open_chat: OpenChat, visitor: Visitor, peer: Peer, dialect: str) -> None:
    peer.says(*answer_wire(dialect, "Let me see. ", ROME, OSLO))
    chat = open_chat(visitor, f"peer-{dialect}")
    await chat.send("Weather?")
    state = await chat.settled()
    text, *calls = state.parts
    assert text["text"] == "Let me see. "
    assert {call["toolCallId"]: call["input"] for call in calls} == ARGUMENTS
    assert [(call["type"], call["state"]) for call in calls] == [("tool-get_weather", "input-available")] * 2


async def test_arguments_grow_while_they_arrive(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    whole, gate = answer_wire("chat", "", ROME), asyncio.Event()
    inside = next(number for number, piece in enumerate(whole) if b"me" in piece and b"days" in piece)
    peer.says(*whole[:inside], gate, *whole[inside:])
    chat = open_chat(visitor, "peer-chat")
    answering = chat.send("Weather?")
    state = await chat.until(lambda state: state.parts and state.parts[0].get("input"))
    assert (state.parts[0]["state"], state.parts[0]["input"]) == ("input-streaming", {"city": "Ro"})
    gate.set()
    await answering
    assert (await chat.settled()).parts[0]["input"] == ARGUMENTS["call_a"]


async def test_arguments_that_are_cut_off_are_an_error(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    whole = answer_wire("chat", "", ROME)
    inside = next(number for number, piece in enumerate(whole) if b"days" in piece)
    peer.says(*whole[: inside + 1], CUT)
    chat = open_chat(visitor, "peer-chat")
    await chat.send("Weather?")
    state = await chat.settled()
    (call,) = state.parts
    assert (state.status, call["state"], call["errorText"]) == ("error", "output-error", "The arguments were cut off.")
    assert call.get("rawInput", call.get("input")) == '{"city": "Rome", "days"'


@pytest.mark.parametrize("arguments", ["[1]", '{"a": 1}{"b": 2}', ""])
async def test_turn_follows_on_a_call_with_unusable_arguments(
    open_chat: OpenChat, visitor: Visitor, peer: Peer, arguments: str
) -> None:
    peer.says(*answer_wire("chat", "", ("call_a", "get_weather", (arguments,))))
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("Weather?")
    await chat.settled()
    await chat.send("And now?")
    state = await chat.settled()
    assert (state.status, state.text) == ("ready", "Fine.")
