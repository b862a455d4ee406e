"""How each provider is asked for an object, and what the local model makes of it."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import pytest

from streaming.outputs import OutputType, judge
from streaming.protocol import GenerationRequest, StreamParser, ToolSpec, Transcript
from streaming.providers import structured_by
from streaming.providers.anthropic import Messages
from streaming.providers.local import LocalModel
from streaming.providers.openai import ChatCompletions, Responses
from streaming.runner.output import asked_of
from tests.local_model import DIALECTS, RunningModel, asked
from tests.peers import Peer


@pytest.mark.parametrize(
    ("backend", "options", "way"),
    [
        (ChatCompletions, {}, "schema"),
        (ChatCompletions, {"base_url": "https://api.openai.com/v1"}, "schema"),
        (ChatCompletions, {"base_url": "http://10.0.0.7/v1"}, "tool"),
        (ChatCompletions, {"base_url": "http://10.0.0.7/v1", "structured": "schema"}, "schema"),
        (Responses, {"structured": "prompt"}, "prompt"),
        (Messages, {}, "schema"),
        (Messages, {"base_url": "http://10.0.0.7"}, "tool"),
    ],
)
def test_way_to_ask_for_an_object(backend: Any, options: dict[str, Any], way: str) -> None:
    assert structured_by(backend(model="m", api_key="k", **options)) == way


def test_unknown_way_is_a_problem() -> None:
    [problem] = ChatCompletions.check("default", {"model": "m", "api_key": "k", "structured": "json"})
    assert problem.kind == "bad_option"
    assert "$.structured" in problem.message


def test_provider_of_a_site_is_asked_by_the_prompt() -> None:
    assert structured_by(cast(Any, object())) == "prompt"


@pytest.mark.parametrize(
    ("backend", "field"),
    [(ChatCompletions, "response_format"), (Responses, "text"), (Messages, "output_config")],
)
async def test_sdk_sends_the_schema(peer: Peer, backend: Any, field: str) -> None:
    peer.says(b"data: [DONE]\n\n")
    provider = backend(model="m", api_key="k", base_url=f"{peer.url}/v1", structured="schema")
    async for _ in provider.stream(asked_of(provider, QUESTION)):
        pass
    await provider.close()
    assert '"additionalProperties": false' in json.dumps(peer.requests[0].json[field])


class City(msgspec.Struct):
    """A city."""

    name: str
    country: str


WANTED = OutputType.of(City)
QUESTION = GenerationRequest(turns=(asked("Describe Paris."),), output=WANTED.spec, temperature=0, max_output_tokens=60)


async def _answer(provider: LocalModel, request: GenerationRequest) -> Transcript:
    parser, transcript = StreamParser(provider.dialect), Transcript()
    async for chunk in provider.stream(asked_of(provider, request)):
        for event in parser.feed(chunk):
            transcript.apply(event)
    await provider.close()
    return transcript


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS[:2])
async def test_local_model_writes_nothing_but_the_object(local_model: RunningModel, dialect: str) -> None:
    transcript = await _answer(LocalModel(dialect=dialect), QUESTION)
    verdict = judge(WANTED, transcript.parts, transcript.finish_reason or "")
    assert isinstance(verdict.value, City)
    assert not verdict.has_other_text


@pytest.mark.local_model
@pytest.mark.parametrize("options", [{"dialect": DIALECTS[2]}, {"structured": "prompt"}, {"structured": "tool"}])
async def test_local_model_may_be_asked_in_other_ways(local_model: RunningModel, options: dict[str, Any]) -> None:
    """This model is small and often writes prose, so the test takes an object or a fault."""
    transcript = await _answer(LocalModel(**options), QUESTION)
    verdict = judge(WANTED, transcript.parts, transcript.finish_reason or "")
    assert isinstance(verdict.value, City) or verdict.fault in ("missing", "cut", "malformed", "mismatch")


@pytest.mark.local_model
async def test_local_model_with_tools_is_asked_by_the_prompt(local_model: RunningModel) -> None:
    tool = ToolSpec(name="look_up", description="Looks up.", parameters={"type": "object", "properties": {}})
    transcript = await _answer(LocalModel(), msgspec.structs.replace(QUESTION, tools=(tool,)))
    assert transcript.outcome == "finished"
