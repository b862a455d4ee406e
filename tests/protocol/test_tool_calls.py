"""The call that each fragment belongs to, and the cost of many fragments."""

from __future__ import annotations

import time

from tests.protocol.wire import chat, chunk, fold, parse, sse, tool

END = chunk(finish="tool_calls")


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
