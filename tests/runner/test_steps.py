"""Steps: a model calls tools, gets their results, and is asked again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import Any

import msgspec
import pytest

from streaming.protocol import GenerationRequest, ReasoningPart, ToolCall, ToolResult
from tests import sample_tools as tools
from tests.stepwise import (
    MAIL,
    NAMES,
    WEATHER,
    Steps,
    kinds,
    requests,
    run,
    says,
)

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


THINKING = b"""event: content_block_start
data: {"type":"content_block_start","index":9,"content_block":{"type":"thinking","thinking":"hm","signature":"sig"}}

event: content_block_stop
data: {"type":"content_block_stop","index":9}

"""


async def test_model_gets_the_results_of_its_tools_and_continues(settings: Any, dialect: str) -> None:
    says(settings, ("Let me see. ", (WEATHER,)), ("It is clear.", ()), dialect=dialect)
    row, chunks = await run()
    before, call, result, after = row.message.typed_parts
    assert isinstance(call, ToolCall)
    assert row.message.typed_parts == (
        msgspec.structs.replace(before, text="Let me see. "),
        call,
        ToolResult(call_id=call.id, output={"city": "Oslo", "days": 1, "sky": "clear"}),
        msgspec.structs.replace(after, text="It is clear."),
    )
    assert kinds(chunks) == [
        "start", "start-step", "text-start", "text-delta", "text-end", "tool-input-start", "tool-input-delta",
        "tool-input-available", "tool-output-available", "finish-step", "start-step", "text-start", "text-delta",
        "text-end", "finish-step", "finish",
    ]  # fmt: skip
    assert (row.status, row.finish_reason, row.attempts, row.input_tokens) == ("finished", "stop", 2, 20)
    first, second = requests()
    assert [spec.name for spec in first.tools] == list(NAMES)
    assert second.turns[-1].parts == (before, call, result)


async def test_calls_of_one_step_run_concurrently(settings: Any) -> None:
    calls = tuple((f"c{number}", "get_weather", '{"city": "Oslo"}') for number in range(6))
    says(settings, ("", calls), ("Done.", ()))
    row, _ = await run()
    results = [part for part in row.message.typed_parts if isinstance(part, ToolResult)]
    assert {result.call_id for result in results} == {id for id, _, _ in calls}
    assert len(tools.CALLS) == 6


async def test_call_id_that_is_used_again_gets_a_suffix(settings: Any) -> None:
    says(settings, ("", (WEATHER,)), ("", (WEATHER,)), ("Done.", ()))
    row, chunks = await run()
    calls = [part.id for part in row.message.typed_parts if isinstance(part, ToolCall)]
    assert calls == ["c1", "c1_2"]
    assert [chunk["toolCallId"] for chunk in chunks if chunk["type"] == "tool-output-available"] == calls


async def test_last_step_may_not_call_tools(settings: Any) -> None:
    settings.STREAMING_MAX_STEPS = 3
    says(settings, ("", (WEATHER,)), options={"tool_choice": "required"})
    row, _ = await run()
    assert [request.tool_choice for request in requests()] == [None, "auto", "none"]
    assert (row.status, len(tools.CALLS)) == ("finished", 2)


async def test_incomplete_call_is_not_executed(settings: Any) -> None:
    says(settings, ("", (("c1", "get_weather", '{"city": "Os'),)))
    row, _ = await run()
    assert (row.status, tools.CALLS) == ("finished", [])


async def test_provider_and_conversation_restrict_the_tools(settings: Any) -> None:
    says(settings, ("Hi", ()), TOOLS=["find_place", "get_weather"])
    row, _ = await run()
    row.conversation.tools = ["send_mail", "gone"]
    await row.conversation.asave()
    await run(prompt="Again")
    offered = [[spec.name for spec in request.tools] for request in requests()]
    assert offered == [["find_place", "get_weather"], ["send_mail"]]


async def test_live_fields_reach_readers(settings: Any) -> None:
    says(settings, ("", (MAIL,)))
    _, chunks = await run()
    fields = [chunk for chunk in chunks if chunk["type"] == "data-tool-field"]
    assert "".join(chunk["data"]["delta"] for chunk in fields) == "Hello there"
    assert len(fields) > 1
    assert {(chunk["data"]["toolCallId"], chunk["data"]["field"], chunk["transient"]) for chunk in fields} == {
        ("m1", "body", True)
    }


async def test_reasoning_is_sent_back_with_the_calls(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says(settings, ("", (WEATHER,)), ("Clear.", ()), dialect="anthropic-messages")
    original = Steps._body

    def with_reasoning(self: Steps, request: GenerationRequest) -> Iterator[bytes]:
        pieces = list(original(self, request))
        if len(self.requests) == 1:
            pieces.insert(1, THINKING)
        return iter(pieces)

    monkeypatch.setattr(Steps, "_body", with_reasoning)
    await run()
    assert requests()[-1].turns[-1].parts[0] == ReasoningPart(
        text="hm", signature="sig", origin="anthropic-messages default"
    )


async def test_retry_in_a_later_step_keeps_what_came_before(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    says(settings, ("", (WEATHER,)), ("", ()), ("Clear.", ()))
    original = Steps.stream

    async def flaky(self: Steps, request: GenerationRequest) -> AsyncGenerator[bytes]:
        if len(self.requests) == 1:
            self.requests.append(request)
            yield b'data: {"error": {"code": "overloaded", "message": "busy", "type": "overloaded_error"}}\n\n'
            return
        async for piece in original(self, request):
            yield piece

    monkeypatch.setattr(Steps, "stream", flaky)
    row, _ = await run()
    assert (row.status, row.attempts, row.message.text) == ("finished", 3, "Clear.")
    assert len(tools.CALLS) == 1
