"""The transcript of a conversation, and the page of a message."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from streaming.admin.as_turns import request_body
from streaming.admin.transcript import blocks, render
from streaming.models import Conversation, Generation, Message, Summary
from streaming.protocol import (
    FilePart,
    OpaquePart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
)
from tests.admin.site import KINDS, exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


EVIL = '<script>alert("x")</script>'


EVERY_PART = (
    ReasoningPart(text="Clouds, says the reasoning."),
    TextPart(text="It rains.\n\n    indented"),
    RefusalPart(text="That I will not say."),
    ToolCall(id="1", name="get_weather", raw_arguments='{"city": "Rom"}', arguments={"city": "Rom"}, is_complete=True),
    ToolCall(id="2", name="get_time", raw_arguments='{"zone": "Eur', error="truncated"),
    ToolResult(call_id="1", output={"sky": "grey"}),
    ToolResult(call_id="2", output="no such zone", is_error=True),
    ToolApproval(call_id="1"),
    ToolApproval(call_id="2", is_approved=False, reason="Not today."),
    FilePart(media_type="image/png", url="https://example.org/a.png", filename="a.png"),
    OpaquePart(raw={"type": "new_thing"}),
)


def test_transcript_shows_every_kind_of_part(superuser):
    assert {type(part) for part in EVERY_PART} == set(blocks.SHOWN)
    conversation = exchange(parts=EVERY_PART)
    shown = words(page_of(superuser, "conversation", conversation.pk))
    for piece in [
        "Reasoning Clouds, says the reasoning.",
        "It rains. indented",
        "Refusal That I will not say.",
        'Tool call get_weather Approval asked for { "city": "Rom" } Tool result { "sky": "grey" }',
        'Tool call get_time incomplete: truncated Call refused Not today. {"zone": "Eur Tool error no such zone',
        "File image/png a.png https://example.org/a.png",
        'Other content { "type": "new_thing" }',
        "gpt-5-mini · first token after 150 ms · 2.1 s · 250/s · 1,234 → 500 tokens · stop",
    ]:
        assert piece in shown


def test_transcript_tells_who_was_tried_and_what_was_cached(superuser):
    failed = {"provider": "default", "model": "a", "outcome": "overloaded", "detail": "HTTP 529: <b>Busy</b>", "ms": 7}
    answered = {"provider": "gpt", "model": "b", "outcome": "answered", "detail": "", "ms": 40}
    conversation = exchange(provider="gpt", tried=[failed, answered], attempts=2, cached_input_tokens=1000)
    shown = words(page_of(superuser, "conversation", conversation.pk))
    assert "1,000 cached · stop · 2 requests · tried default (overloaded), gpt (answered)" in shown
    page = page_of(superuser, "generation", conversation.generations.get().pk)
    assert "default a (overloaded) · 7 ms HTTP 529: <b>Busy</b> gpt b (answered) · 40 ms" in words(page)
    assert "<b>Busy</b>" not in page


def test_transcript_loads_nothing_from_elsewhere(superuser):
    conversation = exchange(parts=EVERY_PART)
    page = page_of(superuser, "conversation", conversation.pk)
    assert "<img" not in page
    assert 'href="https://example.org' not in page


def test_picture_that_a_model_made_is_shown(superuser):
    url = "data:image/png;base64,iVBORw0KGgo="
    evil = FilePart(media_type="image/png", url="data:image/svg+xml;base64,PHN2Zz4=")
    conversation = exchange(parts=(FilePart(media_type="image/png", url=url), evil))
    page = page_of(superuser, "conversation", conversation.pk)
    assert re.findall(r'<img src="([^"]+)"', page) == [url]


def test_transcript_takes_the_same_queries_for_any_length(superuser):
    conversation = exchange()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(superuser, "conversation", conversation.pk)
        return len(captured)

    queries()
    few = queries()
    parent = conversation.active_leaf
    for number in range(20):
        parent = Message.objects.create(conversation=conversation, role="user", parent=parent, text=str(number))
    assert queries() == few


def test_long_transcript_shows_the_newest_messages_and_a_link_to_the_rest(superuser, monkeypatch):
    monkeypatch.setattr(render, "MAX_MESSAGES", 1)
    conversation = exchange(prompt="the first", parts=(TextPart(text="the last"),))
    page = page_of(superuser, "conversation", conversation.pk)
    assert "the last" in page
    assert "the first" not in page
    everything = re.search(r'href="([^"]+conversation__id__exact[^"]+)"', page)
    assert everything is not None
    assert len(superuser.get(everything[1]).context["cl"].result_list) == 2


def test_what_models_write_is_markdown_and_what_people_write_is_not(superuser):
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    conversation = exchange(prompt="**mine**", parts=(TextPart(text=f"**theirs**\n\n{table}"),))
    page = page_of(superuser, "conversation", conversation.pk)
    assert "<strong>theirs</strong>" in page
    assert re.search(r"<td[^>]*>1</td>", page)
    assert "**mine**" in page


def test_parts_that_cannot_be_read_are_shown_raw(superuser):
    conversation = exchange()
    Message.objects.filter(pk=conversation.active_leaf.pk).update(parts=[{"type": "from the future", "x": 1}])
    assert "from the future" in words(page_of(superuser, "conversation", conversation.pk))


def test_huge_values_are_cut(superuser):
    conversation = exchange(parts=(ToolResult(call_id="1", output="x" * 1_000_000),))
    assert len(page_of(superuser, "conversation", conversation.pk)) < 100_000
    assert len(page_of(superuser, "message", conversation.active_leaf.pk)) < 150_000


def test_content_is_escaped_everywhere(superuser):
    parts = (
        TextPart(text=EVIL),
        ReasoningPart(text=EVIL),
        RefusalPart(text=EVIL),
        ToolCall(id=EVIL, name=EVIL, raw_arguments=EVIL, error=EVIL),
        ToolCall(id="2", name="f", arguments={EVIL: EVIL}, is_complete=True),
        ToolResult(call_id="2", output=EVIL),
        FilePart(media_type=EVIL, url=f"javascript:{EVIL}", filename=EVIL),
        OpaquePart(raw={EVIL: EVIL}),
    )
    owner = get_user_model().objects.create(username=EVIL)
    conversation = exchange(
        EVIL,
        prompt=EVIL,
        parts=parts,
        owner=owner,
        model=EVIL,
        finish_reason="<b>stop</b>",
        error_code="<b>x</b>",
        error_detail=EVIL,
        provider=EVIL,
    )
    Conversation.objects.update(system_prompt=EVIL, provider=EVIL, key=EVIL)
    pages = [page_of(superuser, kind) for kind in KINDS]
    pages += [page_of(superuser, "conversation", conversation.pk)]
    pages += [page_of(superuser, "message", message.pk) for message in conversation.messages.all()]
    pages += [page_of(superuser, "generation", conversation.generations.get().pk)]
    for page in pages:
        assert EVIL not in page
        assert "<b>" not in page
        assert "alert(" in page
    assert "javascript:" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', "".join(pages)))


def long_conversation() -> Conversation:
    """A conversation with two answers. The second one's model was sent a summary and the second question."""
    conversation = exchange()
    first = conversation.active_leaf
    question = Message.objects.create(
        conversation=conversation, parent=first, role="user", parts=[{"type": "text", "text": "And then?"}]
    )
    answer = Message.objects.create(
        conversation=conversation, parent=question, role="assistant", parts=[{"type": "text", "text": "Sun."}]
    )
    row = Generation.objects.create(conversation=conversation, message=answer, provider="default", status="finished")
    summary = Summary.objects.create(
        conversation=conversation,
        generation=row,
        upto=first,
        text="They spoke of <rain>.",
        provider="small",
        model="tiny",
        input_tokens=900,
        output_tokens=30,
        cost="0.002",
    )
    sent = {
        "policy": "summary",
        "dropped": 2,
        "first": str(question.pk),
        "summary": str(summary.pk),
        "is_retried": True,
    }
    Generation.objects.filter(pk=row.pk).update(context=sent)
    conversation.active_leaf = answer
    conversation.save()
    return conversation


def test_transcript_says_what_the_model_was_sent(superuser):
    conversation = long_conversation()
    shown = words(page_of(superuser, "conversation", conversation.pk))
    assert (
        "2 older messages were not sent · a summary was sent instead · the provider had refused a longer request · "
        "summary · first message that was sent" in shown
    )
    assert "Summary tiny · 900 → 30 tokens · cost 0.002 They spoke of <rain>." in shown
    assert f'href="#message-{conversation.active_leaf.parent_id}"' in page_of(
        superuser, "conversation", conversation.pk
    )
    assert "They spoke of" in words(page_of(superuser, "message", conversation.active_leaf_id))


def test_page_of_a_generation_says_what_was_sent_without_content(superuser):
    conversation = long_conversation()
    page = words(page_of(superuser, "generation", conversation.active_leaf.generation.pk))
    assert "2 older messages were not sent" in page
    assert "They spoke of" not in page
    first = Generation.objects.get(message=conversation.active_leaf.parent.parent)
    assert "all messages" in words(page_of(superuser, "generation", first.pk))


def test_request_page_has_the_summary_in_place_of_the_old_turns(superuser):
    conversation = long_conversation()
    body = request_body(Generation.objects.get(message=conversation.active_leaf))
    [message] = body["messages"]
    assert "They spoke of <rain>." in str(message["content"])
    assert "And then?" in str(message["content"])
    assert "Will it rain?" not in str(body)
