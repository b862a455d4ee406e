"""Recorded streams of real providers: the client reads each to its end, and has what is stored."""

from __future__ import annotations

import uuid

import pytest

from tests.live.client import Visitor
from tests.live.providers import DIALECTS
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import CLIENTS, State
from tests.peers import Peer
from tests.protocol.golden import recordings
from tests.protocol.test_recordings import EXPECTED, SHARED

# The oldest client, and the newest one with the stricter transport. The site sends only what both can read.
pytestmark = pytest.mark.parametrize("client", [CLIENTS["v5"], CLIENTS["v7-socket"]], ids=["v5", "v7-socket"])
ALIASES = {dialect: f"peer-{name}" for name, (dialect, *_) in DIALECTS.items()}


async def _play(open_chat: OpenChat, visitor: Visitor, dialect: str) -> State:
    """Returns the client's state after the peer's next reply. It is the same as in the database."""
    visitor.key = uuid.uuid4().hex
    chat = open_chat(visitor, ALIASES[dialect])
    await chat.send("Hello?")
    state = await chat.settled()
    await chat.close()  # the number of sockets that one owner may have open
    error = state.messages[-1]["metadata"].get("error")
    assert (state.status, (state.error or {}).get("message")) == ("error" if error else "ready", error)
    return state


async def test_recordings_of_the_local_model(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    for recording in recordings():
        peer.says(recording.read_bytes())
    for recording in recordings():
        state = await _play(open_chat, visitor, recording.parent.name)
        calls = [part["state"] for part in state.parts if part["type"].startswith("tool-")]
        expected = {"tool-call": 1, "parallel-tool-calls": 2}.get(recording.stem, 0)
        assert calls == ["input-available"] * expected, recording
        assert bool(state.text) != bool(calls), recording


@pytest.mark.optional
@pytest.mark.skipif(not EXPECTED, reason="no collection of recordings beside the repository")
async def test_collected_recordings(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    for name in EXPECTED:
        peer.says((SHARED / name).read_bytes())
    for name, expected in EXPECTED.items():
        state = await _play(open_chat, visitor, expected["dialect"])
        assert state.text == (expected["text"] or state.text), name  # only clients show a refusal as text
