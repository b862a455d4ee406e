"""Content is one permission: staff without it neither see nor infer what people and models wrote."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from streaming.models import Attachment, Conversation, Message
from streaming.protocol import TextPart
from tests.admin.site import KINDS, address, client_with, exchange, one_of, page_of, rows_of

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

SECRET = "hemlock"
EVERYTHING_ELSE = ["view_conversation", "delete_conversation", "view_generation", "view_logentry"]


@pytest.fixture
def conversation() -> Conversation:
    """A conversation with the secret in every place that holds content."""
    owner = get_user_model().objects.create(username="ada")
    answer = (TextPart(text=f"{SECRET} answer"),)
    made = exchange(f"{SECRET} title", prompt=f"{SECRET} question", parts=answer, owner=owner)
    Conversation.objects.filter(pk=made.pk).update(system_prompt=f"{SECRET} system prompt")
    Message.objects.filter(conversation=made, role="user").update(client_id=f"{SECRET}-client-id")
    return made


@pytest.fixture
def blind() -> Client:
    """Staff with every permission of the app but that for content."""
    app = Permission.objects.filter(content_type__app_label="streaming").exclude(codename="view_message")
    return client_with(*app.values_list("codename", flat=True), *EVERYTHING_ELSE, name="blind")


def test_no_page_shows_content(conversation, blind):
    for kind in ("conversation", "generation"):
        pk = one_of(conversation, kind).pk
        for url in (address(kind, "changelist"), address(kind, "change", pk), address(kind, "history", pk)):
            assert SECRET not in blind.get(url).content.decode(), url
    assert blind.get(address("message", "changelist")).status_code == 403


def test_no_deletion_shows_or_logs_content(conversation, blind):
    url = address("conversation", "delete", conversation.pk)
    action = {"action": "delete_selected", "_selected_action": [str(conversation.pk)]}
    assert SECRET not in blind.get(url).content.decode()
    assert SECRET not in blind.post(address("conversation", "changelist"), action).content.decode()
    assert SECRET not in blind.post(url, {"post": "yes"}, follow=True).content.decode()
    assert not Conversation.objects.exists()
    assert SECRET not in LogEntry.objects.get().object_repr
    assert SECRET not in blind.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("kind", ["conversation", "generation"])
def test_no_search_finds_content(conversation, blind, kind):
    assert rows_of(blind, kind, q=SECRET) == []
    assert len(rows_of(client_with("view_message", f"view_{kind}", name="reader"), kind, q=SECRET)) == 1


def test_no_autocomplete_finds_or_shows_content(conversation, blind):
    field = {"app_label": "streaming", "model_name": "generation", "field_name": "conversation"}
    for term, count in ((SECRET, 0), (conversation.key, 1)):
        results = blind.get(reverse("admin:autocomplete"), {**field, "term": term}).json()["results"]
        assert len(results) == count
        assert SECRET not in str(results)


@pytest.mark.parametrize(
    ("kind", "lookup"),
    [
        ("conversation", "title__startswith"),
        ("conversation", "title"),
        ("conversation", "system_prompt__contains"),
        ("conversation", "messages__text__contains"),
        ("conversation", "generations__message__text__contains"),
        ("generation", "conversation__title__startswith"),
        ("generation", "message__text__contains"),
        ("generation", "message__client_id__startswith"),
    ],
)
def test_no_filter_in_the_address_tells_content(conversation, blind, kind, lookup):
    assert blind.get(address(kind, "changelist"), {lookup: SECRET}).status_code == 400


@pytest.mark.parametrize("kind", ["conversation", "generation"])
def test_no_filter_tells_which_tools_were_called(conversation, blind, kind, settings):
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    page = blind.get(address(kind, "changelist"))
    assert "called tool" not in page.content.decode()
    assert blind.get(address(kind, "changelist"), {"tool": "get_weather"}).status_code == 302
    reader = client_with(*EVERYTHING_ELSE, "view_message", name="reader")
    assert "called tool" in page_of(reader, kind)


@pytest.mark.parametrize("missing", ["view_reasoning", "view_raw_events"])
def test_no_filter_by_the_stored_form_tells_the_reasoning_in_it(conversation, missing):
    raw = {"view_reasoning", "view_raw_events"}
    for names, status in ((raw - {missing}, 400), (raw, 200)):
        client = client_with("view_message", *names, name=str(status))
        assert client.get(address("message", "changelist"), {"parts__icontains": SECRET}).status_code == status


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_of_a_row_tells_content(conversation, kind):
    assert SECRET not in str(one_of(conversation, kind))
    assert SECRET not in str(Attachment(name=SECRET))


def test_no_order_tells_content(conversation, blind):
    first, second = exchange("a"), exchange("b")
    orders = [rows_of(blind, "conversation", o=order) for order in ("1", "-1")]
    by_id = sorted([conversation.pk, first.pk, second.pk])
    assert orders == [by_id, by_id[::-1]]


def test_readers_see_titles_where_others_see_ids(conversation):
    reader = client_with("view_conversation", "view_message", "view_generation")
    for kind in KINDS:
        assert f"{SECRET} title" in page_of(reader, kind)
    assert f"{SECRET} system prompt" in page_of(reader, "conversation", conversation.pk)
