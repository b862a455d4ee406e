"""Permissions apart for reasoning, raw events, requests and stopping; the log of what staff saw; redaction."""

from __future__ import annotations

import json

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from streaming.models import Conversation, Feedback, JournalEntry, Message, StaffAccess
from streaming.protocol import Part, ReasoningPart, TextPart, ToolResult
from tests.admin.site import KINDS, VIEW_ALL, address, client_with, exchange, page_of, rows_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

RAW = ["view_reasoning", "view_raw_events"]
PARTS = (ReasoningPart(text="Secretly, hmm.", signature="sealed"), TextPart(text="Not today."))


TIMELINE = [[100, "reasoning", 15], [900, "text", 10]]


def inspect(client, name, conversation):
    return client.get(reverse(f"admin:streaming_generation_{name}", args=[conversation.generations.get().pk]))


def test_reasoning_needs_its_permission():
    conversation = exchange(parts=PARTS, timeline=TIMELINE)
    plain, trusted = client_with(*VIEW_ALL), client_with(*VIEW_ALL, *RAW, name="trusted")
    for kind, pk in (("conversation", conversation.pk), ("message", conversation.active_leaf.pk)):
        page = page_of(plain, kind, pk)
        assert "Secretly" not in page
        assert "sealed" not in page
        assert "You may not read reasoning." in page
        assert "Secretly" in page_of(trusted, kind, pk)
    assert "Secretly" not in inspect(plain, "replay", conversation).content.decode()
    assert "Secretly" in inspect(trusted, "replay", conversation).content.decode()


@pytest.mark.parametrize("name", ["events", "request"])
@pytest.mark.parametrize("missing", ["view_message", *RAW])
def test_raw_pages_need_every_permission(name, missing):
    client = client_with(*(permission for permission in [*VIEW_ALL, *RAW] if permission != missing))
    assert inspect(client, name, exchange(parts=PARTS)).status_code == 403


def test_stored_form_needs_the_permissions_for_raw_data_and_reasoning():
    message = exchange(parts=PARTS).active_leaf
    for missing in RAW:
        client = client_with(*VIEW_ALL, *(one for one in RAW if one != missing), name=missing)
        page = page_of(client, "message", message.pk)
        assert "Stored form" not in page
        assert "sealed" not in page
    assert "sealed" in page_of(client_with(*VIEW_ALL, *RAW, name="trusted"), "message", message.pk)


def test_raw_events_are_those_of_the_journal_or_made_anew(superuser):
    conversation = exchange(parts=PARTS)
    made_anew = words(inspect(superuser, "events", conversation).content.decode())
    assert "made anew from its row" in made_anew
    assert "Not today." in made_anew
    frames = b'id: 1\ndata: {"type":"text-delta","id":"0","delta":"as it was"}\n\n'
    generation = conversation.generations.get()
    JournalEntry.objects.create(generation=generation, first_seq=1, last_seq=1, frames=frames)
    kept = words(inspect(superuser, "events", conversation).content.decode())
    assert "as it was" in kept
    assert "1 event." in kept


def test_request_is_shown_in_the_providers_dialect_without_its_key(superuser, settings):
    options = {"model": "m", "api_key": "sk-xyzzy", "temperature": 0.5, "headers": {"X-Token": "xyzzy-too"}}
    backend = {"BACKEND": "streaming.providers.anthropic.Messages", "OPTIONS": options}
    settings.STREAMING_PROVIDERS = {"default": backend}
    conversation = exchange(prompt="Will it rain?")
    page = inspect(superuser, "request", conversation).content.decode()
    assert "Will it rain?" in page
    assert "max_tokens" in page
    assert "xyzzy" not in page
    assert "Not today." not in page


def test_request_is_shown_in_the_dialect_of_the_options(superuser, settings):
    """One class of provider may speak several dialects."""
    backend = {"BACKEND": "streaming.providers.local.LocalModel"}
    settings.STREAMING_PROVIDERS = {"default": backend | {"OPTIONS": {"dialect": "anthropic-messages"}}}
    assert "max_tokens" in inspect(superuser, "request", exchange()).content.decode()


def test_request_of_a_provider_that_is_gone_is_shown(superuser):
    assert "Will it rain?" in inspect(superuser, "request", exchange(provider="gone")).content.decode()


def test_links_are_shown_to_those_who_may_follow_them():
    conversation = exchange(parts=PARTS)
    plain = page_of(client_with(*VIEW_ALL), "conversation", conversation.pk)
    assert "/events/" not in plain
    assert "/request/" not in plain
    assert "/events/" in page_of(client_with(*VIEW_ALL, *RAW, name="trusted"), "conversation", conversation.pk)


# --- the log


def accesses():
    return [(one.username, one.action, one.kind, one.object_id) for one in StaffAccess.objects.order_by("pk")]


def test_every_look_at_content_is_logged():
    conversation = exchange(parts=PARTS)
    answer, generation = conversation.active_leaf, conversation.generations.get()
    client = client_with(*VIEW_ALL, *RAW, name="rita")
    page_of(client, "conversation", q="Weather")
    page_of(client, "conversation", conversation.pk)
    page_of(client, "message", answer.pk)
    for name in ("events", "request", "replay"):
        inspect(client, name, conversation)
    assert accesses() == [
        ("rita", "list", "conversation", ""),
        ("rita", "view", "conversation", str(conversation.pk)),
        ("rita", "view", "message", str(answer.pk)),
        ("rita", "raw", "generation", str(generation.pk)),
        ("rita", "request", "generation", str(generation.pk)),
        ("rita", "replay", "generation", str(generation.pk)),
    ]
    listed = StaffAccess.objects.get(action="list")
    assert (listed.count, listed.detail) == (1, "q=Weather")


def test_pages_without_content_are_not_logged():
    conversation = exchange()
    client = client_with("view_conversation", "view_generation")
    for kind in ("conversation", "generation"):
        page_of(client, kind)
    page_of(client, "conversation", conversation.pk)
    assert accesses() == []


def test_log_outlives_the_staff_and_is_shown_with_its_permission(superuser):
    conversation = exchange()
    client = client_with(*VIEW_ALL, name="rita")
    page_of(client, "conversation", conversation.pk)
    StaffAccess.objects.get().user.delete()
    conversation.delete()
    shown = words(superuser.get(reverse("admin:streaming_staffaccess_changelist")).content.decode())
    assert "rita viewed conversation" in shown
    assert (
        client_with(*VIEW_ALL, name="other").get(reverse("admin:streaming_staffaccess_changelist")).status_code == 403
    )


# --- redaction


def hide(part: Part) -> Part | None:
    """The function of a site: no names of cities, no results of tools."""
    if isinstance(part, ToolResult):
        return None
    if isinstance(part, TextPart):
        return msgspec.structs.replace(part, text=part.text.replace("Rome", "[city]"))
    return part


@pytest.fixture
def redacting(settings):
    settings.STREAMING_REDACT = f"{__name__}.hide"


@pytest.mark.usefixtures("redacting")
def test_redaction_comes_before_everything_that_is_shown_or_exported(superuser):
    parts = (TextPart(text="Rome is grey."), ToolResult(call_id="1", output="from Rome"))
    owner = get_user_model().objects.create(username="ada")
    conversation = exchange("Rome", owner=owner, prompt="x" * 110 + " Rome?", parts=parts, timeline=TIMELINE)
    Conversation.objects.update(system_prompt="You live in Rome.")
    twin = Message(conversation=conversation, role="assistant", parent=conversation.active_leaf.parent)
    twin.set_parts((TextPart(text="Rome again."),))
    twin.save()
    pages = [page_of(superuser, kind) for kind in KINDS] + [page_of(superuser, kind, q="grey") for kind in KINDS]
    pages += [page_of(superuser, "conversation", conversation.pk)]
    pages += [inspect(superuser, name, conversation).content.decode() for name in ("request", "replay")]
    for page in pages:
        assert "Rome" not in page
    assert "[city] is grey." in pages[6]
    assert "You live in [city]." in pages[6]


@pytest.mark.usefixtures("redacting")
def test_redaction_sees_comments_and_errors(superuser):
    tried = [{"provider": "default", "model": "", "outcome": "failed", "ms": 5, "detail": "No weather in Rome"}]
    failure = {"status": "failed", "error_code": "bad_request", "error_detail": "Rome is not allowed", "tried": tried}
    conversation = exchange(**failure)
    answer, generation = conversation.active_leaf, conversation.generations.get()
    Feedback.objects.create(message=answer, thumb=-1, comment="I asked about Rome.")
    pages = [page_of(superuser, kind, pk) for kind, pk in (("conversation", conversation.pk), ("message", answer.pk))]
    for page in pages:
        assert "I asked about [city]." in page
        assert "[city] is not allowed" in page
    pages.append(page_of(superuser, "generation", generation.pk))
    assert "No weather in [city]" in pages[2]
    archive = {"action": "export_jsonl", "_selected_action": [str(conversation.pk)]}
    pages.append(superuser.post(address("conversation", "changelist"), archive).getvalue().decode())
    assert "No weather in [city]" in pages[3]
    assert not [page for page in pages if "Rome" in page]


@pytest.mark.usefixtures("redacting")
def test_export_is_redacted(superuser):
    conversation = exchange("Rome", prompt="Rome?", parts=(TextPart(text="Rome is grey."),))
    superuser.post(
        reverse("admin:streaming_message_review", args=[conversation.active_leaf.pk]),
        {f"{conversation.active_leaf.pk}-rating": "5", f"{conversation.active_leaf.pk}-note": "Rome again"},
    )
    action = {"action": "export_openai", "_selected_action": [str(conversation.active_leaf.pk)]}
    record = json.loads(superuser.post(address("message", "changelist"), action).getvalue())
    assert [message["content"] for message in record["messages"]] == ["[city]?", "[city] is grey."]
    assert record["metadata"]["note"] == "[city] again"


def test_without_redaction_the_same_words_are_shown(superuser):
    conversation = exchange("Rome", prompt="Rome?")
    assert "Rome?" in page_of(superuser, "conversation", conversation.pk)
    assert rows_of(superuser, "conversation", q="Rome") == [conversation.pk]
