"""The permissions and the search that all pages of the admin share."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from streaming.models import Status
from tests.admin.site import KINDS, VIEW_ALL, address, client_with, exchange, one_of, page_of, rows_in, rows_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


@pytest.mark.parametrize("kind", KINDS)
def test_list_needs_the_view_permission(kind):
    client = client_with()
    assert client.get(address(kind, "changelist")).status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_list_is_closed_to_people_outside_the_staff(kind):
    client = Client()
    client.force_login(get_user_model().objects.create_user("customer"))
    assert client.get(address(kind, "changelist")).status_code == 302


@pytest.mark.parametrize("kind", KINDS)
def test_page_of_a_row_needs_the_view_permission(kind):
    pk = one_of(exchange(), kind).pk
    others = [permission for permission in VIEW_ALL if permission != f"view_{kind}"]
    client = client_with(*others)
    assert client.get(address(kind, "change", pk)).status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_adds_or_changes_rows(superuser, kind):
    row = one_of(exchange(), kind)
    assert superuser.get(address(kind, "add")).status_code == 403
    assert superuser.post(address(kind, "change", row.pk), {"title": "Mine"}).status_code == 403
    page = page_of(superuser, kind, row.pk)
    assert 'name="_save"' not in page
    content = page.partition('id="content"')[2]
    content = re.sub(r'<fieldset class="streaming-review".*?</fieldset>', "", content, flags=re.DOTALL)
    assert not re.search(r"<(textarea|select)|<input[^>]+type=.text", content)


@pytest.mark.parametrize("kind", ["message", "generation"])
def test_nobody_deletes_single_rows(superuser, kind):
    row = one_of(exchange(), kind)
    assert superuser.post(address(kind, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_transcript_needs_the_permission_to_view_messages():
    conversation = exchange(prompt="the secret question")
    assert "the secret question" not in page_of(client_with("view_conversation"), "conversation", conversation.pk)
    reader = client_with("view_conversation", "view_message", name="second reader")
    assert "the secret question" in page_of(reader, "conversation", conversation.pk)


def test_search_finds_no_text_for_people_who_may_not_read_it():
    conversation = exchange(prompt="the secret question")
    blind = client_with("view_conversation", "view_generation")
    assert "today" not in page_of(blind, "generation", conversation.generations.get().pk)
    assert rows_of(blind, "conversation", q="secret") == []
    assert rows_of(blind, "generation", q="today") == []
    reader = client_with(*VIEW_ALL, name="second reader")
    assert rows_of(reader, "conversation", q="secret") == [conversation.pk]
    assert rows_of(reader, "generation", q="today") == [conversation.generations.get().pk]


def test_error_detail_needs_the_permission_to_view_generations():
    conversation = exchange(status=Status.FAILED, error_code="rate_limited", error_detail="HTTP 429: slow down")
    answer = conversation.active_leaf.pk
    without = client_with("view_conversation", "view_message")
    assert "slow down" not in page_of(without, "conversation", conversation.pk)
    assert "slow down" not in page_of(without, "message", answer)
    reader = client_with(*VIEW_ALL, name="second reader")
    assert "rate_limited: HTTP 429: slow down" in words(page_of(reader, "conversation", conversation.pk))
    assert "rate_limited: HTTP 429: slow down" in words(page_of(reader, "message", answer))
    assert "HTTP 429: slow down" in page_of(reader, "generation", conversation.generations.get().pk)


@pytest.mark.parametrize("query", [{}, {"q": "t"}, {"review": "unreviewed"}], ids=["all", "search", "filter"])
@pytest.mark.parametrize("kind", KINDS)
def test_list_takes_the_same_queries_for_3_rows_and_30(superuser, kind, query):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page_of(superuser, kind, **query)
        return len(captured)

    for number in range(3):
        exchange(f"early {number}")
    page_of(superuser, kind, **query)
    few = queries()
    for number in range(27):
        exchange(f"late {number}")
    assert queries() == few
    assert few <= 14


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("conversation", "Needle"),
        ("conversation", "haystack question"),
        ("conversation", "owner of Needle"),
        ("message", "haystack"),
        ("generation", "Needle"),
        ("generation", "rare-model"),
        ("generation", "owner of Needle"),
    ],
)
def test_search_finds_rows_by_text_title_user_and_model(superuser, kind, query):
    exchange("Other")
    conversation = exchange("Needle", prompt="a haystack question", model="rare-model")
    found = rows_of(superuser, kind, q=query)
    assert found
    assert set(found) <= {row.pk for row in rows_in(conversation, kind)}


@pytest.mark.parametrize("kind", KINDS)
def test_search_finds_a_client_id_or_a_whole_id(superuser, kind):
    exchange("Other")
    conversation = exchange("Needle")
    row = one_of(conversation, kind)
    assert rows_of(superuser, kind, q=str(row.pk)) == [row.pk]
    assert rows_of(superuser, kind, q=str(uuid.uuid4())) == []
    if kind != "generation":
        assert rows_of(superuser, kind, q=f"client-{conversation.key}") == [row.pk]


def test_unknown_id_leads_back_to_the_front_page(superuser):
    for kind in KINDS:
        response = superuser.get(address(kind, "change", "nonsense"))
        assert (response.status_code, response.headers["Location"]) == (302, reverse("admin:index"))
