"""The views where no answer can stream: under WSGI and in Django's synchronous test client."""

from __future__ import annotations

import uuid
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client

from streaming.models import Conversation

KEY = uuid.uuid4().hex
API = {"post": "/api/chat", "get": f"/api/chat/{KEY}/stream"}

pytestmark = [pytest.mark.fault("F32"), pytest.mark.django_db(transaction=True), pytest.mark.timeout(20)]


@pytest.mark.parametrize("method", API)
def test_api_says_that_it_needs_asgi(method: str) -> None:
    response = getattr(Client(), method)(API[method], {"prompt": "Hello?"}, content_type="application/json")
    assert (response.status_code, b"ASGI" in response.content) == (501, True)
    assert not Conversation.objects.exists()


def test_wsgi_server_gets_the_same_refusal() -> None:
    started = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": API["get"], "SERVER_NAME": "testserver", "SERVER_PORT": "80"}
    body = b"".join(WSGIHandler()(environ | {"wsgi.input": BytesIO()}, lambda status, headers: started.append(status)))
    assert (started, b"ASGI" in body) == (["501 Not Implemented"], True)


def test_pages_can_be_read_but_nothing_can_be_sent() -> None:
    client = Client()
    assert client.get("/").status_code == 200
    response = client.post(f"/chat/{KEY}/send/", {"prompt": "Hello?"})
    assert (response.status_code, b"ASGI" in response.content) == (501, True)
    assert not Conversation.objects.exists()
