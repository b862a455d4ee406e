"""Tool calls: streamed in fragments, and stored after a strict check of their arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.chat import start_chat
from streaming.models import Conversation, Message, Owner
from streaming.protocol import GenerationRequest, ToolResult
from tests import sample_tools as tools
from tests.live import rows
from tests.live.client import Visitor, assert_whole
from tests.live.providers import DIALECTS
from tests.live.wires import Call, answer_wire, event
from tests.local_model import WEATHER, weather_question
from tests.peers import CUT, Peer

ASKER = Owner.of_visitor("tools")
ROME: Call = ("call_a", "get_weather", ('{"ci', 'ty": "Ro', 'me", "days"', ": 2}"))
OSLO: Call = ("call_b", "get_weather", ('{"city": "Os', 'lo", "days": 3}'))
ARGUMENTS = {"call_a": {"city": "Rome", "days": 2}, "call_b": {"city": "Oslo", "days": 3}}


@pytest.mark.local_model
@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("dialect", ["chat", "messages"])
@pytest.mark.parametrize("is_parallel", [False, True])
async def test_real_model_calls_tools(dialect: str, is_parallel: bool) -> None:
    asked = weather_question(is_parallel=is_parallel)
    key, prompt = await _conversation_with(asked)
    options = {"tools": asked.tools, "tool_choice": asked.tool_choice, "provider": f"long-{dialect}"}
    answer = await start_chat(prompt, owner=ASKER, conversation_key=key, **options)
    chunks = [chunk async for chunk in answer.chunks()]
    result = await answer.result()
    assert (result.status, result.finish_reason) == ("finished", "tool_calls")
    assert result.tool_calls
    for call in result.tool_calls:
        assert call.name == WEATHER.name
        assert call.is_complete
        assert call.arguments is not None
        assert call.arguments == json.loads(call.raw_arguments)
        assert set(call.arguments) == {"city", "days"}
        assert _fragments(chunks, call.id) == call.raw_arguments
        assert len(_deltas(chunks, call.id)) > 3, "the arguments were not streamed in fragments"
        assert _available(chunks)[call.id] == call.arguments


@pytest.mark.local_model
@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_real_model_continues_with_the_result_of_its_tool(dialect: str, settings: Any) -> None:
    """The first step is forced to call. The second step is the last one, so the model has to answer."""
    settings.STREAMING_MAX_STEPS = 2
    tools.CALLS.clear()
    asked = weather_question(is_parallel=False)
    key, prompt = await _conversation_with(asked)
    options = {"tools": [tools.get_weather], "tool_choice": "required", "provider": f"long-{dialect}"}
    answer = await start_chat(prompt, owner=ASKER, conversation_key=key, **options)
    chunks = [chunk async for chunk in answer.chunks()]
    result = await answer.result()
    assert result.status == "finished"
    told = {part.call_id: part for part in result.parts if isinstance(part, ToolResult)}
    calls = [call for call in result.tool_calls if call.is_complete]
    assert calls
    assert {call.id for call in calls} == set(told)
    assert len(tools.CALLS) == len([result for result in told.values() if not result.is_error])
    assert tools.CALLS
    assert [chunk["type"] for chunk in chunks].count("start-step") == 2
    assert "tool-output-available" in {chunk["type"] for chunk in chunks}


async def _conversation_with(asked: GenerationRequest) -> tuple[str, str]:
    """Stores a conversation of all turns but the last. Returns its key, and the last turn's text."""
    conversation = await Conversation.objects.acreate(key="tools", owner_key=ASKER.key, provider="default")
    parent = None
    *worked, question = asked.turns
    for turn in worked:
        if turn.role == "tool" and parent is not None:
            parent.set_parts((*parent.typed_parts, *turn.parts))
            await parent.asave()
            continue
        message = Message(conversation=conversation, parent=parent, role=turn.role)
        message.set_parts(turn.parts)
        await message.asave()
        parent = message
    conversation.active_leaf = parent
    await conversation.asave()
    return conversation.key, question.parts[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_parallel_calls_are_kept_apart(visitor: Visitor, peer: Peer, dialect: str) -> None:
    peer.says(*answer_wire(dialect, "Let me see. ", ROME, OSLO))
    stream = await (await visitor.ask("Weather?", f"peer-{dialect}")).whole()
    assert_whole(stream)
    assert _available(stream.chunks) == ARGUMENTS
    assert _fragments(stream.chunks, "call_a") == "".join(ROME[2])
    assert stream.chunks[-1]["finishReason"] == "tool-calls"
    stored = rows.answer(visitor.site, visitor.key)
    assert stored.generation["finish_reason"] == "tool_calls"
    text, *calls = stored.parts
    assert (text["type"], text["text"]) == ("text", "Let me see. ")
    assert {call["id"]: call["arguments"] for call in calls} == ARGUMENTS
    assert all(call["type"] == "tool-call" and call["is_complete"] for call in calls)
    shown = (await visitor.conversation())["messages"][-1]["parts"]
    assert [(part["type"], part.get("state")) for part in shown] == [
        ("text", "done"),
        ("tool-get_weather", "input-available"),
        ("tool-get_weather", "input-available"),
    ]


async def test_calls_whose_fragments_alternate_are_kept_apart(visitor: Visitor, peer: Peer) -> None:
    peer.says(*_alternating(ROME, OSLO))
    stream = await (await visitor.ask("Weather?", "peer-chat")).whole()
    assert stream.is_done
    assert _available(stream.chunks) == ARGUMENTS
    stored = rows.answer(visitor.site, visitor.key)
    assert [(call["id"], call["arguments"]) for call in stored.parts] == list(ARGUMENTS.items())


def _alternating(*calls: Call) -> list[bytes]:
    """Chat chunks that have a fragment of each call in turn."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        return event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    def fragment(index: int, text: str, **head: Any) -> bytes:
        return chunk(
            {"tool_calls": [{"index": index, "function": {"arguments": text, **head.pop("function", {})}, **head}]}
        )

    began = [fragment(index, "", id=call_id, function={"name": name}) for index, (call_id, name, _) in enumerate(calls)]
    longest = max(len(pieces) for *_, pieces in calls)
    mixed = [
        fragment(index, pieces[turn])
        for turn in range(longest)
        for index, (*_, pieces) in enumerate(calls)
        if turn < len(pieces)
    ]
    return [*began, *mixed, chunk({}, "tool_calls"), b"data: [DONE]\n\n"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_arguments_that_are_cut_off_are_never_handed_out(visitor: Visitor, peer: Peer, dialect: str) -> None:
    whole = answer_wire(dialect, "", ROME)
    inside = next(number for number, piece in enumerate(whole) if b"days" in piece)
    peer.says(*whole[: inside + 1], CUT)
    stream = await (await visitor.ask("Weather?", f"peer-{dialect}")).whole()
    assert_whole(stream)
    assert "tool-input-available" not in stream.types
    (error,) = [chunk for chunk in stream.chunks if chunk["type"] == "tool-input-error"]
    assert error["errorText"] == "The arguments were cut off."
    stored = rows.answer(visitor.site, visitor.key)
    (call,) = stored.parts
    assert stored.status == "truncated"
    assert not call.get("is_complete")
    assert call.get("arguments") is None
    assert (call["error"], call["raw_arguments"]) == ("truncated", '{"city": "Rome", "days"')
    (_, answer) = (await visitor.conversation())["messages"]
    assert answer["parts"][0]["state"] == "output-error"
    assert "input" not in answer["parts"][0]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [("[1]", "not_an_object"), ('{"city": Rome}', "invalid_json"), ('{"a": 1}{"b": 2}', "concatenated")],
)
async def test_arguments_that_are_wrong_are_never_handed_out(
    visitor: Visitor, peer: Peer, arguments: str, error: str
) -> None:
    peer.says(*answer_wire("chat", "", ("call_a", "get_weather", (arguments,))))
    stream = await (await visitor.ask("Weather?", "peer-chat")).whole()
    assert_whole(stream)
    assert "tool-input-available" not in stream.types
    (call,) = rows.answer(visitor.site, visitor.key).parts
    assert (call.get("is_complete", False), call.get("arguments"), call["error"]) == (False, None, error)


def _deltas(chunks: list[dict[str, Any]], call_id: str) -> list[str]:
    return [
        chunk["inputTextDelta"]
        for chunk in chunks
        if chunk["type"] == "tool-input-delta" and chunk["toolCallId"] == call_id
    ]


def _fragments(chunks: list[dict[str, Any]], call_id: str) -> str:
    return "".join(_deltas(chunks, call_id))


def _available(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    return {chunk["toolCallId"]: chunk["input"] for chunk in chunks if chunk["type"] == "tool-input-available"}
