"""Events of a server's own within a plain stream. They look like payloads of a gateway, but they are none."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import Unknown
from tests.protocol.test_reported_blocks import text
from tests.protocol.wire import chunk, completed, created, fold, item, message, named, read, sse

HELLO = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}
PLAIN: dict[str, tuple[bytes, bytes]] = {
    "openai-chat": (sse(chunk({"content": "H"})), sse(chunk({"content": "i"}), chunk(finish="stop"), "[DONE]")),
    "anthropic-messages": (named(*message()[:1], *text(0)), named(*message()[1:])),
    "openai-responses": (named(created(), *item(0, {"type": "message", "id": "m"}, HELLO)), named(completed())),
}
"""The beginning and the end of a stream whose answer is "Hi"."""

REPORTS: list[Any] = [
    {"tool": "search", "result": {"error": "no hits"}},
    {"tool": "search", "output": {"type": "error", "error": {"message": "no hits"}}},
    {"tool": "search", "output": {"text": "3 hits", "finish_reason": "stop"}},
    {"tool": "search", "output": [{"type": "message", "content": "3 hits"}]},
    {"tool": "search", "response": "3 hits"},
    {"tool": "ask", "data": {"choices": [{"delta": {"content": "3 hits"}, "finish_reason": "stop"}]}},
    {"tool": "ask", "data": {"type": "message", "content": [{"type": "text", "text": "3 hits"}]}},
    {"content": [{"type": "text", "text": "3 hits"}], "isError": False},
    {"event": "progress", "delta": "3 hits"},
]


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("dialect", PLAIN)
def test_report_on_a_tool_is_no_part_of_the_answer(dialect, report):
    begin, end = PLAIN[dialect]
    events = read(dialect, begin + sse(report) + end)
    assert [each for each in events if not isinstance(each, Unknown)] == read(dialect, begin + end)
    assert (fold(events).outcome, fold(events).text) == ("finished", "Hi")
