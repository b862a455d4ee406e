"""The list of generations."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.admin.site import exchange, page_of, rows_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def test_list_shows_status_tokens_times_and_speed(superuser):
    exchange("Weather")
    assert "finished stop Weather owner of Weather gpt-5-mini 1,234 → 500 150 ms 2.1 s 250/s" in words(
        page_of(superuser, "generation")
    )


def test_unknown_figures_are_shown_as_dashes(superuser):
    nothing = dict.fromkeys(("input_tokens", "output_tokens", "first_delta_ms", "duration_ms"))
    conversation = exchange(**nothing, finish_reason="", model="")
    assert "finished Weather owner of Weather default - - -" in words(page_of(superuser, "generation"))
    assert "None" not in words(page_of(superuser, "generation", conversation.generations.get().pk))


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "failed"},
        {"provider": "second"},
        {"model": "rare-model"},
        {"finish_reason": "length"},
        {"error_code": "overloaded"},
        {"created_at__gte": "2001-01-01 00:00:00+00:00", "status__exact": "failed"},
        {"created_at__year": str(timezone.now().year), "error_code": "overloaded"},
    ],
)
def test_filters_find_the_generation(superuser, query):
    exchange("Other")
    wanted = exchange(
        provider="second", model="rare-model", status="failed", finish_reason="length", error_code="overloaded"
    )
    assert rows_of(superuser, "generation", **query) == [wanted.generations.get().pk]


@pytest.mark.parametrize(("error", "has_section"), [("", False), ("overloaded", True)])
def test_only_a_generation_that_failed_has_a_section_about_its_error(superuser, error, has_section):
    generation = exchange(error_code=error).generations.get()
    assert ("Error code:" in words(page_of(superuser, "generation", generation.pk))) is has_section
