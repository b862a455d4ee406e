"""A network that fails during an answer, over HTTP: the client has the answer once, even if it ended meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from tests.cable import Cable
from tests.live import rows
from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import Chat
from tests.live.wires import answer_wire, until_delta
from tests.peers import Peer

TEXT = "One two three four five six."
HALF = "One two three "
over_http = pytest.mark.parametrize("client", ["v5", "v6", "v7"], indirect=True)
# Version 5 appends a replay to the text that it has. So there, a cut answer is resumed in a new Chat.
over_http_in_place = pytest.mark.parametrize("client", ["v6", "v7"], indirect=True)


async def _cut(chat: Chat, cable: Cable, peer: Peer) -> asyncio.Event:
    """Cuts an answer in the middle. The network is back. The answer continues when the event is set."""
    gate, begun = asyncio.Event(), until_delta("chat", TEXT, "three ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    answering = chat.send("Count!")
    await chat.until(lambda state: state.text == HALF)
    cable.cut()
    await answering
    state = await chat.state()
    assert (state.status, state.text) == ("error", HALF)
    cable.mend()
    return gate


async def _has_ended(visitor: Visitor, gate: asyncio.Event) -> None:
    gate.set()
    assert (await rows.settled(visitor.site, visitor.key)).text == TEXT


async def _shows_it_once(chat: Chat, visitor: Visitor) -> None:
    """Checks that the client shows what the database has, and that the conversation can continue."""
    state = await chat.settled()
    assert (state.status, state.text, len(state.messages)) == ("ready", TEXT, 2)
    assert rows.answer(visitor.site, visitor.key).text == state.text


@over_http
async def test_page_that_was_cut_loads_what_has_ended(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    async with Cable(visitor.site) as cable:
        await _has_ended(visitor, await _cut(open_chat(visitor, "peer-chat", url=cable.url), cable, peer))
        loaded = await visitor.conversation()
        assert not loaded["active"]
        await _shows_it_once(open_chat(visitor, "peer-chat", loaded["messages"]), visitor)


@over_http
async def test_answer_that_ends_between_loading_and_resuming(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    async with Cable(visitor.site) as cable:
        gate = await _cut(open_chat(visitor, "peer-chat", url=cable.url), cable, peer)
        loaded = await visitor.conversation()
        assert loaded["active"]
        await _has_ended(visitor, gate)
        chat = open_chat(visitor, "peer-chat", loaded["messages"], url=cable.url, isFromStart=True)
        await chat.resume()
        await _shows_it_once(chat, visitor)


@over_http
async def test_answer_that_goes_on_after_the_page_has_come_back(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    async with Cable(visitor.site) as cable:
        gate = await _cut(open_chat(visitor, "peer-chat", url=cable.url), cable, peer)
        loaded = await visitor.conversation()
        chat = open_chat(visitor, "peer-chat", loaded["messages"], url=cable.url, isFromStart=True)
        resuming = chat.resume()
        await chat.until(lambda state: state.text == HALF)
        await _has_ended(visitor, gate)
        await resuming
        await _shows_it_once(chat, visitor)


@over_http_in_place
async def test_page_that_was_cut_resumes_in_place_what_has_ended(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    async with Cable(visitor.site) as cable:
        chat = open_chat(visitor, "peer-chat", url=cable.url, isFromStart=True)
        await _has_ended(visitor, await _cut(chat, cable, peer))
        await chat.resume()
        await _shows_it_once(chat, visitor)
