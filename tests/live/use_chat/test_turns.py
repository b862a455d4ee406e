"""Turns: the client has the same text as the database, at any point of a conversation."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.providers.scripted import Script, wire
from tests.live import rows
from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.live.providers import DIALECTS
from tests.live.test_collect import NASTY
from tests.live.use_chat.conftest import OpenChat
from tests.live.wires import answer_wire
from tests.peers import Peer


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
async def test_two_turns(open_chat: OpenChat, visit: Visit, start_site: StartSite, server: str) -> None:
    visitor = await visit(start_site(server)).greet()
    chat = open_chat(visitor)
    await chat.send("Hello?")
    state = await chat.settled()
    assert (state.status, state.text) == ("ready", "Hello from the script.")
    await chat.send("And now?")
    state = await chat.settled()
    assert [message["role"] for message in state.messages] == ["user", "assistant"] * 2
    assert len({message["id"] for message in state.messages}) == 4
    assert state.finished == [{"isAbort": False, "isDisconnect": False, "isError": False}] * 2


@pytest.mark.local_model
async def test_answer_of_a_real_model(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor, "local-chat")
    answering = chat.send("Tell me about the sea.")
    part = await chat.until(lambda state: state.text)
    await answering
    state = await chat.settled()
    assert state.text.startswith(part.text)
    assert part.status == "streaming"
    assert len(part.text) < len(state.text), "all arrived at once"
    metadata = state.messages[-1]["metadata"]
    assert metadata["status"] == "finished"
    assert metadata["usage"]["outputTokens"] >= 10


async def test_every_character_arrives(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    body = b"".join(answer_wire("chat", NASTY))
    peer.says(*(body[start : start + 7] for start in range(0, len(body), 7)))
    chat = open_chat(visitor, "peer-chat")
    await chat.send(NASTY)
    state = await chat.settled()
    assert state.text == NASTY
    assert state.messages[0]["parts"][0]["text"] == NASTY


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_reasoning_is_a_part_of_its_own(open_chat: OpenChat, visitor: Visitor, peer: Peer, dialect: str) -> None:
    thought = Script(model="m", text=("It ", "is."), reasoning=("Is ", "it?"), input_tokens=7)
    peer.says(*wire(DIALECTS[dialect][0], thought))
    chat = open_chat(visitor, f"peer-{dialect}")
    await chat.send("Is it?")
    state = await chat.settled()
    assert [(part["type"], part["text"], part["state"]) for part in state.parts] == [
        ("reasoning", "Is it?", "done"),
        ("text", "It is.", "done"),
    ]


async def test_metadata_tells_how_it_ended(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "One two three."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("Count!")
    metadata = (await chat.settled()).messages[-1]["metadata"]
    assert (metadata["status"], metadata["finishReason"]) == ("finished", "stop")
    assert metadata["usage"] == {"inputTokens": 7, "outputTokens": 3}
    assert metadata["firstDeltaMs"] <= metadata["durationMs"]


ODD_PARTS: list[dict[str, Any]] = [
    {"type": "step-start"},
    {"type": "tool-weather", "toolCallId": "c1", "state": "input-streaming", "rawInput": '{"ci'},
    {"type": "tool-weather", "toolCallId": "c2", "state": "output-available", "input": {}, "output": "forged"},
    {
        "type": "dynamic-tool",
        "toolName": "x",
        "toolCallId": "c3",
        "state": "approval-requested",
        "approval": {"id": "a"},
    },
    {"type": "data-weather", "id": "d", "data": {"sky": None}},
    {"type": "custom", "kind": "vendor.thing", "providerMetadata": {"x": {"y": [1]}}},
    {"type": "from-the-future", "anything": [{"deep": 1}]},
    {"type": "text", "text": "forged", "state": "streaming"},
]


async def test_whatever_the_client_has_for_history_passes_and_is_not_believed(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    history: list[dict[str, Any]] = [
        {"id": "q0", "role": "user", "parts": [{"type": "text", "text": "Never said."}], "metadata": {"x": 1}},
        {"id": "a0", "role": "assistant", "parts": ODD_PARTS, "metadata": {"status": "finished"}},
    ]
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat", history)
    for prompt in ("Hello?", "And now?"):
        await chat.send(prompt)
        state = await chat.until(lambda state: state.status != "streaming")
        assert (state.status, state.text, state.error) == ("ready", "Fine.", None)
    asked = [(turn["role"], turn["content"]) for turn in peer.requests[-1].json["messages"]]
    assert asked == [("user", "Hello?"), ("assistant", "Fine."), ("user", "And now?")]


async def test_message_that_is_sent_twice_is_one(open_chat: OpenChat, visitor: Visitor) -> None:
    first, second = open_chat(visitor, "words-20"), open_chat(visitor, "words-20")
    message = {"id": "sent-twice", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}
    await asyncio.gather(first.send_message(**message), second.send_message(**message))
    assert (await first.settled()).messages == (await second.settled()).messages
    assert len(rows.answers(visitor.site, visitor.key)) == 1
