"""Columns with JSON that another version wrote, or that somebody changed: every page works and says what is wrong."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from streaming.archive import bundles, redacting
from streaming.models import Conversation, Generation
from streaming.views.vitals import _seen_in_tries
from tests.admin.site import address, exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

ANYTHING = ({"a": 1}, "text", 5, True, [5], [[5]], [{"provider": 5}], [[-1, "text", 1]], [[1, "text", "x"]])
NOTICE = "the stored value cannot be read"
COLUMNS = {"timeline": "timeline", "tried": "tried providers", "context": "what was sent"}


def spoiled(column, value):
    found = exchange(finished_at="2026-01-01T00:00:00Z")
    found.generations.update(**{column: value})
    return found


@pytest.fixture(params=[(column, value) for column in (*COLUMNS, "price") for value in ANYTHING], ids=str)
def odd(request):
    return request.param[0], spoiled(*request.param)


def test_pages_say_that_the_value_cannot_be_read(superuser, odd):
    column, conversation = odd
    notice = f"{COLUMNS[column]}: {NOTICE}" if column in COLUMNS else ""
    generation = conversation.generations.get()
    assert notice in words(page_of(superuser, "conversation", conversation.pk))
    assert notice in words(page_of(superuser, "message", generation.message_id))
    assert (NOTICE if notice and column != "timeline" else "") in words(page_of(superuser, "generation", generation.pk))
    for kind in ("conversation", "message", "generation"):
        page_of(superuser, kind)


@pytest.mark.parametrize(
    ("page", "columns"), [("replay", {"timeline"}), ("request", {"context", "tried"}), ("events", set())]
)
def test_pages_about_a_generation_work(superuser, odd, page, columns):
    column, conversation = odd
    found = superuser.get(reverse(f"admin:streaming_generation_{page}", args=[conversation.generations.get().pk]))
    assert found.status_code == 200
    assert (NOTICE in words(found.content.decode())) == (column in columns)


@pytest.mark.parametrize("kind", ["jsonl", "markdown", "csv"])
@pytest.mark.parametrize("redact", ["", "tests.admin.test_export.hide_secrets"])
def test_exports_work(superuser, odd, kind, redact, settings):
    settings.STREAMING_REDACT = redact
    asked = {"action": f"export_{kind}", "_selected_action": [str(odd[1].pk)]}
    assert b"".join(superuser.post(address("conversation", "changelist"), asked).streaming_content)


def test_a_redacted_export_leaves_out_what_cannot_be_read(odd):
    column, _conversation = odd
    [bundle] = redacting(bundles(Conversation.objects.all()), text=str, parts=tuple)
    [generation] = bundle.rows["generation"]
    assert getattr(generation, column) is None


def test_asked_provider_is_the_one_of_the_row(odd):
    assert odd[1].generations.get().asked_provider == "default"


def test_metrics_go_on(odd):
    assert _seen_in_tries() == {}


def test_command_replays_the_answer(odd):
    shown, notes = StringIO(), StringIO()
    call_command("replay", str(odd[1].generations.get().pk), "--speed", "max", stdout=shown, stderr=notes)
    assert "Not today." in shown.getvalue()
    assert ("cannot be read" in notes.getvalue()) == (odd[0] == "timeline")


@pytest.mark.parametrize("value", ANYTHING, ids=str)
def test_tools_that_cannot_be_read_are_not_offered(superuser, value, settings, caplog):
    """A conversation may have been given fewer tools than the site has. Nobody knows which ones."""
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    conversation = exchange()
    Conversation.objects.update(tools=value)
    found = superuser.get(reverse("admin:streaming_generation_request", args=[Generation.objects.get().pk]))
    assert found.status_code == 200
    assert f"Tools: {NOTICE}." in words(found.content.decode())
    assert "get_weather" not in found.content.decode()
    assert str(conversation.pk) in caplog.text


def test_values_that_can_be_read_have_no_notice(superuser):
    conversation = spoiled("timeline", [[1, "text", 3], [2, "pause", 3], [4, "run", "x"]])
    assert NOTICE not in page_of(superuser, "conversation", conversation.pk)
