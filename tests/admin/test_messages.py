"""The list of messages."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.admin.site import exchange, page_of

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]


def test_list_loads_only_the_beginning_of_each_message(superuser):
    exchange(prompt="x" * 500)
    with CaptureQueriesContext(connection) as captured:
        page = page_of(superuser, "message")
    assert "x" * 120 + "…" in page
    assert "x" * 121 not in page
    assert not [query for query in captured if '"streaming_message"."parts"' in query["sql"]]
