"""Chat streams that gateways and relays broke. No words, calls or errors may be lost or made up.

Each case has the payloads and the result that `assert_says` must find.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import ReasoningSigned, Unknown
from tests.protocol.wire import assert_says, chat, chunk, fold, read, sse, tool

END = chunk(finish="stop")
CALLED = chunk(finish="tool_calls")


def content(*items: Any) -> dict[str, Any]:
    return chunk({"content": list(items)})


def choice(finish: str | None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": finish} | fields]}


THOUGHT = {"type": "summary_text", "text": "Let me", "signature": ""}
NO_ID_CALLS = [tool(index=0, id="", name=name, arguments="{}") for name in "fg"]
MINIMAX = {"choices": None, "base_resp": {"status_code": 1027, "status_msg": "output new_sensitive"}}
OPENROUTER = {"error": {"code": 502, "message": "went away"}}

CHAT: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "two calls without ids or arguments, told apart by name": (
        [*NO_ID_CALLS, CALLED],
        {"calls": [("f", {}), ("g", {})]},
    ),
    "index as text, then as a number": (
        [tool(index="0", id="a", name="f", arguments='{"x"'), tool(index=0, arguments=":1}"), CALLED],
        {"calls": [("f", {"x": 1})]},
    ),
    "one fragment instead of a list": (
        [chunk({"tool_calls": {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}}), CALLED],
        {"calls": [("f", {})]},
    ),
    "reasoning called thinking": ([chunk({"thinking": "hm"}), END], {"reasoning": "hm"}),
    "reasoning called reasoning_text": ([chunk({"reasoning_text": "hm"}), END], {"reasoning": "hm"}),
    "content is one part": (
        [content({"type": "text", "text": "a"}), chunk({"content": {"type": "text", "text": "b"}}), END],
        {"text": "ab"},
    ),
    "content is a list of texts": ([content("a", "b"), END], {"text": "ab"}),
    "content has output_text": ([content({"type": "output_text", "text": "a"}), END], {"text": "a"}),
    "content has reasoning": ([content({"type": "reasoning", "text": "r"}, "a"), END], {"text": "a", "reasoning": "r"}),
    "content has a summary of reasoning": (
        [content({"type": "reasoning", "summary": [THOUGHT]}), content("a"), END],
        {"text": "a", "reasoning": "Let me"},
    ),
    "a list of chunks": ([[chunk({"content": "a"}), chunk({"content": "b"})], END], {"text": "ab"}),
    "data prefixed twice": (["data: " + json.dumps(chunk({"content": "a"})), END], {"text": "a"}),
    "whole text so far, one character first": (
        [*(chunk({"content": text}) for text in ("我", "我是", "我是通义")), END],
        {"text": "我是通义"},
    ),
    "laughter that looks like it": (
        [*(chunk({"content": text}) for text in ("哈", "哈哈", "哈哈哈")), END],
        {"text": "哈哈哈哈哈哈"},
    ),
    "error in the choice": (
        [chunk({"content": "a"}), choice("error", **OPENROUTER)],
        {"outcome": "failed", "text": "a", "error.message": "went away", "error.code": "502"},
    ),
    "error in the choice, beside a stop": (
        [choice("stop", native_finish_reason="error", **OPENROUTER), {"choices": [], "usage": {"prompt_tokens": 1}}],
        {"outcome": "failed", "error.message": "went away"},
    ),
    "error in the choice, and nothing after": ([choice(None, **OPENROUTER)], {"outcome": "failed"}),
    "base_resp": ([MINIMAX], {"outcome": "failed", "error.message": "output new_sensitive", "error.code": "1027"}),
    "base_resp without fault": ([{"choices": None, "base_resp": {"status_code": 0}}, END], {"outcome": "finished"}),
    "error_msg": (
        [{"error_code": 17, "error_msg": "daily limit"}],
        {"outcome": "failed", "error.message": "daily limit", "error.code": "17"},
    ),
    "error_message": (
        [{"choices": None, "error_type": "BadRequestError", "error_message": "too long"}],
        {"outcome": "failed", "error.message": "too long", "error.type": "BadRequestError"},
    ),
}


@pytest.mark.parametrize("case", CHAT)
def test_nothing_of_a_chat_stream_is_lost_or_made_up(case):
    payloads, wanted = CHAT[case]
    assert_says("openai-chat", sse(*(p if isinstance(p, str) else json.dumps(p) for p in payloads)), wanted)


@pytest.mark.parametrize("tail", ["", "\n", "\r\n\r\n"])
def test_error_appended_without_framing(tail):
    body = sse(chunk({"content": "a"})) + b'{"error":{"message":"upstream died","code":502}}' + tail.encode()
    transcript = fold(read("openai-chat", body))
    assert (transcript.outcome, transcript.text, transcript.error.message) == ("failed", "a", "upstream died")


def test_other_json_appended_without_framing_is_unknown():
    events = read("openai-chat", sse(chunk({"content": "a"}), END) + b'{"status":"ok"}')
    assert Unknown('{"status":"ok"}') in events
    assert fold(events).outcome == "finished"


def test_page_with_a_line_that_looks_like_data():
    transcript = fold(read("openai-chat", b"<html>\n<pre>\ndata: x\n</pre></html>\n"))
    assert (transcript.outcome, transcript.error.code) == ("failed", "not_sse")


def test_half_a_surrogate_pair_in_arguments_is_not_cut_off():
    (found,) = chat(tool(index=0, id="a", name="f", arguments='{"x":"\\ud83d"}'), CALLED).tool_calls
    assert (found.arguments, found.error) == (None, "invalid_json")


def test_copilot_signs_in_pieces():
    parts = [{"reasoning_text": "hm"}, {"reasoning_opaque": "a"}, {"reasoning_opaque": "b"}, {"content": "x"}]
    events = read("openai-chat", sse(*map(chunk, parts), END))
    assert [event for event in events if isinstance(event, ReasoningSigned)] == [
        ReasoningSigned(0, None, {"field": "reasoning_text", "reasoning_opaque": "ab"})
    ]
    assert fold(events).text == "x"


def test_copilot_signs_at_the_end():
    transcript = chat(chunk({"content": "x"}), chunk({"reasoning_opaque": "a"}), chunk({"content": "y"}), END)
    assert (transcript.text, transcript.parts[-1].raw) == ("xy", {"reasoning_opaque": "a"})


def test_picture_in_the_content():
    transcript = chat(content({"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}), END)
    assert transcript.parts[0].url == "https://a.example/x.png"


def test_citations_keep_their_order():
    transcript = chat(*[chunk({"annotations": [{"n": n}]}) for n in range(3)], END)
    assert transcript.parts[0].citations == ({"n": 0}, {"n": 1}, {"n": 2})
