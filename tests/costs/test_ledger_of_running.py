"""Requests to a model that run while their rows are deleted: what they used counts at their end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from streaming.chat import delete_conversations
from streaming.costs import used_since
from streaming.journal import Batch
from streaming.models import Conversation, Generation, LedgerEntry, Owner, SideCall, Status, from_now
from streaming.protocol import Usage
from streaming.settlement import Settlement, settle
from streaming.supervisor import current
from tests.engine import ALICE, Script, run_until, submit
from tests.entries import scripted_entry
from tests.runner.test_fitting import Configure, is_for_summary, model, talk  # noqa: F401  # a fixture
from tests.stepwise import requests

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(autouse=True)
def budgets(settings: Any) -> None:
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 10**9}}}
    settings.STREAMING_PRICES = {"scripted": {"input": 1, "output": 2}}
    settings.STREAMING_TICK_SECONDS = 0.02


@sync_to_async
def tokens(owner: Owner = ALICE) -> int:
    return int(used_since(owner, {"day": from_now(-86_400)})["day"]["tokens"])


async def test_answer_that_runs_while_its_conversation_is_deleted(scripted: Script) -> None:
    scripted(text="word " * 10_000, delay=0.01)
    generation = await submit("A question.")
    run = current().find(generation.pk)
    await run_until(lambda: run is not None and "word" in run.draft.transcript.text)
    await Conversation.objects.all().adelete()
    await run_until(lambda: current().find(generation.pk) is None)
    entry = await LedgerEntry.objects.aget()
    assert (entry.owner_key, entry.is_answer) == (ALICE.key, True)
    assert entry.input_tokens
    assert entry.output_tokens
    assert entry.cost
    assert await tokens() == entry.input_tokens + entry.output_tokens


async def test_answer_that_code_deletes_is_stopped_and_counts(scripted: Script) -> None:
    scripted(text="word " * 10_000, delay=0.01)
    generation = await submit("A question.")
    run = current().find(generation.pk)
    await run_until(lambda: run is not None and "word" in run.draft.transcript.text)
    assert await delete_conversations(owner=ALICE) == 1
    await run_until(lambda: current().find(generation.pk) is None)
    assert await tokens() > 0


async def test_answer_is_settled_at_the_same_time_and_counts_once(scripted: Script) -> None:
    scripted(text="one two three")
    for number in range(10):
        key = f"c{number}"
        generation = await submit(key=key)
        if number % 2:
            await run_until(lambda pk=generation.pk: current().find(pk) is None)  # type: ignore[misc]
        await Conversation.objects.filter(key=key).adelete()
    await current().idle()
    entries = [entry async for entry in LedgerEntry.objects.all()]
    assert len(entries) == 10
    assert all(entry.input_tokens and entry.output_tokens for entry in entries)
    assert await tokens() == sum((entry.input_tokens or 0) + (entry.output_tokens or 0) for entry in entries)


async def test_row_that_another_process_has_settled_is_not_charged_again(scripted: Script) -> None:
    scripted(text="one two three")
    generation = await submit()
    await current().idle()
    before = await tokens()
    late = Settlement(status=Status.FAILED, parts=(), usage=Usage(input_tokens=999, output_tokens=9))
    assert not await sync_to_async(settle)(generation, late, Batch(1, []))
    await Conversation.objects.all().adelete()
    assert not await sync_to_async(settle)(generation, late, Batch(1, []))
    assert await tokens() == before > 0


async def test_title_that_is_found_while_its_conversation_is_deleted(settings: Any) -> None:
    titles = scripted_entry(text="A good title", delay=0.2)
    settings.STREAMING_PROVIDERS = {"default": scripted_entry(text="Hello."), "small": titles}
    settings.STREAMING_TITLES = "small"
    await submit()
    async with asyncio.timeout(10):
        while not await SideCall.objects.aexists():  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.01)
    before = await tokens()
    await Conversation.objects.all().adelete()
    assert await tokens() == before > 0
    await current().idle()
    title = await LedgerEntry.objects.aget(is_answer=False)
    assert title.output_tokens == 3
    assert await tokens() == before + 3 + (title.input_tokens or 0)


async def test_summary_that_is_written_while_its_conversation_is_deleted(model: Configure) -> None:  # noqa: F811
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary=None)
    await talk(*range(7))
    before = await tokens()
    running = await submit("and now? " + "word " * 100)
    await run_until(lambda: is_for_summary(requests()[-1]))
    await Conversation.objects.all().adelete()
    await run_until(lambda: current().find(running.pk) is None)
    kinds = [entry.id.partition(" ")[0] async for entry in LedgerEntry.objects.order_by("id")]
    assert kinds == ["generation"] * 8 + ["summary"]
    summary = await LedgerEntry.objects.aget(is_answer=False)
    assert summary.owner_key == ALICE.key
    assert summary.input_tokens
    assert await tokens() >= before + summary.input_tokens


async def test_without_a_limit_nothing_is_kept(scripted: Script, settings: Any) -> None:
    settings.STREAMING_BUDGETS = {}
    scripted(text="word " * 10_000, delay=0.01)
    generation = await submit()
    await Conversation.objects.all().adelete()
    await run_until(lambda: current().find(generation.pk) is None)
    assert not await LedgerEntry.objects.aexists()
    assert not await Generation.objects.aexists()
