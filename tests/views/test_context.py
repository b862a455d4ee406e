"""The line on the page above which the model is not sent the messages any more."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.template.loader import render_to_string

from streaming.models import Conversation, Generation, Message, Summary
from streaming.testing import frames_of
from streaming.views import shown_messages
from streaming.views.context import ContextLine
from tests.engine import Script, load, submit

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
async def answers(scripted: Script) -> list[Generation]:
    """Two questions of a conversation with their answers."""
    scripted(text="Fine.")
    rows = []
    for prompt in ("Hi", "Again"):
        rows.append(await submit(prompt))
        await frames_of(rows[-1].pk)
    return [await load(row) for row in rows]


async def sent(row: Generation, **context: Any) -> None:
    question = await Message.objects.aget(pk=row.message.parent_id)
    value = {"policy": "drop", "dropped": 2, "first": str(question.pk), "shown": question.public_id} | context
    await Generation.objects.filter(pk=row.pk).aupdate(context=value)


async def lines() -> list[ContextLine | None]:
    conversation = await Conversation.objects.aget()
    return [message.line for message in await sync_to_async(shown_messages)(conversation)]


async def test_page_has_no_line_if_the_model_is_sent_everything(answers: list[Generation]) -> None:
    assert await lines() == [None] * 4


async def test_line_is_above_the_first_message_that_is_sent(answers: list[Generation]) -> None:
    await sent(answers[1])
    assert await lines() == [None, None, ContextLine(), None]


async def test_only_the_newest_answer_counts(answers: list[Generation]) -> None:
    await sent(answers[0])
    assert await lines() == [None] * 4


async def test_summary_is_a_fold_on_the_line(answers: list[Generation]) -> None:
    row = answers[1]
    summary = await Summary.objects.acreate(
        conversation=row.conversation,
        generation=row,
        upto=answers[0].message,
        text="<b>They met.</b>",
        provider="default",
    )
    await sent(row, summary=str(summary.pk))
    assert await lines() == [None, None, ContextLine("<b>They met.</b>"), None]


@pytest.mark.parametrize("junk", [7, {"policy": 3}, {"policy": "drop", "dropped": 1, "first": "x"}, [], "drop"])
async def test_imported_nonsense_is_no_line(answers: list[Generation], junk: Any) -> None:
    await Generation.objects.filter(pk=answers[1].pk).aupdate(context=junk)
    assert await lines() == [None] * 4
    assert "context" not in (await load(answers[1])).metadata


async def test_clients_are_told_in_the_metadata(answers: list[Generation]) -> None:
    await sent(answers[1])
    row = await load(answers[1])
    question = await Message.objects.aget(pk=row.message.parent_id)
    told = {"dropped": 2, "first": question.public_id, "isSummarized": False}
    assert row.metadata["context"] == told


def test_template_shows_the_summary_as_text() -> None:
    shown = render_to_string("streaming/_context.html", {"line": ContextLine("<b>They met.</b>")})
    assert "&lt;b&gt;They met.&lt;/b&gt;" in shown
    assert "<details" in shown
    assert "any more" in render_to_string("streaming/_context.html", {"line": ContextLine()})
