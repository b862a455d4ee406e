"""A connection that is cut, anywhere: the real client then has the messages of the database, no word less or more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.database import in_database
from streaming.intake import Submission
from streaming.models import Generation
from streaming.protocol import OutputSpec
from streaming.supervisor import current
from streaming.testing import frames_of
from tests.agui.client import CUT, Agent, Json, asked, events_of, stored_messages
from tests.engine import ALICE, Script, submit
from tests.live.use_chat.driver import Driver
from tests.protocol.wire import completed, created, item, named
from tests.stepwise import DIALECTS, LOCATION, continued, output, says

pytestmark = pytest.mark.usefixtures("engine", "site_tools")

CALLS = (
    {"name": "get_weather", "arguments": {"city": "Oslo"}, "id": "w1"},
    {"name": "fails", "arguments": "", "id": "f1"},
)


async def _answer(scripted: Script, dialect: str) -> Generation:
    """An answer with reasoning, text and two calls, one without arguments, and a second step with the same."""
    scripted(dialect=dialect, reasoning="I think, then.", text="Let me see, now.", tool_calls=CALLS)
    generation = await submit("Well?", client_id="q1")
    await frames_of(generation.pk)
    return generation


async def _resumed(node: Driver, generation: Generation, first: str, **how: int) -> Json:
    agent = Agent(node, first + CUT, messages=asked("Well?"), **how)
    await agent.broken("runAgent")
    number, _, tag = (await agent.state())["cursor"].partition("-")
    assert tag in ("", generation.pk.hex[:8])
    await agent.do("feed", "".join(await events_of(generation, after=int(number or 0))))
    await agent.do("connectAgent")
    return await agent.state()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_whole_stream_gives_the_messages_of_the_database(node: Driver, scripted: Script, dialect: str) -> None:
    generation = await _answer(scripted, dialect)
    agent = Agent(node, "".join(await events_of(generation)), messages=asked("Well?"))
    await agent.do("runAgent")
    state = await agent.state()
    stored = await in_database(stored_messages)
    assert state["messages"] == stored
    assert state["logged"] == []
    roles = [message["role"] for message in stored]
    assert roles == ["user", "reasoning", "assistant", "tool", "tool", "reasoning", "assistant"]
    assert stored[2]["id"] == str(generation.message_id)
    assert [call["function"]["arguments"] for call in stored[2]["toolCalls"]][1] == "{}"


# Events that have arrived may be in the messages or not when the connection breaks off: all, some or none of them.
@pytest.mark.parametrize("how", [{}, {"size": 40}, {"patience": 4}], ids=str)
async def test_cut_after_every_event_loses_and_doubles_nothing(
    node: Driver, scripted: Script, how: dict[str, int]
) -> None:
    generation = await _answer(scripted, "anthropic-messages")
    events = await events_of(generation)
    stored = await in_database(stored_messages)
    for count in range(1, len(events)):
        state = await _resumed(node, generation, "".join(events[:count]), **how)
        assert state["messages"] == stored, events[count - 1]
        assert state["logged"][1:] == [], count  # the first one is the cut


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_cut_between_any_bytes_loses_and_doubles_nothing(node: Driver, scripted: Script, dialect: str) -> None:
    generation = await _answer(scripted, dialect)
    whole = "".join(await events_of(generation))
    stored = await in_database(stored_messages)
    for end in range(1, len(whole), 127):
        state = await _resumed(node, generation, whole[:end], patience=2)
        assert state["messages"] == stored, whole[:end]


async def test_continuation_that_is_cut_loses_and_doubles_nothing(node: Driver, settings: Any) -> None:
    """The client's own message of the output is replaced by the server's."""
    says(settings, ("Where?", (LOCATION,)), ("There.", ()))
    asking = await submit("Well?", client_id="q1")
    before = "".join(await events_of(asking))
    generation = await current().submit(ALICE, continued(asking, output("l1", "Oslo")))
    await frames_of(generation.pk)
    history = asked("Well?")
    events = await events_of(generation, history=history, head=generation.head_seq)
    stored = await in_database(stored_messages)
    own = {"id": "t1", "role": "tool", "toolCallId": f"{asking.message_id}:l1", "content": "Oslo"}
    for count in range(1, len(events) + 1):
        agent = Agent(node, before, "".join(events[:count]) + CUT, messages=history, patience=4)
        await agent.do("runAgent")
        await agent.do("say", own)
        await agent.broken("runAgent")
        number = int((await agent.state())["cursor"].partition("-")[0]) if count > 1 else 0
        again = {"after": number} if number else {"history": history, "head": generation.head_seq}
        await agent.do("feed", "".join(await events_of(generation, **again)))
        await agent.do("connectAgent")
        assert (await agent.state())["messages"] == stored, events[count - 1]


async def test_only_the_last_event_of_a_frame_adds_to_a_message(scripted: Script) -> None:
    """The client may get the events of a frame again, and to repeat one of these would double it."""
    generation = await _answer(scripted, "openai-chat")
    growing = {"TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT", "TOOL_CALL_ARGS", "TOOL_CALL_RESULT"}
    groups: list[list[str]] = [[]]
    for event in await events_of(generation):
        groups[-1].append(json.loads(event.rpartition("data: ")[2])["type"])
        if event.startswith("id: "):
            groups.append([])
    assert {kind for group in groups for kind in group[:-1]} & growing == set()
    assert {kind for group in groups for kind in group} >= growing


async def test_snapshot_in_the_middle_mends_whatever_the_client_has(node: Driver, scripted: Script) -> None:
    generation = await _answer(scripted, "openai-responses")
    events = await events_of(generation)
    stored = await in_database(stored_messages)
    history = stored[:1]
    for count in range(2, len(events), 3):
        agent = Agent(node, "".join(events[:count]) + CUT, messages=asked("Well?"))
        await agent.broken("runAgent")
        await agent.do("feed", "".join(await events_of(generation, history=history, head=count)))
        await agent.do("connectAgent")
        state = await agent.state()
        assert state["messages"] == stored
        assert sum(event["type"] == "MESSAGES_SNAPSHOT" for event in state["events"]) == 1


@pytest.mark.parametrize("name", ["ask_location", "Answer"], ids=["a call", "an object"])
async def test_arguments_that_the_server_replaced_at_the_end_reach_the_client(
    node: Driver, scripted: Script, name: str
) -> None:
    """The protocol only adds to arguments and texts, so the client gets all messages before the end."""
    call = {"type": "function_call", "id": "i", "call_id": "c", "name": name, "arguments": ""}
    delta = {"type": "response.function_call_arguments.delta", "delta": "gAAAcipher"}
    body = named(created(), *item(0, call, delta, arguments='{"city":"Oslo"}'), completed())
    scripted(chunks=[body], structured="tool", dialect="openai-responses")
    output = OutputSpec(name="Answer", schema={"type": "object"}) if name == "Answer" else None
    generation = await current().submit(ALICE, Submission(key="c1", prompt="Well?", client_id="q1"), output=output)
    await frames_of(generation.pk)
    stored = await in_database(stored_messages)
    assert "cipher" not in json.dumps(stored)
    assert "Oslo" in json.dumps(stored)
    agent = Agent(node, "".join(await events_of(generation)), messages=asked("Well?"))
    await agent.do("runAgent")
    assert (await agent.state())["messages"] == stored
