"""A model finds a conversation's title after its first answer, in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.checks import run_checks
from django.db.models import QuerySet

from streaming.costs import check_budgets
from streaming.errors import OverBudget
from streaming.intake import Changes, store_changes
from streaming.models import Conversation, Generation, SideCall
from streaming.protocol import GenerationRequest, text_of
from streaming.providers import get_provider
from streaming.providers.scripted import Scripted
from streaming.runner.titles import clean_title
from streaming.supervisor import current
from tests.engine import ALICE, submit
from tests.entries import scripted_entry

pytestmark = pytest.mark.usefixtures("engine")

FIRST_WORDS = "Hi"
Log = pytest.LogCaptureFixture


@pytest.fixture
def titles(settings: Any) -> Any:
    """Lets the scripted provider `small` find titles, and returns the function that writes its script."""

    def script(**options: Any) -> None:
        answers = scripted_entry(text="The answer.")
        settings.STREAMING_PROVIDERS = {"default": answers, "small": scripted_entry(**options)}
        settings.STREAMING_TITLES = "small"

    script(text="A good title")
    return script


async def until(rows: QuerySet[Any]) -> None:
    """Waits until there is such a row."""
    async with asyncio.timeout(10):
        while not await rows.aexists():  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.01)


async def title() -> str:
    await current().idle()
    return (await Conversation.objects.aget()).title


async def test_the_title_comes_after_the_first_answer_and_once(titles: Any) -> None:
    await submit()
    assert await title() == "A good title"
    titles(text="Another title")
    await submit("And now?")
    assert await title() == "A good title"
    assert await SideCall.objects.acount() == 1


async def test_without_the_setting_the_first_words_stay(titles: Any, settings: Any) -> None:
    settings.STREAMING_TITLES = None
    await submit()
    assert await title() == FIRST_WORDS
    assert not await SideCall.objects.aexists()


async def test_the_model_is_shown_the_question_and_the_answer(titles: Any) -> None:
    await submit()
    await current().idle()
    [request] = get_provider("small").requests  # type: ignore[attr-defined]
    assert text_of(request.turns[0].parts) == "Question:\nHi\n\nAnswer:\nThe answer."
    assert "title" in request.system
    assert request.tools == ()


async def test_the_answer_ends_before_the_title_is_asked_for(titles: Any) -> None:
    titles(text="never", hang_after=0)
    generation = await submit()
    await until(Generation.objects.filter(pk=generation.pk, status="finished"))
    assert (await Conversation.objects.aget()).title == FIRST_WORDS
    await submit("And now?")  # nothing is in the way of the next answer
    await current().drain(0)
    assert await title() == FIRST_WORDS
    assert not await Generation.objects.filter(status__in=("failed", "truncated")).aexists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"error": "rate_limited"}, "rate_limited"),
        ({"text": "half a title", "fail_after": 3}, "connection_lost"),
        ({"text": ""}, ""),
        ({"text": "word " * 900}, "too_long"),
        ({"chunks": ["data: {"]}, "truncated"),
    ],
)
async def test_a_failure_leaves_the_first_words(titles: Any, options: Any, code: str) -> None:
    titles(**options)
    await submit()
    assert await title() == FIRST_WORDS
    assert (await Generation.objects.aget()).status == "finished"
    call = await SideCall.objects.aget()
    assert call.error_code == code
    assert call.status == ("failed" if code in ("rate_limited", "too_long") else "truncated" if code else "finished")


async def test_reasoning_without_end_is_not_read_to_its_end(titles: Any, settings: Any) -> None:
    settings.STREAMING_MAX_ANSWER_BYTES = 100_000
    titles(text="A good title", reasoning="word " * 10_000)
    await submit()
    assert await title() == FIRST_WORDS
    call = await SideCall.objects.aget()
    assert (call.status, call.error_code) == ("failed", "too_long")
    assert call.output_tokens < 2_000


class Buggy(Scripted):
    """A provider that raises what none should raise."""

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        raise ValueError("a bug")
        yield b""


async def test_a_bug_in_the_provider_ends_the_call_and_is_logged(titles: Any, settings: Any, caplog: Log) -> None:
    settings.STREAMING_PROVIDERS |= {"small": {"BACKEND": f"{__name__}.Buggy"}}
    await submit()
    assert await title() == FIRST_WORDS
    call = await SideCall.objects.aget()
    assert (call.status, call.error_code) == ("failed", "internal")
    assert "in stream" in caplog.text  # the traceback


async def test_a_bug_here_is_logged_with_its_place(titles: Any, monkeypatch: Any, caplog: Log) -> None:
    monkeypatch.setattr("streaming.runner.titles._question", lambda answer: 1 / 0)
    await submit()
    assert await title() == FIRST_WORDS
    assert "in _claim" in caplog.text


async def test_a_provider_that_is_not_there_is_harmless(titles: Any, settings: Any) -> None:
    settings.STREAMING_TITLES = "nobody"
    await submit()
    assert await title() == FIRST_WORDS
    assert "streaming.E026" in {message.id for message in await sync_to_async(run_checks)()}


async def test_a_person_who_names_the_conversation_is_not_overruled(titles: Any) -> None:
    titles(text="A good title", delay=0.2)
    generation = await submit()
    await until(SideCall.objects.all())
    await sync_to_async(store_changes)(ALICE, "c1", Changes(title="Mine"))
    assert await title() == "Mine"
    assert (await Generation.objects.aget(pk=generation.pk)).status == "finished"


async def test_a_name_that_was_given_before_the_answer_stays(titles: Any, settings: Any) -> None:
    settings.STREAMING_TITLES = None
    await submit()
    await current().idle()
    await sync_to_async(store_changes)(ALICE, "c1", Changes(title="Mine"))
    await Generation.objects.aupdate(status="cancelled")
    titles(text="A good title")
    await submit("Again")
    assert await title() == "Mine"
    assert not await SideCall.objects.aexists()


async def test_a_stopped_answer_gets_no_title_and_the_next_one_does(titles: Any, settings: Any) -> None:
    settings.STREAMING_PROVIDERS = settings.STREAMING_PROVIDERS | {"default": scripted_entry(text="a b", hang_after=2)}
    await submit()
    current().cancel_all("user")
    assert await title() == FIRST_WORDS
    titles(text="A good title")
    await submit("Again")
    assert await title() == "A good title"


async def test_the_end_of_the_process_leaves_the_first_words(titles: Any) -> None:
    titles(text="A good title", hang_after=1)
    await submit()
    await until(SideCall.objects.all())
    async with asyncio.timeout(20):
        await current().drain(30)
    assert (await Conversation.objects.aget()).title == FIRST_WORDS
    assert (await SideCall.objects.aget()).error_code == "interrupted"


async def test_a_conversation_that_is_deleted_meanwhile_stays_deleted(titles: Any) -> None:
    titles(text="A good title", delay=0.2)
    await submit()
    await until(SideCall.objects.all())
    await Conversation.objects.all().adelete()
    await current().idle()
    assert not await Conversation.objects.aexists()
    assert not await SideCall.objects.aexists()


async def test_usage_and_cost_count_in_the_owners_budget(titles: Any, settings: Any) -> None:
    settings.STREAMING_PRICES = {"scripted": {"input": 1, "output": 2}}
    await submit()
    await current().idle()
    call = await SideCall.objects.aget()
    assert (call.provider, call.model, call.error_code) == ("small", "scripted", "")
    assert call.output_tokens == 3
    assert call.cost == (Decimal(call.input_tokens) + 2 * 3) / 1_000_000
    await Generation.objects.aupdate(input_tokens=None, output_tokens=None, cost=None)
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": call.output_tokens + call.input_tokens}}}
    with pytest.raises(OverBudget):
        await sync_to_async(check_budgets)(ALICE)
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": call.output_tokens + call.input_tokens + 1}}}
    await sync_to_async(check_budgets)(ALICE)


async def test_no_title_is_bought_from_a_budget_that_is_spent(titles: Any, settings: Any) -> None:
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 1}}}
    await submit()
    assert await title() == FIRST_WORDS
    assert not await SideCall.objects.aexists()


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("  Weather in Rome\n\nIt rains.", "Weather in Rome"),
        ('"Weather in Rome."', "Weather in Rome"),
        ("# **Weather** in `Rome`", "Weather in Rome"),
        ("Title: Weather", "Weather"),
        ("<think>Hm.\nWell.</think>\nWeather", "Weather"),
        ("<think>never ends", ""),
        ("<b onclick=x>Weather</b><script>", "Weather"),
        ("a < b and b > c", "a < b and b > c"),
        ("C# basics", "C# basics"),
        ("mom\u202egnp.exe\u200b", "mom gnp.exe"),
        ("mom\u061c\u2066x\u00ad", "mom x"),
        ("\U000e0041x\U000e0042", "x"),
        ("Line one\u2028line two", "Line one"),
        ("天気予報", "天気予報"),
        ("«Погода в Риме»", "Погода в Риме"),
        ("x" * 500, "x" * 79 + "…"),
        ("\n \t", ""),
        ("***", ""),
        ("\ud83d", "\ufffd"),
    ],
)
def test_a_title_is_one_short_line_without_markup(said: str, title: str) -> None:
    assert clean_title(said) == title
