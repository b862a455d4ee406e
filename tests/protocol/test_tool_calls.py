"""The call that each fragment belongs to, and the cost of many fragments."""

from __future__ import annotations

import time
from typing import Any

import pytest

from streaming.protocol import StreamParser, TextPart, ToolCall, ToolCallStarted
from tests.protocol.wire import chat, chunk, fold, parse, sse, tool

END = chunk(finish="tool_calls")


CALLS: dict[str, tuple[list[Any], list[tuple[str, str, Any]]]] = {
    "arguments before the name": (
        [tool(index=0, id="a", arguments='{"x":'), tool(index=0, arguments="1}"), tool(index=0, name="f")],
        [("a", "f", {"x": 1})],
    ),
    "arguments before the id and the name": (
        [tool(index=0, arguments='{"x":'), tool(index=0, id="a", name="f"), tool(index=0, arguments="1}")],
        [("a", "f", {"x": 1})],
    ),
    "id after the name": (
        [tool(index=0, name="f"), tool(index=0, id="a", name="f", arguments='{"x":1}')],
        [("a", "f", {"x": 1})],
    ),
    "another id with each fragment, and no index": (
        [tool(id="a", name="f"), *(tool(id=f"b{n}", name="", arguments=t) for n, t in enumerate(['{"x"', ":1}"]))],
        [("a", "f", {"x": 1})],
    ),
    "another id with each fragment, and the name": (
        [tool(index=0, id=f"a{n}", name="f", arguments=t) for n, t in enumerate(["", '{"x"', ":1}"])],
        [("a0", "f", {"x": 1})],
    ),
    "the head at the index of another call": (
        [
            tool(index=0, id="a", name="f", arguments='{"x":1}'),
            tool(index=0, id="b", name="g", arguments=""),
            *(tool(index=1, arguments=t) for t in ('{"y"', ":2}")),
        ],
        [("a", "f", {"x": 1}), ("b", "g", {"y": 2})],
    ),
    "an index for each fragment": (
        [tool(index=0, id="a", name="f"), *(tool(index=n + 1, arguments=t) for n, t in enumerate(['{"x"', ":1}"]))],
        [("a", "f", {"x": 1})],
    ),
    "all arguments once more, without the id": (
        [tool(index=0, id="a", name="f", arguments=t) for t in ('{"x"', ":1}")]
        + [tool(index=0, name="f", arguments='{"x":1}')],
        [("a", "f", {"x": 1})],
    ),
    "all arguments once more, with other spaces": (
        [tool(index=0, id="a", name="f", arguments=t) for t in ('{"x"', ":1}", '{ "x": 1 }')],
        [("a", "f", {"x": 1})],
    ),
    "all arguments once more, as JSON text": (
        [tool(index=0, id="a", name="f", arguments=t) for t in ('{"x"', ":1}", '"{\\"x\\": 1}"')],
        [("a", "f", {"x": 1})],
    ),
    "the name in pieces": (
        [
            tool(index=0, id="a", name="get_", arguments=""),
            *(tool(index=0, name=name) for name in ("wea", "ther")),
            tool(index=0, arguments='{"x":1}'),
        ],
        [("a", "get_weather", {"x": 1})],
    ),
    "the name so far": (
        [*(tool(index=0, id="a", name=name) for name in ("get_", "get_w", "get_w")), tool(index=0, arguments="{}")],
        [("a", "get_w", {})],
    ),
    "no object for the function": (
        [chunk({"tool_calls": [{"index": 0, "id": "a", "name": "f", "arguments": '{"x":1}'}]})],
        [("a", "f", {"x": 1})],
    ),
    "parameters": (
        [chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": " f\n", "parameters": {"x": 1}}}]})],
        [("a", "f", {"x": 1})],
    ),
    "the old field beside the new one": (
        [
            chunk(
                {
                    "function_call": {"name": "f", "arguments": "{}"},
                    "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}],
                }
            )
        ],
        [("a", "f", {})],
    ),
}
"""Reports: agno PR 8880, hermes-agent PR 106943 and PR 11984, dynamo PR 10988, vLLM #44098, LiteLLM #20480, continue PR
5849."""


@pytest.mark.parametrize("case", CALLS)
def test_calls_of_public_reports(case):
    payloads, calls = CALLS[case]
    transcript = chat(*payloads, END)
    assert [(each.id, each.name, each.arguments) for each in transcript.tool_calls] == calls


def test_call_whose_name_may_go_on_keeps_its_place():
    begun = [tool(index=0, id="a", name="f"), tool(index=1, id="b", name="g", arguments="{}")]
    assert [each.id for each in chat(*begun, END).tool_calls] == ["a", "b"]
    parts = chat(begun[0], chunk({"content": "Hi"}), END).parts
    assert [type(part) for part in parts] == [ToolCall, TextPart]


def test_name_that_was_offered_starts_the_call_at_once():
    for tools, names in ((["f"], ["f"]), (["fg"], []), (None, [])):
        parser = StreamParser("openai-chat", tools=tools)
        events = parser.feed(sse(tool(index=0, id="a", name="f")))
        assert [event.name for event in events if isinstance(event, ToolCallStarted)] == names


@pytest.mark.parametrize("name", ["functions.f", "default_api.f", "default_api:f", "f"])
def test_name_with_the_namespace_of_the_model(name):
    pieces = [tool(index=0, id="a", name=name, arguments=text) for text in ('{"x"', ":1}")]
    end = chunk(finish="tool_calls")
    (call,) = chat(*pieces, end, tools={"f"}).tool_calls
    assert (call.name, call.arguments, call.is_provider_executed) == ("f", {"x": 1}, False)
    for tools in (None, {"g"}, {name, "f"}):
        assert chat(*pieces, end, tools=tools).tool_calls[0].name == name


def test_free_text_is_not_compared():
    pieces = [chunk({"tool_calls": [{"index": 0, "id": "a", "custom": {"name": "f", "input": "  "}}]})] * 2
    assert chat(*pieces, END).tool_calls[0].raw_arguments == "    "


def test_interleaved_calls_do_not_mix():
    parts = [
        tool(index=0, id="a", name="f", arguments='{"x"'),
        tool(index=1, id="b", name="g", arguments='{"y"'),
        tool(index=0, arguments=":1}"),
        tool(index=1, arguments=":2}"),
    ]
    assert [(c.id, c.arguments) for c in chat(*parts, END).tool_calls] == [("a", {"x": 1}), ("b", {"y": 2})]


def test_index_as_text_and_id_as_number():
    parts = tool(index="0", id=7, name="f", arguments='{"x"'), tool(index="0", arguments=":1}")
    assert [(c.id, c.arguments) for c in chat(*parts, END).tool_calls] == [("7", {"x": 1})]


def test_signature_with_a_fragment_that_only_its_position_names():
    def fragments(*texts: str, **more: Any) -> dict[str, Any]:
        return chunk({"tool_calls": [{"function": {"arguments": text}} | more for text in texts]})

    signature = {"google": {"thought_signature": "s"}}
    begun = chunk({"tool_calls": [{"function": {"name": name, "arguments": '{"x":'}} for name in ("f", "g")]})
    calls = chat(begun, fragments("1}", "2}"), fragments("", "", extra_content=signature), END).tool_calls
    assert [(c.name, c.arguments, c.raw) for c in calls] == [
        ("f", {"x": 1}, {"extra_content": signature}),
        ("g", {"x": 2}, {"extra_content": signature}),
    ]


def _seconds_to_read(body: bytes) -> float:
    chunks = [body[i : i + 8192] for i in range(0, len(body), 8192)]
    began = time.process_time()
    assert fold(parse("openai-chat", chunks)).tool_calls[0].is_complete
    return time.process_time() - began


def test_arguments_in_small_fragments_cost_linear_time():
    def body(length: int) -> bytes:
        fragment = sse(tool(index=0, arguments="xxxx"))
        ends = sse(tool(index=0, id="a", name="f", arguments='{"content":"')), sse(tool(index=0, arguments='"}'), END)
        return ends[0] + fragment * (length // 4) + ends[1]

    bodies = body(64 * 1024), body(256 * 1024)
    one, four = (min(_seconds_to_read(body) for _ in range(3)) for body in bodies)
    assert four < one * 8  # four times the input; quadratic would be sixteen times


def test_name_on_every_fragment_cannot_make_the_cost_quadratic():
    body = sse(*[tool(index=0, name="f", arguments='{"a":"}')] * 20_000)
    began = time.process_time()
    parse("openai-chat", [body])
    assert time.process_time() - began < 5
