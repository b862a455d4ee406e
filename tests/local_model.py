"""The real local model for tests. The fixture `local_model` loads it once.

    @pytest.mark.local_model
    def test_something(local_model, settings):
        settings.STREAMING_PROVIDERS = local_model.providers("anthropic-messages", temperature=0)

The model is small and its answers make little sense, but it streams, counts tokens and calls tools in all three
dialects. Its words may differ from run to run, even at temperature 0, because its cache changes the arithmetic. It
calls tools only after worked examples: `weather_question` contains some, so it always gets its calls.

Load the fixture with `pytest_plugins = ["tests.local_model"]`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest, TextPart, ToolCall, ToolResult, ToolSpec, Turn
from streaming.providers.local import WEIGHTS_NAME, LocalModel, LocalOptions, server_for

DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")


@dataclass(frozen=True)
class RunningModel:
    """The loaded model. Other clients use `url` and `api_key`, and this app uses `providers`."""

    url: str
    api_key: str
    name: str = WEIGHTS_NAME

    def providers(self, dialect: str = "openai-chat", **options: Any) -> dict[str, Any]:
        """A value for `STREAMING_PROVIDERS`."""
        backend = "streaming.providers.local.LocalModel"
        return {"default": {"BACKEND": backend, "OPTIONS": {"dialect": dialect, **options}}}


@pytest.fixture(scope="session")
def local_model() -> RunningModel:
    """Loads the model. It stays loaded for half a minute after a run, so the next run can use it."""
    try:
        address = server_for(LocalOptions(), WEIGHTS_NAME).ensure()
    except ProviderError as exc:
        pytest.skip(exc.detail)
    return RunningModel(address.url, address.api_key)


WEATHER = ToolSpec(
    name="get_weather",
    description="Weather forecast for a city",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    },
)


def asked(text: str) -> Turn:
    """A user's turn."""
    return Turn(role="user", parts=(TextPart(text=text),))


def weather_question(*, is_parallel: bool = False, **fields: Any) -> GenerationRequest:
    """A request that the model answers with one tool call, or with two if `is_parallel`."""
    examples, question = (_PAIRS, "Lima and Cairo") if is_parallel else (_SINGLES, "Lima")
    turns = [turn for number, example in enumerate(examples) for turn in _worked(number, *example)]
    extra = {"parallel_tool_calls": True} if is_parallel else {}
    return GenerationRequest(
        turns=(*turns, asked(f"Weather in {question} for 5 days?")),
        tools=(WEATHER,),
        tool_choice="required",
        **{"temperature": 0, "max_output_tokens": 120, "extra": extra, **fields},
    )


_SINGLES = (
    (2, {"Rome": "sunny"}, "It is sunny in Rome."),
    (3, {"Oslo": "snow"}, "It is snowing in Oslo."),
)
_PAIRS = (
    (2, {"Rome": "sunny", "Oslo": "snow"}, "Sun in Rome, snow in Oslo."),
    (4, {"Paris": "rain", "Bern": "fog"}, "Rain in Paris, fog in Bern."),
)


def _worked(number: int, days: int, weather: dict[str, str], answer: str) -> list[Turn]:
    """The turns of one worked example: question, calls, results, answer."""
    calls = [_call(f"call_{number}_{city}", {"city": city, "days": days}) for city in weather]
    results = [ToolResult(call_id=f"call_{number}_{city}", output=sky) for city, sky in weather.items()]
    return [
        asked(f"Weather in {' and '.join(weather)} for {days} days?"),
        Turn(role="assistant", parts=tuple(calls)),
        Turn(role="tool", parts=tuple(results)),
        Turn(role="assistant", parts=(TextPart(text=answer),)),
    ]


def _call(call_id: str, arguments: dict[str, Any]) -> ToolCall:
    raw = msgspec.json.encode(arguments).decode()
    return ToolCall(id=call_id, name=WEATHER.name, raw_arguments=raw, arguments=arguments, is_complete=True)


class Practised(LocalModel):
    """The model with worked examples before each conversation. Without them it calls no tool, even if it is forced."""

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        *worked, _ = weather_question().turns
        practised = msgspec.structs.replace(request, turns=(*worked, *request.turns))
        async with aclosing(super().stream(practised)) as body:
            async for chunk in body:
                yield chunk
