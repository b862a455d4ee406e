"""The usage page: its figures, its drawing and its CSV."""

from __future__ import annotations

import csv
import datetime
import io
import statistics
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from streaming.admin.usage.chart import chart_of
from streaming.admin.usage.figures import each_day, metered_since, rows_by, total_of
from streaming.admin.usage.page import cells_of
from streaming.costs import Usage
from streaming.models import Conversation, Generation, SideCall, StaffAccess
from tests.admin.site import client_with, exchange, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def page(client, **query):
    response = client.get(reverse("admin:streaming_generation_usage"), query)
    assert response.status_code == 200
    return response.content.decode()


def everything(by):
    return rows_by(by, metered_since(timezone.now() - datetime.timedelta(days=30)))


def test_percentiles_are_those_of_the_sorted_values():
    times = [(number * 7919) % 1000 for number in range(101)]
    for time in times:
        exchange("x", first_delta_ms=time, duration_ms=2 * time)
    [row] = everything("model")
    assert row.first_p50 == statistics.median(times)
    assert row.first_p95 == sorted(times)[95]
    assert (row.duration_p50, row.duration_p95) == (2 * row.first_p50, 2 * row.first_p95)
    assert (row.requests, row.input_tokens, row.output_tokens) == (101, 101 * 1234, 101 * 500)


def test_one_answer_and_unknown_times_have_percentiles_too():
    exchange("one", model="one")
    exchange("none", model="none", first_delta_ms=None, duration_ms=None, input_tokens=None)
    one, none = sorted(everything("model"), key=lambda row: row.group, reverse=True)
    assert (one.first_p50, one.first_p95) == (150, 150)
    assert (none.first_p50, none.duration_p95, none.input_tokens) == (None, None, 0)


def test_side_calls_add_their_tokens_and_their_cost_to_their_group():
    exchange("one", model="large", cost="0.5")
    call = {"conversation": Conversation.objects.get(), "provider": "default", "status": "finished"}
    SideCall.objects.create(**call, purpose="title", model="small", input_tokens=70, output_tokens=3, cost="0.25")
    small, large = sorted(everything("model"), key=lambda row: row.requests)
    assert small[:6] == ("small", 0, 0, 70, 3, Decimal("0.25"))
    assert large[:6] == ("large", 1, 0, 1234, 500, Decimal("0.5"))
    [day] = everything("day")
    assert day[1:6] == (1, 0, 1304, 503, Decimal("0.75"))


def test_failures_count_and_stops_do_not():
    for status in ("failed", "truncated", "interrupted", "cancelled", "finished"):
        exchange(status, status=status)
    [row] = everything("provider")
    assert (row.requests, row.failed, cells_of(row, has_cost=False)[1]) == (5, 3, "3 (60.0 %)")


def test_users_are_rows_and_visitors_are_one():
    exchange("Weather")
    for key in ("k1", "k2"):
        made = exchange(key)
        Conversation.objects.filter(pk=made.pk).update(user=None, owner_key=f"visitor:{key}")
    assert {row.group: row.requests for row in everything("user")} == {"owner of Weather": 1, "visitors": 2}


def test_days_are_in_order_and_old_ones_left_out():
    for days in (0, 1, 1, 40):
        made = exchange(str(days)).generations.get()
        Generation.objects.filter(pk=made.pk).update(created_at=timezone.now() - datetime.timedelta(days=days))
    rows = everything("day")
    today = timezone.localdate()
    assert [(row.group, row.requests) for row in rows] == [(today - datetime.timedelta(days=1), 2), (today, 1)]
    assert total_of(metered_since(timezone.now() - datetime.timedelta(days=30))).requests == 3


@pytest.mark.parametrize("by", ["day", "model", "provider", "user", "nonsense"])
def test_page_shows_a_table_and_a_drawing(superuser, by):
    exchange("Weather", status="failed")
    shown = page(superuser, by=by, days="7")
    assert "<svg" in shown
    assert "1 (100.0 %) 1,234 500 150 150 2,150 2,150" in words(shown)
    assert "style=" not in shown.partition("<svg")[2].partition("</svg>")[0]


def test_page_without_answers_says_so(superuser):
    assert "Nothing was asked" in page(superuser, days="x")


@pytest.mark.parametrize("days", ["", "x", "-7", "0", "8", "²", "9" * 5000])
def test_number_of_days_that_is_not_offered_is_the_usual_one(superuser, days):
    exchange("Weather")
    assert words(page(superuser, days=days)) == words(page(superuser))


def test_queries_do_not_grow_with_the_rows(superuser):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            page(superuser)
        return len(captured)

    exchange("one")
    page(superuser)
    few = queries()
    for number in range(20):
        exchange(str(number), model=f"model {number}")
    assert queries() == few
    assert few <= 13  # two of them for each kind of side call


def test_csv_has_the_rows_is_logged_and_is_no_formula(superuser):
    exchange("x", model="=cmd()")
    text = page(superuser, by="model", format="csv")
    [row] = csv.DictReader(io.StringIO(text))
    assert row["model"] == "'=cmd()"
    assert (row["requests"], row["first_p95"], row["cost"]) == ("1", "150", "")
    assert StaffAccess.objects.get().detail == "by=model&format=csv"


def test_page_needs_the_permission_to_view_generations():
    client = client_with("view_conversation", "view_message")
    assert client.get(reverse("admin:streaming_generation_usage")).status_code == 403


def test_chart_of_many_days_has_few_labels():
    exchange("x")
    [row] = everything("model")
    chart = chart_of([row._replace(group=f"day {number}") for number in range(365)])
    assert len(chart.columns) == 365
    assert len([column for column in chart.columns if column.label]) <= 10
    assert max(column.x + column.width for column in chart.columns) <= 1000


def test_cells_are_written_for_people():
    row = Usage("x", 1234, 3, 5678901, 0, Decimal("0.024600000"), 80, None, 12345, 60000)
    assert cells_of(row, has_cost=True) == [
        *("1,234", "3 (0.2 %)", "5,678,901", "0", "0.0246"),
        *("80", "–", "12,345", "60,000"),
    ]
    assert cells_of(row._replace(failed=0, cost=None), has_cost=False)[:5] == ["1,234", "0", "5,678,901", "0", "80"]


def test_only_days_are_joined_by_lines():
    for title in ("one", "two"):
        exchange(title, model=title)
    rows = everything("model")
    assert chart_of(rows, is_series=True).lines
    assert not chart_of(rows).lines


def asked(days_ago, hour, tz="UTC"):
    """An answer at an hour of a day, in a time zone."""
    day = datetime.datetime.now(ZoneInfo(tz)).replace(hour=hour, minute=0) - datetime.timedelta(days=days_ago)
    Generation.objects.filter(pk=exchange(f"{days_ago} {hour}").generations.get().pk).update(created_at=day)


def test_first_day_is_a_whole_one_in_a_time_zone_of_its_own(superuser, settings):
    settings.TIME_ZONE = "Asia/Kathmandu"
    for days_ago in (0, 6, 7):
        for hour in (0, 23) if days_ago else (0,):
            asked(days_ago, hour, "Asia/Kathmandu")
    shown = csv.DictReader(io.StringIO(page(superuser, by="day", days="7", format="csv")))
    today = datetime.datetime.now(ZoneInfo("Asia/Kathmandu")).date()
    assert [(row["day"], row["requests"]) for row in shown] == [
        (str(today - datetime.timedelta(days=6)), "2"),
        (str(today), "1"),
    ]


def test_chart_of_days_has_no_gaps():
    first, last = datetime.date(2026, 2, 26), datetime.date(2026, 3, 2)
    row = Usage(datetime.date(2026, 2, 27), 3, 1, 10, 10, None, 100)
    found = each_day([row, row._replace(group=datetime.date(2026, 3, 1))], first, last)
    assert [(one.group.day, one.requests) for one in found] == [(26, 0), (27, 3), (28, 0), (1, 3), (2, 0)]


def test_chart_of_days_shows_the_whole_time(superuser):
    exchange("x")
    assert len(superuser.get(reverse("admin:streaming_generation_usage"), {"days": 90}).context["chart"].columns) == 90


def test_chart_of_one_row_is_a_column_and_no_wall():
    exchange("x")
    [column] = chart_of(everything("model")).columns
    assert column.width < 100
    assert column.x + column.width / 2 == 500
