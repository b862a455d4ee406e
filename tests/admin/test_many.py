"""Lists with more rows than are counted or found."""

from __future__ import annotations

import pytest

from streaming.admin import changelist, read_only
from tests.admin.site import KINDS, address, exchange, page_of, rows_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def test_list_counts_only_so_many_rows_and_says_so(superuser, monkeypatch):
    for number in range(4):
        exchange(str(number))
    assert "Only so many" not in page_of(superuser, "conversation")
    monkeypatch.setattr(changelist, "MAX_COUNTED", 3)
    page = words(page_of(superuser, "conversation"))
    assert "There are at least 3 rows." in page
    assert "3 conversations" in page


@pytest.mark.parametrize("kind", KINDS)
def test_filters_are_not_counted(superuser, kind):
    exchange()
    response = superuser.get(address(kind, "changelist"), {"_facets": "True"})
    assert "Show counts" not in response.content.decode()
    assert not response.context["cl"].add_facets


def test_search_finds_the_newest_rows(superuser, monkeypatch):
    monkeypatch.setattr(read_only, "MAX_FOUND", 2)
    made = [exchange(f"needle {number}") for number in range(3)]
    assert rows_of(superuser, "conversation", q="needle") == [made[2].pk, made[1].pk]
