"""While the database cannot answer, the admin says so."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.template.response import TemplateResponse

from streaming.admin import ConversationAdmin
from streaming.admin.unavailable import _guarded
from streaming.models import Conversation
from tests.admin.site import address, exchange
from tests.engine import forget_database_trouble, lose_table

AWAY = OperationalError("connection to server at 10.0.0.1 failed")


@pytest.fixture(autouse=True)
def forgotten():
    yield
    forget_database_trouble()


@pytest.mark.django_db
@pytest.mark.parametrize("view", ["changelist", "change"])
def test_page_says_that_the_database_is_away(superuser, monkeypatch, view):
    one = exchange()

    def away(*args, **kwargs):
        raise AWAY

    monkeypatch.setattr(ConversationAdmin, "get_queryset", away)
    args = [one.pk] if view == "change" else []
    response = superuser.get(address("conversation", view, *args))
    text = response.content.decode()
    assert response.status_code == 503
    assert "The site&#x27;s database is away" in text
    assert "10.0.0.1" not in text
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.django_db
def test_missing_table_is_no_traceback(superuser, monkeypatch):
    lose_table(monkeypatch, Conversation)
    response = superuser.get(address("conversation", "changelist"))
    assert response.status_code == 500
    assert "administrator has to fix this" in response.content.decode()


@pytest.mark.django_db
def test_response_that_fails_while_it_is_rendered_says_so():
    class Late(TemplateResponse):
        def render(self):
            raise AWAY

    request = HttpRequest()
    response = _guarded(lambda request: Late(request, "none.html"))(request)
    assert response.render().status_code == 503


def test_other_faults_are_not_hidden():
    def wrong(request):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _guarded(wrong)(HttpRequest())
