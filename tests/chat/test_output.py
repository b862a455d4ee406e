"""`streaming.chat` with `output=Type`: objects, partial objects and verdicts, however the provider is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streaming.chat import Result, chat, go_on, start_chat
from streaming.errors import GenerationError, OutputInvalid
from streaming.models import Message
from streaming.protocol import TextPart, ToolApproval
from streaming.providers import get_provider
from tests import sample_tools as tools
from tests.engine import Script
from tests.stepwise import DIALECTS, MAIL, WEATHER, requests, says
from tests.wanted import RECIPE, SOUP, Cat, Dog, Node, Point, Recipe

pytestmark = pytest.mark.usefixtures("engine")

Answers = Callable[..., None]


@pytest.fixture(params=["schema", "tool", "prompt"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def answers(scripted: Script, way: str, dialect: str) -> Answers:
    """Sets the JSON that the provider answers with: the arguments of the forced tool, or its text."""

    def configure(json: str, name: str = "Recipe", **options: Any) -> None:
        if way == "tool":
            options["tool_calls"] = ({"name": name, "arguments": json},)
        scripted(text="" if way == "tool" else json, structured=way, dialect=dialect, **options)

    return configure


async def test_object_of_the_type(answers: Answers) -> None:
    answers(RECIPE, chunk_size=7)
    result = await chat("Soup?", output=Recipe)
    assert result.output == SOUP
    assert (result.text, result.finish_reason) == (RECIPE, "stop")
    assert result.parts == (TextPart(text=RECIPE),) or len(result.parts) == 1  # stored once
    assert (await Message.objects.aget(role="assistant")).text == RECIPE
    assert await Message.objects.acount() == 2


async def test_partial_objects_grow_and_end_with_the_whole(answers: Answers) -> None:
    answers(RECIPE, delay=0.03)
    answer = await start_chat("Soup?", output=Recipe)
    partials = [partial async for partial in answer.partials()]
    assert len(partials) > 2
    assert [partial["title"] for partial in partials if "title" in partial][-1] == "Soup 🍲"
    assert all(set(earlier) <= set(later) for earlier, later in zip(partials, partials[1:], strict=False))
    assert partials[-1]["ingredients"] == [{"name": "Salt", "amount": "1.10", "unit": "g"}]
    assert await answer.output() == SOUP


async def test_strings_are_told_piece_by_piece(answers: Answers) -> None:
    answers(RECIPE)
    answer = await start_chat("Soup?", output=Recipe)
    grown: dict[Any, str] = {}
    async for delta in answer.live_fields():
        grown[delta.path] = grown.get(delta.path, "") + delta.text
    assert grown["title",] == "Soup 🍲"
