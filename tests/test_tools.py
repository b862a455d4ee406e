"""Tools by themselves: what a model is told of a function, and what it is given for a call."""

from __future__ import annotations

import ast
import asyncio
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest

from streaming.models import Owner
from streaming.protocol.parts import ToolCall, ToolResult
from streaming.tools import Tool, ToolContext, ToolExecutor, tool
from streaming.tools.executor import FAILED, NO_JSON, TOO_DEEP, TOO_SLOW
from tests import tools

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


def test_schema_is_the_signature() -> None:
    assert tools.get_weather.spec.description == "The weather of a city."
    assert tools.get_weather.spec.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer", "description": "How far ahead.", "minimum": 1, "default": 1},
        },
        "required": ["city"],
    }


@pytest.mark.parametrize("hint", [ToolContext, ToolContext | None, Annotated[ToolContext, "whose"]])
def test_context_is_never_the_models(hint: Any) -> None:
    def look(context: Any) -> str:
        """Look."""
        return "seen"

    look.__annotations__["context"] = hint
    assert tool(look).spec.parameters["properties"] == {}


def test_annotation_that_cannot_be_read_is_told() -> None:
    def look(city: str) -> str:
        return city

    look.__annotations__["return"] = "Nowhere"
    with pytest.raises(TypeError, match="'look' cannot be read"):
        tool(look)


def test_schema_of_a_struct_is_among_the_definitions_and_the_context_is_not() -> None:
    schema = tools.find_place.spec.parameters
    assert schema["properties"] == {"place": {"$ref": "#/$defs/Place"}}
    assert schema["$defs"]["Place"]["properties"]["city"] == {"type": "string"}
    assert schema["required"] == ["place"]


def test_functions_that_cannot_be_tools() -> None:
    def unannotated(a):  # type: ignore[no-untyped-def]  # that is the point
        pass

    def starred(*a: int) -> None:
        pass

    def of_a_socket(a: ToolExecutor) -> None:
        pass

    for function, words in ((unannotated, "annotation"), (starred, r"\*"), (of_a_socket, "JSON schema")):
        with pytest.raises(TypeError, match=words):
            tool(function)
    with pytest.raises(TypeError, match="name must match"):
        tool(name="über")(tools.fails.function)
    with pytest.raises(TypeError, match="no argument 'nothing'"):
        tool(live_fields=["nothing"])(tools.fails.function)


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
async def test_model_is_told_what_went_wrong(made: Tool, arguments: dict[str, Any], told: str) -> None:
    result = await execute(made, arguments)
    assert (result.output, result.is_error) == (told, True)


async def test_texts_of_django_are_texts() -> None:
    assert (await execute(tools.gives_django_texts, {})).output == {"safe": "<b>", "lazy": "Yes", "list": ["No"]}


@pytest.mark.parametrize("made", [tools.exits, tools.exits_the_loop, tools.has_nothing_next, tools.panics])
async def test_tool_that_exits_ends_nothing_and_leaves_its_place(made: Tool, settings: Any) -> None:
    settings.STREAMING_TOOL_CONCURRENCY = 1
    bench = ToolExecutor()
    for _ in range(2):
        result = await bench.execute(made, call(made.name), CONTEXT)
        assert (result.output, result.is_error) == (FAILED, True)


@pytest.mark.parametrize(("made", "told"), [(tools.fails, FAILED), (tools.gives_no_json, NO_JSON)])
async def test_model_is_not_told_of_bugs_but_the_log_is(
    made: Tool, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    result = await execute(made)
    assert (result.output, result.is_error) == (told, True)
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(("levels", "told"), [(101, TOO_DEEP), (500, TOO_DEEP), (100_000, NO_JSON)])
async def test_output_that_is_nested_too_deep_is_not_kept(levels: int, told: str) -> None:
    result = await execute(tools.gives_nested, {"levels": levels})
    assert (result.output, result.is_error) == (told, True)


def test_rule_of_approval_must_not_be_async() -> None:
    async def rule(given: dict[str, Any]) -> bool:
        return False

    with pytest.raises(TypeError, match="must not be async"):
        tool(name="any", needs_approval=rule)(lambda: None)  # type: ignore[arg-type]


async def test_only_so_many_run_at_once(settings: Any) -> None:
    settings.STREAMING_TOOL_CONCURRENCY = 2
    bench = ToolExecutor()
    await asyncio.gather(*(bench.execute(tools.slow_count, call("slow_count"), CONTEXT) for _ in range(6)))
    running = most = 0
    for word, _ in tools.CALLS:
        running += 1 if word == "began" else -1
        most = max(most, running)
    assert (most, running) == (2, 0)


async def test_thread_that_hangs_keeps_its_place(settings: Any) -> None:
    """Threads cannot be stopped: a tool that hangs must not be able to fill the process with them."""
    settings.STREAMING_TOOL_CONCURRENCY = 1
    bench = ToolExecutor()
    assert (await bench.execute(tools.hangs, call("hangs"), CONTEXT)).output == TOO_SLOW
    again = await bench.execute(tools.hangs, call("hangs"), CONTEXT)
    assert again.output == TOO_SLOW
    tools.STUCK.set()
    assert (await bench.execute(tools.slow_count, call("slow_count"), CONTEXT)).output == 1


def test_the_page_about_tools_is_true(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs/tools.md").read_text()
    example, *others = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.models", ModuleType("shop.models"))
    monkeypatch.setattr(sys.modules["shop.models"], "Order", object(), raising=False)
    shown: dict[str, Any] = {"__name__": "shop.tools"}
    monkeypatch.setitem(sys.modules, "shop.tools", ModuleType("shop.tools"))
    exec(compile(example, "docs/tools.md", "exec"), shown)  # our own page
    assert shown["order_status"].spec.parameters["properties"]["number"]["description"] == "The number on the invoice."
    assert shown["send_mail"].live_fields == ("body",)
    for other in others:
        compile(other, "docs/tools.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
