"""The export of reviewed answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import MessageParam as AnthropicMessage
from openai.types.chat import ChatCompletionMessageParam as OpenAIMessage
from pydantic import TypeAdapter

from streaming.admin.dataset import lines_of
from streaming.models import Message, Review, StaffAccess
from streaming.protocol import FilePart, ReasoningPart, TextPart, ToolCall, ToolResult
from tests.admin.site import VIEW_ALL, address, client_with, exchange

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

TYPES: dict[str, Any] = {"openai": TypeAdapter(list[OpenAIMessage]), "anthropic": TypeAdapter(list[AnthropicMessage])}
PARTS = (
    ReasoningPart(text="Hmm, secretly.", signature="sig", origin="anthropic-messages api.anthropic.com"),
    TextPart(text="Let me look."),
    ToolCall(
        id="c1", name="get_weather", raw_arguments='{"city":"Rome"}', arguments={"city": "Rome"}, is_complete=True
    ),
    ToolResult(call_id="c1", output={"sky": "grey"}),
    TextPart(text="It is grey.", raw={"id": "msg_1"}, origin="openai-responses api.openai.com"),
    FilePart(media_type="image/png", url="https://example.org/a.png", filename="a.png"),
)


def export(client, format_name, *messages):
    action = {"action": f"export_{format_name}", "_selected_action": [str(message.pk) for message in messages]}
    return client.post(address("message", "changelist"), action)


@pytest.fixture
def reviewed(settings):
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    conversation = exchange(prompt="Weather in Rome?", parts=PARTS)
    conversation.system_prompt = "Be brief."
    conversation.save()
    review = Review(message=conversation.active_leaf, rating=4, note="Good.")
    review.label_set = ["correct"]
    review.save()
    return conversation


@pytest.mark.parametrize("format_name", ["openai", "anthropic"])
def test_each_reviewed_answer_is_a_line_that_the_vendor_takes(superuser, reviewed, format_name):
    unreviewed = exchange("Other").active_leaf
    response = export(superuser, format_name, reviewed.active_leaf, unreviewed)
    assert response["Content-Disposition"] == f'attachment; filename="reviewed-{format_name}.jsonl"'
    [line] = response.getvalue().decode().splitlines()
    record = json.loads(line)
    TYPES[format_name].validate_python(record["messages"], strict=False)
    assert "Weather in Rome?" in line
    assert "It is grey." in line
    assert "get_weather" in json.dumps(record["tools"])
    assert "Be brief." in line
    verdict = {name: record["metadata"][name] for name in ("rating", "labels", "note", "flagged")}
    assert verdict == {"rating": 4, "labels": ["correct"], "note": "Good.", "flagged": False}
    assert not any(secret in line for secret in ("Hmm, secretly.", '"sig"', "msg_1", "example.org"))


def test_last_message_is_the_answer(superuser, reviewed):
    record = json.loads(export(superuser, "openai", reviewed.active_leaf).getvalue())
    roles = [message["role"] for message in record["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant"]
    assert record["messages"][-1]["content"].startswith("It is grey.")


def test_export_needs_its_permission(reviewed):
    client = client_with(*VIEW_ALL, "review_message")
    response = export(client, "openai", reviewed.active_leaf)
    assert "Content-Disposition" not in response
    assert not StaffAccess.objects.filter(action="export").exists()
    allowed = client_with(*VIEW_ALL, "export_conversation", name="exporter")
    assert "Content-Disposition" in export(allowed, "openai", reviewed.active_leaf)


def test_export_is_logged(superuser, reviewed):
    export(superuser, "openai", *Message.objects.all())
    logged = StaffAccess.objects.get(action="export")
    assert (logged.username, logged.kind, logged.count, logged.detail) == ("root", "message", 1, "dataset openai")


def test_conversation_is_read_once_for_all_its_answers(superuser, reviewed, django_assert_num_queries):
    first, question = reviewed.active_leaf, reviewed.active_leaf.parent
    others = [Message.objects.create(conversation=reviewed, parent=question, role="assistant") for _ in range(3)]
    Review.objects.bulk_create(Review(message=message, rating=2) for message in others)
    answers = Message.objects.filter(pk__in=[first.pk, *(message.pk for message in others)])
    with django_assert_num_queries(2):  # the answers, and their conversation
        assert len(list(lines_of(answers, "openai"))) == 4
