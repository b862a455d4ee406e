"""Payloads with values of the wrong type at any place. Nothing raises, and the order of events holds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.protocol.wire import (
    TERMINAL,
    block,
    chunk,
    completed,
    created,
    fold,
    item,
    message,
    named,
    parse,
    sse,
    tool,
)

ODD: list[Any] = [
    None,
    0,
    -1,
    2.5,
    True,
    "",
    "x",
    [],
    {},
    [1],
    [None],
    [{}],
    {"a": 1},
    {"type": 5},
    {"text": []},
    10**30,
]
ROUNDS = 150

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
BODIES = {
    "openai-chat": [
        chunk({"role": "assistant", "content": "Hi", "reasoning_details": [{"type": "reasoning.text", "text": "x"}]}),
        chunk({"content": [{"type": "thinking", "thinking": [{"text": "x"}]}], "annotations": [{"url": "x"}]}),
        chunk({"images": [{"image_url": {"url": "x"}}], "extra_content": {"google": {}}, "refusal": "x"}),
        tool(index=0, id="a", name="f", arguments="{}", extra_content={"x": 1}),
        chunk(finish="stop", x_groq={"usage": {}}, search_results=[{"url": "x"}]),
        {"choices": [], "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}},
        {"error": {"message": "x", "code": 1}},
    ],
    "anthropic-messages": message(
        *block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "x"}),
        *block(1, {"type": "text", "text": "", "citations": [{}]}, {"type": "text_delta", "text": "x"}),
        *block(2, {"type": "tool_use", "id": "t", "name": "f"}, {"type": "input_json_delta", "partial_json": "{}"}),
        *block(3, {"type": "web_search_tool_result", "tool_use_id": "t", "content": [{}]}),
        *block(4, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "x"}),
    ),
    "openai-responses": [
        created(),
        *item(0, {"type": "reasoning", "summary": [{"text": "x"}]}),
        *item(1, {"type": "message", "content": [{"text": "x", "annotations": [{}]}]}),
        *item(2, CALL, {"type": "response.function_call_arguments.delta", "delta": "{}"}),
        *item(3, {"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "output": "x"}),
        *item(4, {"type": "shell_call", "action": {"commands": []}, "environment": {"type": "local"}}),
        *item(5, {"type": "image_generation_call", "result": "x", "output_format": "png"}),
        completed(output=[CALL], incomplete_details={"reason": "x"}),
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


def misshape(payloads: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    payloads = json.loads(json.dumps(payloads))
    for _ in range(rng.choice((1, 1, 3))):
        *path, last = rng.choice(list(places(payloads)))
        target: Any = payloads
        for key in path:
            target = target[key]
        target[last] = rng.choice(ODD)
    return payloads


@pytest.mark.parametrize("seed", range(ROUNDS // 25))
@pytest.mark.parametrize("dialect", BODIES)
def test_nothing_raises_and_the_order_holds(dialect, seed):
    rng = random.Random(f"{dialect} {seed}")
    for _ in range(25):
        payloads = misshape(BODIES[dialect], rng)
        body = sse(*payloads) if dialect == "openai-chat" else _named(payloads)
        events = parse(dialect, [body])
        assert [event for event in events if isinstance(event, TERMINAL)] == events[-1:]
        assert parse(dialect, [body[i : i + 100] for i in range(0, len(body), 100)]) == events
        for event in events:  # every field has its declared type
            msgspec.convert(msgspec.to_builtins(event), type(event))
        parts = list(dict.fromkeys(event.part for event in events if hasattr(event, "part") and not event.choice))
        assert parts == list(range(len(fold(events).parts)))


def _named(payloads: list[Any]) -> bytes:
    typed = [payload for payload in payloads if isinstance(payload, dict) and isinstance(payload.get("type"), str)]
    return named(*typed) + sse(*(payload for payload in payloads if payload not in typed))
