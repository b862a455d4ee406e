"""The cells of the admin's tables."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from streaming.admin import cells
from streaming.models import Generation, Status

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


@pytest.mark.parametrize(
    ("read", "written", "shown"),
    [(None, None, None), (0, 0, "0 → 0"), (None, 7, "? → 7"), (12_345, None, "12,345 → ?")],
)
def test_unknown_token_counts_are_not_shown_as_zero(read, written, shown):
    assert cells.tokens(read, written) == shown


@pytest.mark.parametrize(
    ("language", "used", "took", "cost"),
    [
        ("en", "12,345 → 6", "1,234.6 s", "0.0025"),
        ("de", "12.345 → 6", "1.234,6 s", "0,0025"),
        ("ja", "12,345 → 6", "1,234.6 s", "0.0025"),
        ("ar", "\u206612.345 → 6\u2069", "1.234,6 s", "0,0025"),
    ],
)
def test_figures_are_written_as_in_the_language_of_the_reader(language, used, took, cost):
    with translation.override(language):
        assert cells.tokens(12_345, 6) == used
        assert cells.duration(1_234_560) == took
        assert cells.money(Decimal("0.002500")) == cost


@pytest.mark.parametrize(("first", "total"), [(1000, 1000), (None, None), (5, 0), (3, 5)])
def test_speed_is_unknown_if_hardly_any_time_passed(first, total):
    assert cells.speed(Generation(output_tokens=5, first_delta_ms=first, duration_ms=total)) is None


@pytest.mark.parametrize(
    ("milliseconds", "shown"), [(None, None), (0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (3_600_000, "3,600.0 s")]
)
def test_short_times_are_milliseconds(milliseconds, shown):
    assert cells.duration(milliseconds) == shown


def test_status_of_another_version_is_shown_as_it_is():
    assert ">paused<" in (cells.status_badge("paused") or "")


@pytest.mark.parametrize("status", Status)
def test_status_has_a_colour_of_its_own_beside_its_word(status):
    assert (
        cells.status_badge(status) == f'<span class="streaming-status streaming-status-{status}">{status.label}</span>'
    )


def test_tries_are_told_in_order_and_equal_neighbours_together():
    failed = {"provider": "default", "model": "a", "outcome": "overloaded"}
    answered = {"provider": "gpt", "model": "b", "outcome": "answered"}
    assert cells.tries(Generation(tried=[failed, failed, answered])) == "default (overloaded) ×2, gpt (answered)"
    assert cells.tries(Generation()) is None


def test_cost_has_no_error_of_floats():
    assert cells.money(Decimal("44.9128500000023")) == "44.91285"
    assert cells.money(Decimal("0.000000004")) == "0.000000004"
    assert cells.money(Decimal("1200")) == "1,200"
