"""The client's WebSocket transport, and the messages that it sends and receives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import rows
from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import CLIENTS, State
from tests.peers import HANG, Peer

Json = dict[str, Any]


@pytest.fixture
def client() -> tuple[str, str]:
    return CLIENTS["v7-socket"]


@pytest.fixture(params=["uvicorn", "daphne"])
async def visitor(request: pytest.FixtureRequest, visit: Visit, start_site: StartSite) -> Visitor:
    return await visit(start_site(request.param)).greet()


def _frames(state: State, direction: str) -> list[Json]:
    return [frame for way, frame in state.frames if way == direction]


def _sequence(frames: list[Json]) -> list[int]:
    return [frame["sequence"] for frame in frames if frame["type"] == "chunk"]


async def test_frames_of_an_answer_are_numbered_from_nought(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor, "words-2000")
    await chat.send("Hello?")
    state = await chat.settled()
    frames = _frames(state, "in")
    assert _sequence(frames) == list(range(len(frames) - 1))
    assert (frames[-1]["type"], frames[-1]["requestId"]) == ("end", frames[0]["requestId"])
    assert [frame["type"] for frame in _frames(state, "out")] == ["send"]


async def test_resumed_answer_has_the_same_numbers(open_chat: OpenChat, visitor: Visitor) -> None:
    first = open_chat(visitor, "slow")
    answering = first.send("Hello?")
    await first.until(lambda state: len(state.text) > 20)
    second = open_chat(visitor, "slow", (await visitor.conversation())["messages"])
    resuming = second.resume()
    await second.until(lambda state: len(state.text) > 40)
    assert await visitor.stop() == "stopping"
    await answering
    await resuming
    assert (await first.settled()).messages[-1] == (await second.settled()).messages[-1]
    begun, *frames = _frames(await second.state(), "in")
    assert begun["type"] == "start"
    assert _sequence(frames) == list(range(len(frames) - 1))
    said = [frame["chunk"] for frame in _frames(await first.state(), "in") if frame["type"] == "chunk"]
    assert [frame["chunk"] for frame in frames[:-1]] == said


async def test_nothing_to_resume_is_said(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor)
    await chat.resume()
    state = await chat.state()
    assert [frame["type"] for frame in _frames(state, "in")] == ["no-active"]
    assert (state.status, state.error) == ("ready", None)


async def test_stop_aborts(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor, "slow")
    answering = chat.send("Hello?")
    await chat.until(lambda state: len(state.text) > 20)
    await chat.stop()
    await answering
    stored = await rows.settled(visitor.site, visitor.key)
    state = await chat.state()
    assert [frame["type"] for frame in _frames(state, "out")] == ["send", "abort"]
    assert stored.status == "cancelled"
    assert stored.text.startswith(state.text)
    assert (state.status, state.error) == ("ready", None)


async def test_stop_before_the_first_word_aborts(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(HANG)
    chat = open_chat(visitor, "peer-chat")
    answering = chat.send("Hello?")
    asked = await peer.asked()
    await chat.stop()
    await answering
    await asked.gone()
    assert (await rows.settled(visitor.site, visitor.key)).status == "cancelled"


async def test_stop_of_a_resumed_answer_aborts_it(open_chat: OpenChat, visitor: Visitor) -> None:
    first = open_chat(visitor, "slow")
    answering = first.send("Hello?")
    await first.until(lambda state: state.text)
    second = open_chat(visitor, "slow", (await visitor.conversation())["messages"])
    resuming = second.resume()
    await second.until(lambda state: state.text)
    await second.stop()
    await resuming
    await answering
    assert (await first.settled()).messages[-1]["metadata"]["status"] == "cancelled"


async def test_next_turn_opens_a_new_socket(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor)
    await chat.send("Hello?")
    await chat.drop()
    await chat.send("And now?")
    assert len((await chat.settled()).messages) == 4


async def test_html_that_was_asked_for_is_no_part_of_the_message(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor, wantsHtml=True)
    await chat.send("Hello?")
    state = await chat.settled()
    assert [part["type"] for part in state.parts] == ["text"]
    assert {part["type"] for part in state.data} == {"data-html"}
    assert any("Hello from the script.</p>" in str(part["data"]) for part in state.data)
