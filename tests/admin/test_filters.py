"""The filters of the three lists."""

from __future__ import annotations

import pytest

from streaming.models import Feedback, Message, Review, Thumb
from streaming.protocol import TextPart, ToolCall
from tests.admin.site import exchange, page_of, rows_of

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

FILTERS = [
    {"status": "failed"},
    {"finish_reason": "length"},
    {"error_code": "overloaded"},
    {"provider": "second"},
    {"model": "rare-model"},
    {"tool": "get_weather"},
    {"feedback": "-1"},
    {"review": "flagged"},
    {"review": "inbox"},
    {"review": "reviewed"},
    {"label": "wrong"},
    {"rating": "2"},
    {"owner": "account", "status": "failed"},
]


@pytest.fixture
def wanted(settings):
    """A conversation with everything that can be filtered by, beside one without."""
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    exchange("Other")
    call = ToolCall(id="1", name="get_weather", raw_arguments="{}", arguments={}, is_complete=True)
    outcome = {"provider": "second", "model": "rare-model", "status": "failed", "finish_reason": "length"}
    made = exchange(parts=(TextPart(text="Let me look."), call), error_code="overloaded", **outcome)
    Feedback.objects.create(message=made.active_leaf, thumb=Thumb.DOWN)
    review = Review(message=made.active_leaf, rating=2, is_flagged=True)
    review.label_set = ["wrong", "unsafe"]
    review.save()
    return made


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: "-".join(map(str, query.items())))
@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_filter_finds_the_answer(superuser, wanted, kind, query):
    rows = {"conversation": wanted, "message": wanted.active_leaf, "generation": wanted.generations.get()}
    assert rows_of(superuser, kind, **query) == [rows[kind].pk]


def test_every_filter_says_what_it_is(superuser, wanted):
    page = page_of(superuser, "conversation")
    for title in ("last status", "model of an answer", "finish reason of an answer", "called tool of an answer"):
        assert f"By {title}" in page
    assert "of an answer" not in page_of(superuser, "generation")


def test_unknown_value_of_a_filter_filters_nothing(superuser, wanted):
    assert len(rows_of(superuser, "conversation", model="no-such-model", review="x", rating="NaN", status="x")) == 2


def test_inbox_has_flagged_failed_and_disliked_answers(superuser):
    fine, flagged, failed, disliked = (exchange(name) for name in ("fine", "flagged", "failed", "disliked"))
    done = exchange("done", status="failed")
    failed.generations.update(status="failed")
    Feedback.objects.create(message=disliked.active_leaf, thumb=Thumb.DOWN)
    Feedback.objects.create(message=fine.active_leaf, thumb=Thumb.UP)
    Review.objects.create(message=flagged.active_leaf, is_flagged=True)
    Review.objects.create(message=done.active_leaf, rating=3)
    found = rows_of(superuser, "message", review="inbox")
    assert set(found) == {one.active_leaf.pk for one in (flagged, failed, disliked)}


def test_tool_is_found_by_its_whole_name(superuser, settings):
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    longer = ToolCall(id="1", name="get_weather_map", raw_arguments="{}", arguments={}, is_complete=True)
    exchange(parts=(longer,))
    assert Message.objects.exclude(tool_names="").get().tool_names == "\nget_weather_map\n"
    assert rows_of(superuser, "message", tool="get_weather") == []
