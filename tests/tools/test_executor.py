"""The executor makes results of calls: outputs, and errors for the model."""

from __future__ import annotations

import asyncio
import functools
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils.functional import lazy

from streaming.models import Owner
from streaming.protocol import ToolCall, ToolResult
from streaming.tools import Tool, ToolContext, ToolError, ToolExecutor, tool
from streaming.tools.executor import FAILED, NO_JSON, TOO_DEEP, TOO_LARGE, TOO_SLOW
from tests import sample_tools as tools
from tests.engine import cannot_be_closed

CONTEXT = ToolContext(
    owner=Owner("user:7", 7),
    conversation_key="k",
    conversation_id=uuid.uuid4(),
    generation_id=uuid.uuid4(),
    call_id="c",
)


@pytest.fixture(autouse=True)
def _fresh_calls() -> Iterator[None]:
    tools.CALLS.clear()
    tools.STUCK.clear()
    yield
    tools.STUCK.set()


def call(name: str, arguments: dict[str, Any] | None = None) -> ToolCall:
    return ToolCall(id="c", name=name, arguments=arguments or {}, is_complete=True)


async def execute(made: Tool, arguments: dict[str, Any] | None = None) -> ToolResult:
    return await ToolExecutor().execute(made, call(made.name, arguments), CONTEXT)


async def test_async_and_sync_functions_are_called_with_typed_arguments() -> None:
    assert (await execute(tools.get_weather, {"city": "Oslo"})).output == {"city": "Oslo", "days": 1, "sky": "clear"}
    assert (await execute(tools.find_place, {"place": {"city": "Oslo"}})).output == "Oslo, NO"
    assert tools.CALLS[-1] == ("find_place", {"city": "Oslo", "owner": "user:7", "call": "c"})


@pytest.mark.parametrize(
    ("made", "arguments", "told"),
    [
        (tools.get_weather, {"days": 2}, "The arguments do not fit: Object missing required field `city`."),
        (
            tools.get_weather,
            {"city": "Oslo", "days": 0},
            "The arguments do not fit: Expected `int` >= 1 - at `$.days`.",
        ),
        (tools.tells_why, {}, "The printer is out of paper."),
        (tools.gives_too_much, {}, "The tool's output is too large: 1000002 characters, at most 100000 are taken."),
        (tools.takes_long, {}, TOO_SLOW),
        (tools.hangs, {}, TOO_SLOW),
    ],
    ids=lambda value: value.name if isinstance(value, Tool) else "",
)
async def test_model_gets_the_reason_of_a_failure(made: Tool, arguments: dict[str, Any], told: str) -> None:
    result = await execute(made, arguments)
    assert (result.output, result.is_error) == (told, True)


async def test_async_function_behind_a_plain_decorator_is_awaited() -> None:
    @tool
    @functools.wraps(tools.get_weather.function)
    def decorated(**given: Any) -> Any:
        return tools.get_weather.function(**given)

    assert (await execute(decorated, {"city": "Oslo"})).output == {"city": "Oslo", "days": 1, "sky": "clear"}


async def test_text_of_a_failure_is_as_short_as_an_output(settings: Any) -> None:
    """A server of MCP writes it, so it may be of any length."""
    settings.STREAMING_MAX_TOOL_OUTPUT_CHARS = 10

    @tool
    def complain() -> None:
        raise ToolError("x" * 1_000_000)

    assert (await execute(complain)).output == "x" * 9 + "…"


async def test_output_is_measured_in_characters(settings: Any) -> None:
    settings.STREAMING_MAX_TOOL_OUTPUT_CHARS = 100

    @tool
    def greet(times: int) -> str:
        return "日" * times

    assert (await execute(greet, {"times": 98})).output == "日" * 98
    assert (await execute(greet, {"times": 99})).output == TOO_LARGE.format(size=101, limit=100)


async def test_texts_of_django_become_plain_texts() -> None:
    assert (await execute(tools.gives_django_texts, {})).output == {"safe": "<b>", "lazy": "Yes", "list": ["No"]}


async def test_text_that_fails_when_it_is_read_is_no_output() -> None:
    @tool
    def translate() -> Any:
        return {"text": lazy(lambda: {}["missing"], str)()}

    result = await execute(translate)
    assert (result.output, result.is_error) == (NO_JSON, True)


@pytest.mark.parametrize("made", [tools.exits, tools.exits_the_loop, tools.has_nothing_next, tools.panics])
async def test_tool_that_exits_ends_only_its_call_and_frees_its_place(made: Tool, settings: Any) -> None:
    settings.STREAMING_TOOL_CONCURRENCY = 1
    executor = ToolExecutor()
    for _ in range(2):
        result = await executor.execute(made, call(made.name), CONTEXT)
        assert (result.output, result.is_error) == (FAILED, True)


async def test_tool_that_gets_no_thread_frees_its_place(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STREAMING_TOOL_CONCURRENCY = 1
    executor, given = ToolExecutor(), {"place": {"city": "Oslo"}}
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_thread)
        assert (await executor.execute(tools.find_place, call("find_place", given), CONTEXT)).output == FAILED
    async with asyncio.timeout(5):
        assert (await executor.execute(tools.find_place, call("find_place", given), CONTEXT)).output == "Oslo, NO"


async def test_connection_that_cannot_be_closed_takes_no_result_away(settings: Any) -> None:
    settings.STREAMING_TOOL_CONCURRENCY = 1
    executor = ToolExecutor()

    @tool
    def count() -> int:
        connections["default"].close = cannot_be_closed  # type: ignore[method-assign]  # of this thread alone
        return 1

    async with asyncio.timeout(30):
        for _ in range(2):
            assert (await executor.execute(count, call("count"), CONTEXT)).output == 1


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(("made", "told"), [(tools.fails, FAILED), (tools.gives_no_json, NO_JSON)])
async def test_bugs_are_logged_and_not_shown_to_the_model(
    made: Tool, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    result = await execute(made)
    assert (result.output, result.is_error) == (told, True)
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(("levels", "told"), [(101, TOO_DEEP), (500, TOO_DEEP), (100_000, NO_JSON)])
async def test_output_that_is_nested_too_deep_is_an_error(levels: int, told: str) -> None:
    result = await execute(tools.gives_nested, {"levels": levels})
    assert (result.output, result.is_error) == (told, True)


async def test_calls_beyond_the_limit_wait(settings: Any) -> None:
    settings.STREAMING_TOOL_CONCURRENCY = 2
    executor = ToolExecutor()
    await asyncio.gather(*(executor.execute(tools.slow_count, call("slow_count"), CONTEXT) for _ in range(6)))
    running = most = 0
    for word, _ in tools.CALLS:
        running += 1 if word == "began" else -1
        most = max(most, running)
    assert (most, running) == (2, 0)


async def test_thread_that_hangs_keeps_its_place(settings: Any) -> None:
    """A thread cannot be stopped, so tools that hang must not fill the process with threads."""
    settings.STREAMING_TOOL_CONCURRENCY = 1
    executor = ToolExecutor()
    assert (await executor.execute(tools.hangs, call("hangs"), CONTEXT)).output == TOO_SLOW
    again = await executor.execute(tools.hangs, call("hangs"), CONTEXT)
    assert again.output == TOO_SLOW
    tools.STUCK.set()
    assert (await executor.execute(tools.slow_count, call("slow_count"), CONTEXT)).output == 1
