"""Histories: every recording, as an earlier answer, makes a body that the vendors' own SDKs accept by its types."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from streaming.protocol import GenerationRequest, Part, TextPart, ToolCall, ToolResult, ToolSpec, Turn, encode
from streaming.protocol.requests import repair
from tests.protocol.collected import COLLECTED, dialect_of, read_recording
from tests.protocol.wire import fold, parse

pydantic = pytest.importorskip("pydantic")

DIALECTS = ["openai-chat", "openai-responses", "anthropic-messages"]
TOOL = ToolSpec(name="weather", description="Forecast", parameters={"type": "object", "properties": {}})


@cache
def body_type(dialect: str) -> Any:
    """Returns the type of the body, as the vendor's SDK defines it."""
    if dialect == "openai-chat":
        module = pytest.importorskip("openai.types.chat.completion_create_params")
        return pydantic.TypeAdapter(module.CompletionCreateParamsStreaming)
    if dialect == "openai-responses":
        module = pytest.importorskip("openai.types.responses.response_create_params")
        return pydantic.TypeAdapter(module.ResponseCreateParamsStreaming)
    # The beta types have all blocks of the others, and those of MCP and compaction.
    module = pytest.importorskip("anthropic.types.beta.message_create_params")
    return pydantic.TypeAdapter(module.MessageCreateParamsStreaming)


def history_of(path: Path) -> tuple[Turn, ...]:
    """Returns a question, the recorded answer, results of its calls if they are needed, and the next question."""
    dialect, body = read_recording(path)
    return turns_with(fold(parse(dialect, [body])).parts)


def turns_with(parts: list[Part]) -> tuple[Turn, ...]:
    open_calls = [part.id for part in parts if isinstance(part, ToolCall) and not part.is_provider_executed]
    results = tuple(ToolResult(call_id=id, output={"sky": "clear"}) for id in open_calls)
    turns = (
        Turn(role="user", parts=(TextPart(text="Hello?"),)),
        Turn(role="assistant", parts=(*parts, *results)),
        Turn(role="user", parts=(TextPart(text="And now?"),)),
    )
    return repair(turns)


def items_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = body["input"] if "input" in body else body["messages"]
    return sent


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("path", COLLECTED)
def test_body_with_a_recorded_answer_has_the_types_of_the_sdk(path: Path, dialect: str) -> None:
    turns = history_of(path)
    body = encode(dialect, GenerationRequest(turns=turns, model="m", tools=(TOOL,)))
    validate(dialect, body)
    if dialect == "openai-responses":
        assert_reasoning_is_followed(items_of(body))


@pytest.mark.parametrize("path", COLLECTED)
def test_other_vendors_get_only_words_calls_and_results(path: Path) -> None:
    """A part of another origin has nothing left that only its maker understands."""
    events = parse(dialect_of(path), [path.read_bytes()])
    for dialect in DIALECTS:
        turns = turns_with(fold(events, origin="someone else").parts)
        body = encode(
            dialect, GenerationRequest(turns=turns, model="m", tools=(TOOL,), origin=f"{dialect} example.org")
        )
        validate(dialect, body)
        kinds = {block["type"] for message in items_of(body) for block in _blocks(message)}
        assert kinds <= {"text", "input_text", "tool_use", "tool_result", "message", "function_call"} | {
            "function_call_output"
        }


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    assert not {"reasoning_content", "reasoning_details", "reasoning_opaque", "id"} & message.keys()
    content = message.get("content")
    return [
        *([{"type": message["type"]}] if "type" in message else []),
        *([block for block in content if isinstance(block, dict)] if isinstance(content, list) else []),
    ]


def validate(dialect: str, body: dict[str, Any]) -> None:
    """Raises if the body does not have the SDK's types."""
    read_all(body_type(dialect).validate_python(body))


def read_all(checked: Any) -> None:
    """Reads every iterable to its end: pydantic checks the items of an `Iterable` only then."""
    if isinstance(checked, str | bytes | int | float | None):
        return
    for value in checked.values() if isinstance(checked, dict) else getattr(checked, "__dict__", None) or checked:
        read_all(value)


def test_types_are_checked_to_the_last_block() -> None:
    content = [{"type": "tool_use", "id": "c", "name": "f", "input": "no object"}]
    body = {"model": "m", "max_tokens": 1, "stream": True, "messages": [{"role": "assistant", "content": content}]}
    with pytest.raises(pydantic.ValidationError):
        validate("anthropic-messages", body)


def assert_reasoning_is_followed(items: list[dict[str, Any]]) -> None:
    for item, follower in zip(items, [*items[1:], {}], strict=True):
        if item["type"] == "reasoning":
            assert follower.get("id"), item
