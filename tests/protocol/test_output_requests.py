"""Request bodies that ask for an object, in each dialect and each way."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from streaming.protocol import GenerationRequest, OutputSpec, ToolSpec, encode
from streaming.protocol.requests import Way, way_for, with_output

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
STRICT = SCHEMA | {"required": ["a"], "additionalProperties": False}
SPEC = OutputSpec(name="Answer", schema=SCHEMA, strict=STRICT, description="One number.")
WEATHER = ToolSpec(name="weather", description="Forecast", parameters={"type": "object", "properties": {}})
DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")


def body(dialect: str, way: Way, **fields: Any) -> dict[str, Any]:
    request = GenerationRequest(turns=(), model="m", output=SPEC, **fields)
    return encode(dialect, with_output(request, way))


def test_schema_mode_is_the_vendors_own() -> None:
    named = {"name": "Answer", "schema": STRICT, "strict": True}
    assert body("openai-chat", "schema")["response_format"] == {"type": "json_schema", "json_schema": named}
    assert body("openai-responses", "schema")["text"] == {"format": {"type": "json_schema"} | named}
    wanted = {"format": {"type": "json_schema", "schema": STRICT}}
    assert body("anthropic-messages", "schema")["output_config"] == wanted


def test_extra_may_add_to_the_field_that_holds_the_schema() -> None:
    text = body("openai-responses", "schema", extra={"text": {"verbosity": "low"}})["text"]
    assert (text["verbosity"], text["format"]["name"]) == ("low", "Answer")
    config = body("anthropic-messages", "schema", extra={"output_config": {"effort": "low"}})["output_config"]
    assert (config["effort"], config["format"]["type"]) == ("low", "json_schema")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("way", ["tool", "prompt"])
def test_other_ways_use_no_mode(dialect: str, way: Way) -> None:
    assert not body(dialect, way).keys() & {"response_format", "text", "output_config"}
    assert not encode(dialect, GenerationRequest(turns=())).keys() & {"response_format", "text", "output_config"}


def test_tool_is_forced() -> None:
    choices = {
        "openai-chat": {"type": "function", "function": {"name": "Answer"}},
        "openai-responses": {"type": "function", "name": "Answer"},
        "anthropic-messages": {"type": "tool", "name": "Answer"},
    }
    for dialect, choice in choices.items():
        sent = body(dialect, "tool")
        assert sent["tool_choice"] == choice
        assert "One number." in str(sent["tools"])


@pytest.mark.parametrize(
    ("given", "sent"), [(None, "required"), ("auto", "required"), ("weather", "weather"), ("none", "Answer")]
)
def test_model_may_call_other_tools_until_the_last_step(given: str | None, sent: str) -> None:
    request = GenerationRequest(turns=(), tools=(WEATHER,), tool_choice=given, output=SPEC)
    asked = with_output(request, "tool")
    assert [tool.name for tool in asked.tools] == ["weather", "Answer"]
    assert asked.tool_choice == sent


def test_prompt_has_the_schema() -> None:
    system = body("openai-chat", "prompt", system="Be kind.")["messages"][0]["content"]
    assert system.startswith("Be kind.\n\nAnswer only with one JSON object")
    assert system.endswith(msgspec.json.encode(SCHEMA).decode())


@pytest.mark.parametrize("way", get_args(Way))
def test_request_without_an_output_stays(way: Way) -> None:
    request = GenerationRequest(turns=(), tools=(WEATHER,))
    assert with_output(request, way) is request


@pytest.mark.parametrize(
    ("change", "ways"),
    [
        ({}, ["schema", "schema", "schema"]),
        ({"strict": None}, ["tool", "tool", "tool"]),
        ({"is_recursive": True}, ["schema", "schema", "tool"]),
    ],
)
def test_tool_takes_over_where_a_mode_cannot_express_the_type(change: dict[str, Any], ways: list[str]) -> None:
    spec = msgspec.structs.replace(SPEC, **change)
    assert [way_for(spec, "schema", dialect) for dialect in DIALECTS] == ways
    assert way_for(spec, "prompt", "openai-chat") == "prompt"


def test_name_is_apart_from_those_of_tools() -> None:
    assert SPEC.apart_from({"weather"}) is SPEC
    assert SPEC.apart_from({"Answer", "Answer_2"}).name == "Answer_3"
    long = msgspec.structs.replace(SPEC, name="x" * 64)
    assert len(long.apart_from({"x" * 64}).name) <= 64
