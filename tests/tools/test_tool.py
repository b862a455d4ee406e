"""A tool is made from a function: its schema, its description and its rules."""

from __future__ import annotations

import ast
import functools
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import pytest

from streaming.tools import Toolbox, ToolContext, ToolExecutor, tool
from tests import sample_tools as tools


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
def test_context_is_not_in_the_schema(hint: Any) -> None:
    def look(context: Any) -> str:
        """Look."""
        return "seen"

    look.__annotations__["context"] = hint
    assert tool(look).spec.parameters["properties"] == {}


def test_annotation_that_cannot_be_read_is_reported() -> None:
    def look(city: str) -> str:
        return city

    look.__annotations__["return"] = "Nowhere"
    with pytest.raises(TypeError, match="'look' cannot be read"):
        tool(look)


def test_schema_of_a_struct_is_in_the_definitions() -> None:
    schema = tools.find_place.spec.parameters
    assert schema["properties"] == {"place": {"$ref": "#/$defs/Place"}}
    assert schema["$defs"]["Place"]["properties"]["city"] == {"type": "string"}
    assert schema["required"] == ["place"]


def test_functions_that_cannot_be_tools_are_refused() -> None:
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
    with pytest.raises(TypeError, match="name 'nothing', which is no parameter"):
        tool(live_fields=["nothing"])(tools.fails.function)


def test_rule_of_approval_must_not_be_async() -> None:
    async def rule(given: dict[str, Any]) -> bool:
        return False

    with pytest.raises(TypeError, match="must not be an async function"):
        tool(name="any", needs_approval=rule)(lambda: None)  # type: ignore[arg-type]


class Callable:
    def __call__(self) -> None: ...


def yields() -> Any:
    yield 1


async def yields_later() -> Any:
    yield 1


@pytest.mark.parametrize("thing", [Callable(), functools.partial(print), yields, yields_later, Callable])
def test_tool_must_be_a_function_that_returns(thing: Any) -> None:
    for named in (tool, tool(name="any")):
        with pytest.raises(TypeError, match="A tool is a function that returns its output"):
            named(thing)


@pytest.mark.parametrize("seconds", [0, -1, 1e15, float("nan"), "5"])
def test_time_limit_of_a_tool_must_be_possible(seconds: Any) -> None:
    words = f"The seconds of tool 'wait' must be a number of seconds above 0, at most 1000000000, not {seconds!r}."
    with pytest.raises(TypeError, match=re.escape(words)):
        tool(name="wait", seconds=seconds)(lambda: None)


def test_two_tools_of_one_name_are_refused() -> None:
    other = tool(name="get_weather")(lambda: None)
    assert list(Toolbox.of([tools.get_weather, tools.get_weather]).tools) == ["get_weather"]
    with pytest.raises(TypeError, match="Two tools have the name 'get_weather'"):
        Toolbox.of([tools.get_weather, other])


def test_examples_in_the_documentation_work(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/tools.md").read_text()
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
