"""Tool calls of chat streams in the shapes that single vendors give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.protocol.wire import assert_says, chat, chunk, sse, tool

CALLED, DONE = chunk(finish="tool_calls"), "[DONE]"
WHOLE = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
CALL = [("f", {"x": 1})]


def calls(*fragments: Any, finish: str | None = None) -> dict[str, Any]:
    return chunk({"tool_calls": list(fragments)}, finish)


def begun(arguments: Any = "", **more: Any) -> dict[str, Any]:
    return tool(**({"index": 0, "id": "a", "name": "f"} | more), arguments=arguments)


def grown(arguments: Any) -> dict[str, Any]:
    return tool(index=0, arguments=arguments)


PLACES: dict[str, list[Any]] = {
    "a list in the list": [chunk({"tool_calls": [[WHOLE]]})],
    "JSON as text": [chunk({"tool_calls": json.dumps([WHOLE])})],
    "a function that is JSON as text": [calls(WHOLE | {"function": json.dumps(WHOLE["function"])})],
    "one call": [chunk({"tool_call": WHOLE})],
    "another spelling": [chunk({"toolCalls": [WHOLE]})],
    "beside the delta": [{"choices": [{"index": 0, "delta": {}, "tool_calls": [WHOLE]}]}],
    "beside empty text": [{"choices": [{"index": 0, "delta": {"content": ""}, "tool_calls": [WHOLE]}]}],
    "beside a delta with a role": [{"choices": [{"index": 0, "delta": {"role": "assistant"}, "tool_calls": [WHOLE]}]}],
    "among the content": [chunk({"content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]})],
    "among the content, as here": [chunk({"content": [WHOLE | {"type": "tool_call"}]})],
    "input": [calls({"index": 0, "id": "a", "function": {"name": "f", "input": {"x": 1}}})],
    "args": [calls({"id": "a", "name": "f", "args": {"x": 1}})],
    "a name beside the function": [
        begun(name=""),
        calls({"index": 0, "name": "f", "function": {"arguments": '{"x":1}'}}),
    ],
    "arguments beside the function": [
        calls({"index": 0, "id": "a", "function": {"name": "f"}, "arguments": '{"x":1}'})
    ],
    "a name with each delta but the first": [
        begun(name=""),
        *(tool(index=0, name="f", arguments=t) for t in ('{"x"', ":1}")),
    ],
    "a finish reason with each fragment": [
        calls(WHOLE | {"function": {"name": "f", "arguments": ""}}, finish="stop"),
        *(calls({"index": 0, "function": {"arguments": t}}, finish="stop") for t in ('{"x"', ":1}")),
    ],
}


@pytest.mark.parametrize("case", PLACES)
@pytest.mark.parametrize("end", [[CALLED, DONE], [DONE], [chunk(finish="stop")]])
def test_call_at_another_place(case, end):
    wanted = {"calls": CALL, "outcome": "finished", "finish_reason": "tool_calls", "text": ""}
    assert_says("openai-chat", sse(*PLACES[case], *end), wanted)


NOTHING = ["{}", "null", '""']


@pytest.mark.parametrize("nothing", NOTHING)
def test_arguments_that_stand_for_none(nothing):
    for before in ([begun(nothing)], [begun(), grown(nothing)]):
        assert [each.arguments for each in chat(*before, CALLED).tool_calls] == [{}]
        for rest in (['{"x":1}'], ['{"x"', ":1}"], ["", "{", '"x":1}']):
            (call,) = chat(*before, *map(grown, rest), CALLED).tool_calls
            assert (call.raw_arguments, call.arguments) == ('{"x":1}', {"x": 1})


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("tail", [grown, begun])
def test_arguments_that_stand_for_none_come_after_the_whole_ones(nothing, tail):
    (call,) = chat(begun('{"x"'), grown(":1}"), tail(nothing), CALLED).tool_calls
    assert (call.raw_arguments, call.arguments) == ('{"x":1}', {"x": 1})


def test_empty_objects_within_arguments_are_kept():
    pieces = [begun('{"x":'), grown("{}"), grown(',"y":'), grown("null"), grown(',"z":'), grown('""'), grown("}")]
    assert chat(*pieces, CALLED).tool_calls[0].arguments == {"x": {}, "y": None, "z": ""}


def test_second_call_without_arguments_is_kept():
    for other in ({"index": 1, "id": "b"}, {"index": 0, "id": "b"}, {"index": 1, "id": "b", "name": "g"}):
        assert [each.arguments for each in chat(begun('{"x":1}'), begun("{}", **other), CALLED).tool_calls] == [
            {"x": 1},
            {},
        ]


def test_calls_beside_text_among_the_content():
    content = [{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}]
    transcript = chat(chunk({"content": content}), CALLED)
    assert (transcript.text, transcript.tool_calls[0].arguments) == ("Hi", {"x": 1})


@pytest.mark.parametrize("wire", ["", "x", "[1]", '{"x":', 5, [[[[1]]]], [None], {"function": "x"}])
def test_value_that_is_no_call(wire):
    transcript = chat(chunk({"content": "Hi"}), chunk({"tool_calls": wire}), chunk(finish="stop"))
    assert (transcript.text, transcript.tool_calls, transcript.finish_reason) == ("Hi", [], "stop")


def last_message(*fragments: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "tool_calls": list(fragments)}
    return {"choices": [{"index": 0, "delta": {}, "message": message, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    "begin", [begun(""), tool(index=0, id="a", arguments='{"x":1}'), begun('{"x":1}'), begun("{}")]
)
def test_last_message_has_what_a_call_lacks(begin):
    assert_says("openai-chat", sse(begin, last_message(WHOLE), DONE), {"calls": CALL})


def test_last_message_does_not_change_calls():
    other = WHOLE | {"function": {"name": "g", "arguments": '{"y":2}'}}
    assert_says("openai-chat", sse(begun('{"x":1}'), last_message(other), DONE), {"calls": CALL})
    unknown = last_message(WHOLE | {"id": "z"})
    assert_says("openai-chat", sse(begun(""), unknown, DONE), {"calls": [("f", {})]})
