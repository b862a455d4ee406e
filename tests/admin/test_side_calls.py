"""Side calls and summaries in the admin: what each costs, and who may see what."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from streaming.models import SideCall, StaffAccess, Status, Summary
from streaming.protocol import Part, TextPart
from tests.admin.site import address, client_with, exchange, page_of, rows_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

KINDS = ["sidecall", "summary"]
USED = {
    "provider": "default",
    "model": "gpt-5-nano",
    "input_tokens": 1234,
    "output_tokens": 7,
    "cost": Decimal("0.0004"),
}


def hide(part: Part) -> Part | None:
    """The function of a site that lets no text through."""
    return TextPart(text="[hidden]")


def made(kind, title="Weather", **fields):
    conversation = exchange(title)
    fields = {"conversation": conversation, "status": Status.FINISHED, **USED, **fields}
    if kind == "sidecall":
        return SideCall.objects.create(purpose="title", **fields)
    generation = conversation.generations.get()
    return Summary.objects.create(
        generation=generation, upto=conversation.active_leaf, text="They spoke of Rome.", **fields
    )


@pytest.mark.parametrize("kind", KINDS)
def test_list_has_the_model_the_tokens_and_the_cost(superuser, kind):
    shown = words(page_of(superuser, kind, made(kind).pk)) + words(page_of(superuser, kind))
    for word in ("finished", "Weather", "owner of Weather", "gpt-5-nano", "1,234 → 7", "0.0004"):
        assert word in shown


def test_failed_call_tells_its_code(superuser):
    made("sidecall", status=Status.FAILED, error_code="overloaded")
    shown = words(page_of(superuser, "sidecall"))
    assert "title failed overloaded" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_pages_need_their_own_permission(kind):
    row = made(kind)
    client = client_with("view_conversation", "view_message", "view_generation")
    assert client.get(address(kind, "changelist")).status_code == 403
    assert client.get(address(kind, "change", row.pk)).status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_content_needs_the_permission_to_read_messages(kind):
    row = made(kind)
    client = client_with(f"view_{kind}")
    for page in (page_of(client, kind), page_of(client, kind, row.pk)):
        assert not [word for word in (">Weather<", "Rome") if word in page]
        assert str(row.conversation_id) in page
    assert not StaffAccess.objects.exists()


def test_text_of_a_summary_is_logged_and_redacted(settings):
    row = made("summary")
    client = client_with("view_summary", "view_message")
    assert "They spoke of Rome." in page_of(client, "summary", row.pk)
    assert [(one.action, one.object_id) for one in StaffAccess.objects.all()] == [("view", str(row.pk))]
    settings.STREAMING_REDACT = f"{__name__}.hide"
    page = page_of(client, "summary", row.pk)
    assert "Rome" not in page
    assert "[hidden]" in page


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_adds_changes_or_deletes(superuser, kind):
    row = made(kind)
    assert superuser.get(address(kind, "add")).status_code == 403
    for view in ("change", "delete"):
        assert superuser.post(address(kind, view, row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_search_and_filters_find_the_row(superuser, kind):
    row, other = made(kind), made(kind, "Other", model="claude", status=Status.FAILED)
    assert rows_of(superuser, kind, q="nano") == [row.pk]
    assert rows_of(superuser, kind, q='owner:"owner of Other"') == [other.pk]
    assert rows_of(superuser, kind, status__exact="failed") == [other.pk]


@pytest.mark.parametrize("kind", KINDS)
def test_queries_do_not_grow_with_the_rows(superuser, kind):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page_of(superuser, kind)
        return len(captured)

    for number in range(2):
        made(kind, f"few {number}")
    page_of(superuser, kind)
    few = queries()
    for number in range(15):
        made(kind, f"more {number}")
    assert queries() == few
