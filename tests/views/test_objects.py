"""`object_view`: endpoints that answer with an object."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from django.db.models.signals import pre_save
from django.http import HttpResponse
from django.test import AsyncClient

from streaming.access import open_streams
from streaming.errors import SITE_FAULT
from streaming.journal import live_logs
from streaming.models import Conversation, Generation, Message
from streaming.supervisor import current
from streaming.testing import settle_all
from streaming.views import object_view
from tests.engine import Script, run_until
from tests.wanted import RECIPE, json_of

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.urls("tests.views.object_urls")]

Log = pytest.LogCaptureFixture

DISH = {"dish": "soup", "people": 3}


async def post(name: str, body: Any, client: AsyncClient | None = None, **headers: str) -> Any:
    client = client or AsyncClient()
    text = body if isinstance(body, bytes) else json_of(body)
    return await client.post(f"/objects/{name}", text, content_type="application/json", headers=headers)


async def text_of(response: Any) -> str:
    assert response.status_code == 200, (response.status_code, response.content)
    return b"".join([piece async for piece in cast(AsyncIterator[bytes], aiter(response))]).decode()


async def test_text_is_the_objects_and_the_conversation_is_stored(scripted: Script) -> None:
    scripted(text=f"Sure!\n```json\n{RECIPE}\n```", reasoning="Hm.", chunk_size=11)
    response = await post("recipe", DISH)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert await text_of(response) == RECIPE + "\n"
    conversation = await Conversation.objects.aget(key=response.headers["X-Streaming-Conversation"])
    assert conversation.title.startswith("A recipe for soup")
    prompt = await Message.objects.aget(role="user")
    assert prompt.text == "A recipe for soup, for 3 people."
    assert (await Generation.objects.aget()).status == "finished"
    assert open_streams().count == 0


@pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic-messages"])
async def test_arguments_of_a_forced_tool_are_the_object(scripted: Script, dialect: str) -> None:
    call = {"name": "Recipe", "arguments": RECIPE}
    scripted(text="I will call.", tool_calls=(call,), structured="tool", dialect=dialect)
    assert await text_of(await post("recipe", DISH)) == RECIPE


async def test_list_comes_without_its_box(scripted: Script) -> None:
    scripted(text='{"value": [1, 20, 300]}', chunk_size=1)
    assert await text_of(await post("list", {"prompt": "Count!"})) == "[1, 20, 300]"


@pytest.mark.parametrize(
    ("name", "given", "prompt"),
    [
        ("plain", "hello", "Say hello."),
        ("plain", 5, "Say 5."),
        ("typed", {"dish": "soup"}, "soup for 2, 1 sessions"),
        ("async", ["a"], "async ['a']"),
        ("awaitable", ["a"], "async ['a']"),
        ("list", {"prompt": "Count!"}, "Count!"),
        ("recipe", {"dish": "{people}", "people": [1]}, "A recipe for {people}, for [1] people."),
    ],
)
async def test_prompt_is_made_of_the_input(scripted: Script, name: str, given: Any, prompt: str) -> None:
    scripted(text=RECIPE)
    client = AsyncClient()
    await text_of(await post("plain", "first", client))  # so that there is a session
    await text_of(await post(name, given, client))
    assert await Message.objects.filter(role="user", text=prompt).aexists()


@pytest.mark.parametrize(
    ("name", "given", "status", "text"),
    [
        ("recipe", {"dish": "soup"}, 400, "The input has no 'people'."),
        ("recipe", "soup", 400, "The input has no 'dish'."),
        ("recipe", b"{", 400, "The body is not valid JSON."),
        ("recipe", b"[" * 5000, 400, "The body is not valid JSON."),
        ("typed", {"dish": 1}, 400, "The input is not valid: Expected `str`, got `int` - at `$.dish`."),
        ("list", {"prompt": " "}, 400, "The message is empty."),
        ("list", {"prompt": "x" * 200_000}, 413, "The message has 200000 characters"),
    ],
)
async def test_input_that_does_not_fit_is_refused(name: str, given: Any, status: int, text: str) -> None:
    response = await post(name, given)
    assert response.status_code == status
    assert response.content.decode().startswith(text)
    assert not await Message.objects.aexists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"text": "No."}, "The model answered without an object."),
        ({"error": "authentication"}, "The model's provider refused the site's key."),
    ],
)
async def test_answer_without_an_object_is_an_error(scripted: Script, options: Any, text: str) -> None:
    scripted(**options)
    response = await post("list", {"prompt": "Count!"})
    assert response.status_code == 502
    assert response.content.decode().startswith(text)


async def test_silence_before_the_object_is_blank(scripted: Script, settings: Any) -> None:
    settings.STREAMING_HEARTBEAT_SECONDS = 0.01
    scripted(text="{ " + RECIPE[1:], delay=0.02)
    text = await text_of(await post("recipe", DISH))
    assert text.startswith("\n")
    assert text.strip() == "{ " + RECIPE[1:]
    assert "\n" not in text.strip()


async def test_object_that_breaks_off_ends_where_it_broke(scripted: Script) -> None:
    scripted(text=RECIPE, error="connection_lost", fail_after=10)
    text = await text_of(await post("recipe", DISH))
    assert text
    assert RECIPE.startswith(text)


async def _left(name: str) -> Generation:
    """Reads one piece, leaves, and returns the generation."""
    response = await post(name, {"prompt": "Soup?"})
    await anext(aiter(response))
    response.close()  # as Django's handler does
    return await Generation.objects.aget()


async def test_client_that_leaves_stops_the_answer_if_the_site_says_so(scripted: Script, settings: Any) -> None:
    settings.STREAMING_ABANDON_AFTER = 0
    scripted(text=RECIPE, hang_after=8)
    generation = await _left("list")
    await run_until(lambda: current().find(generation.pk) is None)
    await generation.arefresh_from_db()
    assert (generation.status, generation.cancel_reason) == ("cancelled", "abandoned")
    assert RECIPE.startswith((await Message.objects.aget(role="assistant")).text)


async def test_client_that_leaves_stops_the_answer_of_such_an_endpoint(scripted: Script) -> None:
    scripted(text=RECIPE, hang_after=8)
    generation = await _left("stops")
    await run_until(lambda: current().find(generation.pk) is None)
    await generation.arefresh_from_db()
    assert (generation.status, generation.cancel_reason) == ("cancelled", "abandoned")


async def test_client_may_leave_before_the_first_text(scripted: Script) -> None:
    scripted(text=RECIPE, hang_after=1)
    asking = asyncio.create_task(post("stops", {"prompt": "Soup?"}))
    await run_until(lambda: _readers() == 1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await run_until(lambda: current().running == 0)
    generation = await Generation.objects.aget()
    assert (generation.status, generation.cancel_reason) == ("cancelled", "abandoned")


async def test_client_may_leave_while_its_question_is_stored(scripted: Script) -> None:
    scripted(text=RECIPE, hang_after=1)
    is_held, goes_on = threading.Event(), threading.Event()

    def hold(**_: Any) -> None:
        is_held.set()
        goes_on.wait(10)

    pre_save.connect(hold, sender=Message)
    try:
        asking = asyncio.create_task(post("stops", {"prompt": "Soup?"}))
        await asyncio.to_thread(is_held.wait, 10)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    finally:
        goes_on.set()
        pre_save.disconnect(hold, sender=Message)
    async with asyncio.timeout(30):
        await current().idle()
    generation = await Generation.objects.aget()
    assert (generation.status, generation.cancel_reason) == ("cancelled", "abandoned")


def _readers() -> int:
    return sum(log.readers for log in live_logs().values())


async def test_answer_goes_on_without_its_client(scripted: Script) -> None:
    scripted(text=RECIPE, delay=0.002)
    generation = await _left("list")
    await run_until(lambda: current().find(generation.pk) is None)
    assert (await Message.objects.aget(role="assistant")).text == RECIPE


async def test_access_and_limits_are_those_of_the_chat(settings: Any, scripted: Script) -> None:
    scripted(text=RECIPE)
    assert (await post("list", {"prompt": "x"}, **{"Sec-Fetch-Site": "cross-site"})).status_code == 403
    assert (await AsyncClient().get("/objects/list")).status_code == 405
    settings.STREAMING_MAX_PROMPTS_PER_MINUTE = 1
    client = AsyncClient()
    await text_of(await post("recipe", DISH, client))
    refused: HttpResponse = await post("recipe", DISH, client)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    settings.STREAMING_MAX_STREAMS_PER_OWNER = 0
    assert (await post("recipe", DISH)).status_code == 429
    settings.STREAMING_ALLOW_ANONYMOUS = False
    assert (await post("recipe", DISH)).status_code == 401


async def test_type_that_the_vendors_mode_cannot_express_is_the_sites_fault(scripted: Script, caplog: Log) -> None:
    scripted(structured="schema")
    refused = await post("dict", {"prompt": "x"})
    assert (refused.status_code, refused.content.decode()) == (500, SITE_FAULT)
    assert "is a dict with any keys" in caplog.text
    await settle_all()
    assert not await Message.objects.aexists()


def test_type_without_a_schema_is_refused_when_the_urls_are_read() -> None:
    with pytest.raises(TypeError, match="has no JSON schema"):
        object_view(AsyncClient)
    with pytest.raises(TypeError, match="An input cannot be read as"):
        object_view(list[int], input=AsyncClient)
