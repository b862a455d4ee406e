"""Tool calls: failures, stops, and calls that need a person's approval."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.intake.waiting_calls import DENIED
from streaming.protocol import ToolApproval, ToolCall, ToolResult
from streaming.runner.draft import NOT_MADE
from streaming.subscription import follow
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, drain, frames_of
from streaming.tools import BROKEN_OFF
from tests import sample_tools as tools
from tests.engine import ALICE, load, submit
from tests.stepwise import (
    MAIL,
    WEATHER,
    called,
    continued,
    decision,
    kinds,
    requests,
    run,
    says,
)

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("c1", "get_weather", "{}"), "The arguments do not fit: Object missing required field `city`."),
        (("c1", "fails", "{}"), "The tool failed."),
    ],
)
async def test_model_gets_the_failure_of_a_call_and_continues(
    settings: Any, call: tuple[str, str, str], told: str
) -> None:
    says(settings, ("", (call,)), ("I see.", ()))
    row, chunks = await run()
    assert [part.output for part in row.message.typed_parts if isinstance(part, ToolResult)] == [told]
    assert [chunk["errorText"] for chunk in chunks if chunk["type"] == "tool-output-error"] == [told]
    assert row.message.text == "I see."
    assert "secret-of-the-site" not in str(chunks)


async def test_call_of_a_tool_that_was_not_offered_is_the_servers(settings: Any, dialect: str) -> None:
    """Nobody is asked to answer it, and the model is not asked again."""
    says(settings, ("Look: ", (("c1", "web_search", "{}"),)), ("Never.", ()), dialect=dialect)
    row, chunks = await run()
    [call] = [part for part in row.message.typed_parts if isinstance(part, ToolCall)]
    assert (row.status, row.message.text, call.is_provider_executed) == ("finished", "Look: ", True)
    assert not [part for part in row.message.typed_parts if isinstance(part, ToolResult)]
    assert [chunk["providerExecuted"] for chunk in chunks if chunk["type"] == "tool-input-start"] == [True]
    assert len(requests()) == 1
    await run(prompt="And now?")
    sent = [part for turn in requests()[-1].turns for part in turn.parts]
    assert not any(isinstance(part, ToolResult) for part in sent)


async def test_offered_call_beside_one_of_the_servers_is_executed(settings: Any, dialect: str) -> None:
    says(settings, ("", (("s1", "web_search", "{}"), WEATHER)), ("Sunny.", ()), dialect=dialect)
    row, _ = await run()
    assert [name for name, _ in tools.CALLS] == ["get_weather"]
    assert [part.call_id for part in row.message.typed_parts if isinstance(part, ToolResult)] == ["c1"]
    assert (row.status, row.message.text, len(requests())) == ("finished", "Sunny.", 2)


async def test_stop_cancels_a_tool_at_work_and_keeps_other_results(settings: Any) -> None:
    says(settings, ("", (("w", "waits", "{}"), WEATHER)), ("Never.", ()))
    generation = await submit()
    await called(2)
    await asyncio.sleep(0.1)
    await stop(generation.pk)
    chunks = chunks_of(await frames_of(generation.pk))
    row = await load(generation)
    results = {part.call_id: part.output for part in row.message.typed_parts if isinstance(part, ToolResult)}
    assert (row.status, row.finish_reason) == ("cancelled", "")
    assert results == {"w": BROKEN_OFF, "c1": {"city": "Oslo", "days": 1, "sky": "clear"}}
    assert kinds(chunks)[-2:] == ["abort", "finish"]
    assert len(requests()) == 1


async def test_call_that_needs_approval_waits_for_it(settings: Any, dialect: str) -> None:
    says(settings, ("I would write. ", (MAIL,)), ("It is sent.", ()), dialect=dialect)
    row, chunks = await run()
    call = next(part for part in row.message.typed_parts if isinstance(part, ToolCall))
    assert (row.status, row.finish_reason, tools.CALLS) == ("finished", "tool_calls", [])
    assert row.message.typed_parts[-1] == ToolApproval(call_id=call.id)
    assert {"type": "tool-approval-request", "approvalId": call.id, "toolCallId": call.id} in chunks
    again = await current().submit(ALICE, continued(row, decision(call.id, approved=True)))
    given = chunks_of(await drain(await follow(again)))
    assert tools.CALLS == [("send_mail", {"to": "me", "body": "Hello there"})]
    assert given[0] == {"type": "start", "messageId": str(row.message_id)}
    assert kinds(given)[1:4] == ["tool-output-available", "finish-step", "start-step"]
    message = (await load(again)).message
    assert message.text == "It is sent."
    assert message.typed_parts[:2] == (
        ToolApproval(call_id=call.id, is_approved=True),
        ToolResult(call_id=call.id, output="sent"),
    )
    assert [part for turn in requests()[-1].turns for part in turn.parts if isinstance(part, ToolResult)] == [
        ToolResult(call_id=call.id, output="sent")
    ]


async def test_refused_call_is_not_executed_and_the_model_gets_the_reason(settings: Any) -> None:
    says(settings, ("", (MAIL,)), ("As you wish.", ()))
    row, _ = await run()
    again = await current().submit(ALICE, continued(row, decision("m1", approved=False, reason="Too long.")))
    given = chunks_of(await drain(await follow(again)))
    assert given[1] == {"type": "tool-output-denied", "toolCallId": "m1"}
    assert [part.output for part in requests()[-1].turns[-1].parts] == [f"{DENIED} Too long."]  # type: ignore[union-attr]
    assert tools.CALLS == []


async def test_approval_may_depend_on_the_arguments(settings: Any) -> None:
    says(settings, ("", (("p1", "pay", '{"amount": 5}'), ("p2", "pay", '{"amount": 50}'))))
    row, _ = await run()
    assert tools.CALLS == [("pay", {"amount": 5})]
    assert [part for part in row.message.typed_parts if isinstance(part, ToolApproval)] == [ToolApproval(call_id="p2")]


async def test_approval_depends_on_the_arguments_that_the_tool_would_get(settings: Any) -> None:
    """The rule also sees the tool's default values. Nobody is asked about a call with invalid arguments."""
    settings.STREAMING_TOOLS = ["tests.sample_tools.tips_somebody"]
    says(settings, ("", (("t1", "tip", "{}"), ("t2", "tip", '{"amount": "all"}'), ("t3", "tip", '{"amount": 2}'))))
    row, _ = await run()
    parts = row.message.typed_parts
    assert [part.call_id for part in parts if isinstance(part, ToolApproval)] == ["t1"]
    assert {part.call_id: part.is_error for part in parts if isinstance(part, ToolResult)} == {"t2": True, "t3": False}
    assert tools.CALLS == [("tip", {"amount": 2})]


async def test_rule_of_approval_may_query_the_database(settings: Any) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.looks_something_up"]
    says(settings, ("", (("r1", "looks_up", '{"title": "Hi"}'), ("r2", "looks_up", '{"title": "Ho"}'))))
    row, _ = await run()
    assert tools.CALLS == [("looks_up", {"title": "Hi"})]
    assert [part for part in row.message.typed_parts if isinstance(part, ToolApproval)] == [ToolApproval(call_id="r2")]


async def test_approved_call_is_not_executed_after_a_stop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says(settings, ("", (MAIL,)), ("Sent.", ()))
    row, _ = await run()

    async def hangs(*given: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("streaming.runner.fitting.with_files", hangs)
    again = await current().submit(ALICE, continued(row, decision("m1", approved=True)))
    await stop(again.pk)
    given = chunks_of(await drain(await follow(again)))
    assert kinds(given) == ["start", "tool-output-error", "finish-step", "start-step", "finish-step", "abort", "finish"]
    assert tools.CALLS == []
    assert (await load(again)).message.typed_parts[-1] == ToolResult(call_id="m1", output=NOT_MADE, is_error=True)
