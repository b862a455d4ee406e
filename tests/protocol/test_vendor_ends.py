"""Ends of chat streams, and what comes beside the words, in the shapes that single vendors give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.protocol.wire import chat, chunk, fold, read, sse

END, DONE = chunk(finish="stop"), "[DONE]"
USAGE = {"id": "x", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


def say(text: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return chunk({"content": text} | more, finish)


@pytest.mark.parametrize("between", ["", " ", " data: ", "data:", '"'])
@pytest.mark.parametrize("before", [json.dumps(END), ""])
def test_usage_on_the_line_of_done(between, before):
    line = before + DONE + between + json.dumps(USAGE)
    transcript = chat(say("Hi"), line)
    assert (transcript.text, transcript.outcome) == ("Hi", "finished")
    assert (transcript.usage.input_tokens, transcript.usage.output_tokens) == (5, 2)


@pytest.mark.parametrize("rest", ['{"choices":[{"delta":{"content":"late"}}]}', '{"usage":', "{}", '{"error":"late"}'])
def test_other_things_on_the_line_of_done(rest):
    transcript = chat(say("Hi", "stop"), DONE + rest)
    assert (transcript.text, transcript.outcome, transcript.usage) == ("Hi", "finished", None)


@pytest.mark.parametrize("text", ["[DONE] is what it says", "[DONE]x", "[DONE]["])
def test_words_after_done_are_no_end(text):
    assert chat(say("Hi"), text).outcome == "truncated"
