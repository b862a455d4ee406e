"""The real client of AG-UI over a real network, which breaks off again and again."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from typing import Any

import pytest

from tests.agui.client import Agent
from tests.cable import Cable, Fault
from tests.live import rows
from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.live.providers import DIALECTS
from tests.live.use_chat.driver import Driver
from tests.live.wires import answer_wire, until_delta
from tests.peers import HANG, Peer
from tests.protocol.golden import recordings
from tests.servers import Site

ROME = ("call_a", "get_weather", ('{"city": ', '"Rome", ', '"days": 2}'))
RECORDED = ("cut", "text", "tool-call", "parallel-tool-calls")
TEXT = "One two three four five six seven."


@pytest.fixture
async def visitor(visit: Visit, site: Site) -> Visitor:
    """A person whose session exists already."""
    return await visit(site).greet()


def _agent(node: Driver, visitor: Visitor, url: str = "") -> Agent:
    headers = {"cookie": visitor.cookie}
    return Agent(node, url=f"{url or visitor.site.url}/api/agui", thread=visitor.key, headers=headers)


async def _asked(agent: Agent, provider: str) -> list[Any]:
    await agent.do("say", {"id": uuid.uuid4().hex, "role": "user", "content": "Hello?"})
    await agent.do("ask", {"forwardedProps": {"provider": provider}})
    messages: list[Any] = (await agent.state())["messages"]
    return messages


async def _loaded(node: Driver, visitor: Visitor) -> list[Any]:
    """The messages of a page that loads."""
    fresh = _agent(node, visitor)
    await fresh.do("load")
    messages: list[Any] = (await fresh.state())["messages"]
    return messages


async def test_recordings_of_each_dialect(node: Driver, visitor: Visitor, peer: Peer) -> None:
    aliases = {dialect: f"peer-{name}" for name, (dialect, *_) in DIALECTS.items()}
    for recording in (one for one in recordings() if one.stem in RECORDED):
        visitor.key = uuid.uuid4().hex
        peer.says(recording.read_bytes())
        messages = await _asked(_agent(node, visitor), aliases[recording.parent.name])
        assert messages == await _loaded(node, visitor), recording
        text = "".join(message["content"] for message in messages[1:] if message.get("content"))
        assert text == rows.answer(visitor.site, visitor.key).text, recording


@pytest.mark.parametrize("name", DIALECTS)
async def test_answer_over_a_network_that_breaks_off(node: Driver, visitor: Visitor, peer: Peer, name: str) -> None:
    peer.says(*answer_wire(name, TEXT, ROME))
    peer.says(*answer_wire(name, TEXT))
    ends = itertools.cycle((False, True))
    faults = [Fault(cut_at=at, by_reset=next(ends), slice=97) for at in (0, 40, 900, 1100, 700, 1500, 1300, 2000, 2500)]
    async with Cable(visitor.site, faults=faults) as cable:
        agent = _agent(node, visitor, cable.url)
        messages = await _asked(agent, f"tools-{name}")
        assert cable.cuts >= 4
    assert messages == await _loaded(node, visitor)
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "assistant"]
    assert [messages[1]["content"], messages[3]["content"]] == [TEXT, TEXT]
    assert len(rows.answers(visitor.site, visitor.key)) == 1


@pytest.mark.parametrize("name", DIALECTS)
async def test_answer_is_taken_up_in_another_process(
    node: Driver, visitor: Visitor, peer: Peer, start_site: StartSite, name: str
) -> None:
    gate, begun = asyncio.Event(), until_delta(name, TEXT, "three ")
    peer.says(*begun, gate, *answer_wire(name, TEXT)[len(begun) :])
    other = start_site("daphne", database=str(visitor.site.database))
    async with Cable(visitor.site) as cable:
        agent = _agent(node, visitor, cable.url)
        asking = asyncio.create_task(_asked(agent, f"peer-{name}"))
        await agent.until(lambda state: state["messages"][-1].get("content") == "One two three ")
        await agent.do("move", f"{other.url}/api/agui")
        cable.cut()
        await agent.until(lambda state: [event["type"] for event in state["events"]].count("RUN_STARTED") == 2)
        gate.set()
        messages = await asking
    assert messages[1]["content"] == TEXT
    assert messages == await _loaded(node, visitor)
    assert not any(event["type"] == "MESSAGES_SNAPSHOT" for event in (await agent.state())["events"])


LOCATION = ("call_l", "ask_location", ("{}",))
MAIL = ("call_m", "send_mail", ('{"to": "me", ', '"body": "Hello"}'))
OPEN = ("call_o", "open_page", ('{"url": "/a"}',))


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("is_reloaded", [False, True])
async def test_page_answers_calls_and_questions(
    node: Driver, visitor: Visitor, peer: Peer, name: str, *, is_reloaded: bool
) -> None:
    """Two tools of the page, of which the site knows one, and an approval, in one answer."""
    peer.says(*answer_wire(name, TEXT, LOCATION, MAIL, OPEN))
    peer.says(*answer_wire(name, "Done."))
    agent = _agent(node, visitor)
    await agent.do("say", {"id": "q1", "role": "user", "content": "Hello?"})
    outputs = {"ask_location": {"city": "Oslo"}, "open_page": "opened"}
    provider = {"forwardedProps": {"provider": f"tools-{name}"}}
    if is_reloaded:
        await agent.do("ask", {**provider, "tools": [{"name": "open_page", "description": "Opens a page."}]})
        agent = _agent(node, visitor)
        await agent.do("load")
    await agent.do("converse", outputs, {"send_mail": {"approved": True}}, provider)
    messages = (await agent.state())["messages"]
    assert messages == await _loaded(node, visitor)
    results = {one["toolCallId"].partition(":")[2]: one["content"] for one in messages if one["role"] == "tool"}
    assert results == {"call_l": '{"city":"Oslo"}', "call_m": "sent", "call_o": '"opened"'}
    assert messages[-1]["content"] == "Done."


async def test_stopped_answer_is_not_continued(node: Driver, visitor: Visitor, peer: Peer) -> None:
    whole = answer_wire("chat", TEXT, OPEN)
    peer.says(*whole[:-3], HANG)
    agent = _agent(node, visitor)
    await agent.do("say", {"id": "q1", "role": "user", "content": "Hello?"})
    provider = {"forwardedProps": {"provider": "tools-chat"}}
    conversing = agent.begin("converse", {"open_page": "opened"}, {}, provider)
    await agent.until(lambda state: any(event["type"] == "TOOL_CALL_ARGS" for event in state["events"]))
    assert await agent.do("stop") == {"status": "stopping"}
    await conversing
    state = await agent.state()
    assert state["events"][-1]["outcome"] == {"type": "cancelled"}
    assert len(rows.answers(visitor.site, visitor.key)) == 1
    assert state["messages"] == await _loaded(node, visitor)
