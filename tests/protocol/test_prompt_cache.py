"""What a vendor's prompt cache needs: breakpoints, a key, and a history that stays the same byte for byte."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from streaming.protocol import (
    FilePart,
    GenerationRequest,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
    Turn,
    encode,
)
from streaming.protocol.requests import with_stable_keys

DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")
TOOLS = tuple(ToolSpec(name=name, description="d", parameters={"type": "object"}) for name in ("one", "two"))
MARK = {"type": "ephemeral"}


def said(role: Any, *parts: Part | str) -> Turn:
    return Turn(role=role, parts=tuple(TextPart(text=one) if isinstance(one, str) else one for one in parts))


def body_of(*turns: Turn, **fields: Any) -> dict[str, Any]:
    given = {"system": "Be kind.", "tools": TOOLS, "uses_cache": True, "cache_key": "k"} | fields
    return encode(fields.pop("dialect", "anthropic-messages"), GenerationRequest(turns=turns, **given))


def marked(body: dict[str, Any]) -> list[str]:
    """The places of the breakpoints, in the order of the cache."""
    found = [f"tool {at}" for at, tool in enumerate(body.get("tools", ())) if "cache_control" in tool]
    found += ["system" for block in body.get("system", ()) if "cache_control" in block]
    for at, message in enumerate(body["messages"]):
        found += [f"{at}.{number}" for number, block in enumerate(message["content"]) if "cache_control" in block]
    return found


CALL = ToolCall(id="c", name="one", raw_arguments='{"b":1,"a":2}', arguments={"a": 2, "b": 1}, is_complete=True)
RESULT = ToolResult(call_id="c", output={"z": 1, "a": {"y": 1, "b": 2}})
IMAGE = FilePart(media_type="image/png", url="data:image/png;base64,iVBO")
PDF = FilePart(media_type="application/pdf", url="data:application/pdf;base64,JVBE")


@pytest.mark.parametrize(
    ("turns", "places"),
    [
        ((said("user", "Hi"),), ["0.0"]),
        ((said("user", "Hi", IMAGE), said("assistant", "Yes"), said("user", "And", PDF)), ["0.1", "2.1"]),
        ((said("user", "Hi"), said("assistant", "Let me see", CALL, RESULT)), ["0.0", "2.0"]),
        (
            (
                *(said("user", "1"), said("assistant", "2"), said("user", "3"), said("assistant", "4", CALL, RESULT)),
                *(said("assistant", ReasoningPart(text="hm", signature="s"), "5"), said("user", "6")),
            ),
            ["4.0", "6.0"],
        ),
        ((said("user", "Hi"), said("assistant", "It goes on")), ["0.0"]),
    ],
)
def test_breakpoints_stand_after_tools_system_and_the_users_last_two_messages(turns: Any, places: list[str]) -> None:
    body = body_of(*turns)
    assert marked(body) == ["tool 1", "system", *places]
    assert body["system"] == [{"type": "text", "text": "Be kind.", "cache_control": MARK}]


def test_nothing_is_marked_without_leave_or_beside_the_sites_own_marks() -> None:
    own = {"system": [{"type": "text", "text": "Mine", "cache_control": MARK}]}
    assert marked(body_of(said("user", "Hi"), uses_cache=False)) == []
    assert marked(body_of(said("user", "Hi"), extra=own)) == ["system"]
    assert marked(body_of(said("user", "Hi"), extra={"cache_control": MARK})) == []
    assert marked(body_of(said("user", "Hi"), system="", tools=())) == ["0.0"]
    assert body_of(system="", tools=())["messages"] == []


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses"])
def test_key_is_sent_only_with_leave(dialect: str) -> None:
    asked = GenerationRequest(turns=(said("user", "Hi"),), cache_key="k", uses_cache=True)
    assert encode(dialect, asked)["prompt_cache_key"] == "k"
    for other in ({"uses_cache": False}, {"cache_key": None}):
        fields = {"cache_key": "k", "uses_cache": True} | other
        assert "prompt_cache_key" not in encode(dialect, GenerationRequest(turns=asked.turns, **fields))


RAW = {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "e"}
MESSAGE = {"type": "message", "id": "msg"}


def turned(value: Any) -> Any:
    """The value with the keys of each object in the other order, as a database may return them."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_body_does_not_depend_on_the_order_of_keys_that_databases_change(dialect: str) -> None:
    answer = (ReasoningPart(text="hm", raw=RAW), TextPart(text="Yes", raw=MESSAGE), CALL, RESULT)
    stored = tuple(msgspec.convert(turned(msgspec.to_builtins(part)), type(part)) for part in answer)
    bodies = [
        json.dumps(encode(dialect, GenerationRequest(turns=(said("user", "Hi"), said("assistant", *parts)))))
        for parts in (answer, stored)
    ]
    assert bodies[0] == bodies[1]


def test_what_is_nested_too_deep_to_be_sorted_stays_as_it_is() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"b": deep}
    result = ToolResult(call_id="c", output=deep)
    (turn,) = with_stable_keys([said("assistant", result)])
    assert turn.parts[0] is result
