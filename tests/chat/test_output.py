"""`streaming.chat` with `output=Type`: objects, partial objects and verdicts, however the provider is asked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from streaming.chat import Result, chat, go_on, start_chat
from streaming.errors import GenerationError, OutputInvalid
from streaming.models import Message
from streaming.protocol import ToolApproval
from streaming.providers import get_provider
from tests import sample_tools as tools
from tests.engine import Script
from tests.entries import scripted_entry
from tests.protocol.wire import completed, created, item, named
from tests.stepwise import DIALECTS, MAIL, WEATHER, requests, says
from tests.wanted import RECIPE, SOUP, Cat, Dog, Node, Point, Recipe, json_of

pytestmark = pytest.mark.usefixtures("engine")

Answers = Callable[..., None]


ASKED = [("schema", "openai-chat"), *(("tool", dialect) for dialect in DIALECTS), ("prompt", "anthropic-messages")]


@pytest.fixture(params=ASKED, ids="-".join)
def answers(scripted: Script, request: pytest.FixtureRequest) -> Answers:
    """Sets the JSON that the provider answers with: the arguments of the forced tool, or its text."""

    way, dialect = request.param

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
    assert [getattr(part, "text", part) for part in result.parts] == [RECIPE]
    assert (await Message.objects.aget(role="assistant")).text == RECIPE
    assert await Message.objects.acount() == 2


async def test_object_takes_the_place_of_a_sketch_and_no_string_is_doubled(scripted: Script) -> None:
    scripted(text=f'Like {{"title": "Sketch", ...}}. Here it is:\n\n{RECIPE}', chunk_size=3)
    answer = await start_chat("Soup?", output=Recipe)
    partials = [partial async for partial in answer.partials()]
    assert partials[-1] == msgspec.json.decode(RECIPE)
    assert await answer.output() == SOUP
    titles = [delta.text async for delta in answer.live_fields() if delta.path == ("title",)]
    assert "".join(titles) == "Sketch"


@pytest.mark.parametrize("streamed", ["gAAAcipher", '{"title": "Sketch"', RECIPE.replace("Salt", "Sa")])
async def test_arguments_that_the_server_replaced_at_the_end_are_the_object(scripted: Script, streamed: str) -> None:
    call = {"type": "function_call", "id": "i", "call_id": "c", "name": "Recipe", "arguments": ""}
    delta = {"type": "response.function_call_arguments.delta", "delta": streamed}
    body = named(created(), *item(0, call, delta, arguments=RECIPE), completed())
    scripted(chunks=[body], structured="tool", dialect="openai-responses")
    answer = await start_chat("Soup?", output=Recipe)
    result = await answer.result()
    assert (result.output, result.text) == (SOUP, RECIPE)
    partials = [partial async for partial in answer.partials()]
    assert partials[-1] == msgspec.json.decode(RECIPE)


async def test_partial_objects_grow_and_end_with_the_whole(answers: Answers) -> None:
    answers(RECIPE, delay=0.002)
    answer = await start_chat("Soup?", output=Recipe)
    partials = [partial async for partial in answer.partials()]
    assert len(partials) > 2
    assert all(list(later)[: len(earlier)] == list(earlier) for earlier, later in pairwise(partials))
    assert partials[-1]["ingredients"] == [{"name": "Salt", "amount": "1.10", "unit": "g"}]
    assert await answer.output() == SOUP
    again = [partial async for partial in answer.partials()]
    assert again[-1] == partials[-1], "a later reader gets it, too"


async def test_strings_are_told_piece_by_piece(answers: Answers) -> None:
    answers(RECIPE)
    answer = await start_chat("Soup?", output=Recipe)
    grown: dict[Any, str] = {}
    async for delta in answer.live_fields():
        grown[delta.path] = grown.get(delta.path, "") + delta.text
    assert grown["title",] == "Soup 🍲"


@pytest.mark.parametrize(
    ("wanted", "json", "value"),
    [
        (list[int], '{"value": [1, 2]}', [1, 2]),
        (int, '{"value": 7}', 7),
        (Cat | Dog, '{"value": {"type": "Dog", "barks": true}}', Dog(barks=True)),
        (Node, '{"value": 1, "children": [{"value": 2, "children": []}]}', Node(value=1, children=[Node(value=2)])),
        (Point, '{"x": 1, "y": null, "names": []}', Point(x=1)),
    ],
    ids=["list", "scalar", "union", "recursive", "dataclass"],
)
async def test_types_that_are_no_plain_object(scripted: Script, wanted: Any, json: str, value: Any) -> None:
    scripted(text=json)
    answer = await start_chat("Go", output=wanted)
    assert [partial async for partial in answer.partials()][-1] == msgspec.to_builtins(value)
    assert await answer.output() == value


async def test_prose_and_fence_are_left_out_and_the_verdict_says_so(scripted: Script) -> None:
    text = f"Sure, {{name}}! Here it is:\n```json\n{RECIPE}\n```\nEnjoy."
    scripted(text=text)
    result = await chat("Soup?", output=Recipe)
    assert result.output == SOUP
    assert result.verdict is not None
    assert result.verdict.has_other_text
    assert result.text == text, "the raw text is stored as it came"


@pytest.mark.parametrize(
    ("text", "fault", "path"),
    [
        ("I like soup.", "missing", "$"),
        ('{"title": "Soup", "servings": ', "malformed", "$"),
        ('{"title": "Soup", "servings": 99}', "mismatch", "$.servings"),
        ('{"title": "Soup", "servings": 2, "ingredients": [{"name": 1}]}', "mismatch", "$.ingredients[0].name"),
    ],
)
async def test_answer_that_is_not_the_object(scripted: Script, text: str, fault: str, path: str) -> None:
    scripted(text=text)
    with pytest.raises(OutputInvalid) as raised:
        await chat("Soup?", output=Recipe)
    assert (raised.value.fault, raised.value.path, raised.value.result.text) == (fault, path, text)
    assert raised.value.reason


@pytest.mark.parametrize(
    ("reason", "delta", "fault"),
    [
        ("length", {"content": '{"title": "So'}, "cut"),
        ("stop", {"refusal": "I will not."}, "refused"),
        ("content_filter", {"content": '{"title": "So'}, "refused"),
    ],
)
async def test_refusals_and_cuts_are_told_apart(scripted: Script, reason: str, delta: Any, fault: str) -> None:
    chunk = json_of({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    scripted(chunks=(f"data: {chunk}\n\n", "data: [DONE]\n\n"))
    with pytest.raises(OutputInvalid) as raised:
        await chat("Soup?", output=Recipe)
    assert raised.value.fault == fault


async def test_complete_object_counts_even_if_more_was_cut(scripted: Script) -> None:
    delta = {"content": '{"title": "Soup", "servings": 2} I hope'}
    chunk = json_of({"choices": [{"index": 0, "delta": delta, "finish_reason": "length"}]})
    scripted(chunks=(f"data: {chunk}\n\n", "data: [DONE]\n\n"))
    assert (await chat("Soup?", output=Recipe)).output == Recipe(title="Soup", servings=2)


async def test_answer_that_is_stopped_has_no_object_and_loses_nothing(answers: Answers) -> None:
    answers(RECIPE, hang_after=8)
    answer = await start_chat("Soup?", output=Recipe)
    async for _ in answer.partials():
        break
    await answer.stop()
    result = await answer.result()
    assert result.status == "cancelled"
    assert RECIPE.startswith(result.text)
    assert result.text
    with pytest.raises(GenerationError):
        await answer.output()


@pytest.mark.usefixtures("site_tools")
@pytest.mark.parametrize(("way", "dialect"), ASKED)
async def test_tools_of_the_site_come_before_the_object(settings: Any, way: str, dialect: str) -> None:
    last = ("", (("r1", "Recipe", RECIPE),)) if way == "tool" else (RECIPE, ())
    says(settings, ("Let me look.", (WEATHER,)), last, dialect=dialect, options={"structured": way})
    result = await chat("Soup?", output=Recipe)
    assert result.output == SOUP
    assert [call.name for call in result.tool_calls] == ["get_weather"]
    assert [request.tool_choice for request in requests()] == (
        ["required", "required"] if way == "tool" else [None, "auto"]
    )


@pytest.mark.usefixtures("site_tools")
async def test_object_may_follow_an_approval(settings: Any) -> None:
    says(settings, ("", (MAIL,)), ("", (("r1", "Recipe", RECIPE),)), options={"structured": "tool"})
    asked = await (await start_chat("Soup?", output=Recipe, tools=[tools.send_mail])).result()
    answer = await go_on(
        asked,
        [ToolApproval(call_id=call.id, is_approved=True) for call in asked.asked],
        tools=[tools.send_mail],
        output=Recipe,
    )
    assert await answer.output() == SOUP


async def test_tool_beside_one_of_the_same_name(settings: Any) -> None:
    says(settings, ("", (("r1", "waits_2", '{"title": "Soup", "servings": 2}'),)), options={"structured": "tool"})
    wanted = type("waits", (Recipe,), {"__annotations__": {}})
    assert (await chat("Soup?", output=wanted, tools=[tools.waits])).output.title == "Soup"
    assert [tool.name for tool in requests()[0].tools] == ["waits", "waits_2"]


async def test_type_that_the_vendors_mode_cannot_express_is_refused_before_anything_is_stored(scripted: Script) -> None:
    scripted(structured="schema")
    with pytest.raises(TypeError, match=r"'default' cannot be asked.*\$ is a dict with any keys.*structured"):
        await start_chat("Go", output=dict[str, int])
    assert not await Message.objects.aexists()
    scripted(structured="prompt", text='{"a": 1}')
    assert (await chat("Go", output=dict[str, int])).output == {"a": 1}


async def test_answer_without_an_output_is_text(scripted: Script) -> None:
    answer = await start_chat("Hi")
    with pytest.raises(TypeError, match="output=Type"):
        await anext(answer.partials())
    result: Result = await answer.result()
    assert (result.output, result.verdict) == (None, None)


async def test_prompt_has_the_schema_after_the_sites_own_system_text(settings: Any, scripted: Script) -> None:
    settings.STREAMING_SYSTEM_PROMPT = "Be kind."
    scripted(text=RECIPE)
    await chat("Soup?", output=Recipe)
    provider: Any = get_provider("default")
    system = provider.requests[0].system
    assert system.startswith("Be kind.\n\nAnswer only with one JSON object")
    assert '"servings":{"description":"How many people eat.' in system


async def test_system_text_of_the_options_stays(scripted: Script) -> None:
    scripted(text=RECIPE, system="Be brief.")
    await chat("Soup?", output=Recipe)
    provider: Any = get_provider("default")
    assert provider.requests[0].system.startswith("Be brief.\n\nAnswer only")


async def test_each_provider_of_a_fallback_is_asked_in_its_own_way(settings: Any) -> None:
    call = {"name": "Recipe", "arguments": RECIPE}
    settings.STREAMING_PROVIDERS = {
        "default": scripted_entry(error="overloaded", structured="schema") | {"FALLBACK": ["other"]},
        "other": scripted_entry(text="", tool_calls=(call,), structured="tool"),
    }
    result = await chat("Soup?", output=Recipe)
    assert (result.output, result.text) == (SOUP, RECIPE)
    providers: list[Any] = [get_provider(alias) for alias in ("default", "other")]
    assert [(bool(one.requests[0].output), one.requests[0].tool_choice) for one in providers] == [
        (True, None),
        (False, "Recipe"),
    ]
