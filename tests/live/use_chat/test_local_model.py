"""The stock client with the real model, whose text is not known beforehand."""

from __future__ import annotations

import pytest

from tests.live.client import Visit, Visitor
from tests.live.conftest import StartSite
from tests.live.use_chat.conftest import OpenChat

pytestmark = pytest.mark.local_model
PAIRS = [("v5", "chat"), ("v6", "messages"), ("v7", "chat"), ("v7", "responses"), ("v7-socket", "messages")]


@pytest.mark.parametrize(("client", "dialect"), PAIRS, indirect=["client"])
async def test_model_calls_the_sites_tool_and_goes_on(
    open_chat: OpenChat, visit: Visit, start_site: StartSite, dialect: str
) -> None:
    visitor = await visit(start_site("uvicorn", STREAMING_MAX_STEPS=2)).greet()
    chat = open_chat(visitor, f"calls-{dialect}")
    await chat.send("Weather in Lima for 5 days?")
    state = await chat.settled()
    assert state.status == "ready"
    called = [part for part in state.parts if part["type"] == "tool-get_weather"]
    assert called
    for part in called:
        assert (part["state"], part["output"]["sky"]) == ("output-available", "clear")
        assert part["output"]["city"] == part["input"]["city"]


async def test_answer_is_resumed_stopped_and_made_again(open_chat: OpenChat, visitor: Visitor) -> None:
    first = open_chat(visitor, "long-chat")
    answering = first.send("Write a long story about the sea.")
    await first.until(lambda state: len(state.text) > 40)
    loaded = await visitor.conversation()
    second = open_chat(visitor, "local-chat", loaded["messages"])
    resuming = second.resume()
    await second.until(lambda state: len(state.text) > 80)
    assert await visitor.stop() == "stopping"
    await answering
    await resuming
    state = await second.settled()
    assert state.messages[-1]["metadata"]["status"] == "cancelled"
    assert (await first.settled()).text == state.text
    await second.regenerate()
    again = await second.settled()
    assert (again.messages[-1]["metadata"]["status"], len(again.messages)) == ("finished", 2)
