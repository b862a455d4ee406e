"""Whole conversations are exported from their list: streamed, logged, redacted, and only by those who may."""

from __future__ import annotations

import io
import json

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from streaming.admin import streamed
from streaming.archive import read_archive
from streaming.models import Conversation, Message, StaffAccess
from streaming.protocol import Part, ReasoningPart, TextPart
from tests.admin.site import address, client_with, exchange

pytestmark = pytest.mark.django_db
ALL = (
    *("view_conversation", "view_message", "export_conversation", "view_reasoning", "view_raw_events"),
    "view_generation",
)
KINDS = ("jsonl", "markdown", "csv")


def hide_secrets(part: Part) -> Part | None:
    """The site's redaction: no reasoning, and no rain."""
    if isinstance(part, ReasoningPart):
        return None
    return TextPart(text=part.text.replace("rain", "[…]")) if isinstance(part, TextPart) else part


def asked(kind, *conversations):
    return {"action": f"export_{kind}", "_selected_action": [str(one.pk) for one in conversations]}


def text_of(response):
    return b"".join(response.streaming_content).decode()


def test_archive_is_read_back():
    first, second, other = exchange("One"), exchange("Two"), exchange("Three")
    response = client_with(*ALL).post(address("conversation", "changelist"), asked("jsonl", first, second))
    assert response.headers["Content-Disposition"] == 'attachment; filename="conversations.jsonl"'
    text = text_of(response)
    Conversation.objects.exclude(pk=other.pk).delete()
    done = read_archive(io.StringIO(text))
    assert done.imported["conversation"] == 2
    assert sorted(Conversation.objects.values_list("title", flat=True)) == ["One", "Three", "Two"]
    assert Message.objects.filter(conversation=first.pk).count() == 2


@pytest.mark.parametrize("kind", KINDS)
def test_export_is_logged_and_has_only_what_was_chosen(kind):
    chosen, _other = exchange("Chosen"), exchange("Other", prompt="Something else?")
    text = text_of(client_with(*ALL).post(address("conversation", "changelist"), asked(kind, chosen)))
    assert "Will it rain?" in text
    assert "Something else?" not in text
    row = StaffAccess.objects.get(action="export")
    assert (row.username, row.kind, row.count, row.detail) == ("reader", "conversation", 1, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_redaction_is_applied_and_said(settings, kind):
    settings.STREAMING_REDACT = "tests.admin.test_export.hide_secrets"
    one = exchange("Rome", parts=[ReasoningPart(text="a thought"), TextPart(text="No rain.")])
    Conversation.objects.filter(pk=one.pk).update(title="rain in Rome", system_prompt="Never speak of rain.")
    staff = client_with(*ALL)
    assert "redacted: not a backup" in staff.get(address("conversation", "changelist")).content.decode()
    response = staff.post(address("conversation", "changelist"), asked(kind, one))
    assert "conversations-redacted." in response.headers["Content-Disposition"]
    text = text_of(response)
    assert "[…]" in text
    assert "rain" not in text
    assert "a thought" not in text
    assert StaffAccess.objects.get(action="export").detail == f"{kind} redacted"


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        *((kind, name) for kind in KINDS for name in ("view_message", "export_conversation")),
        *(("jsonl", name) for name in ("view_reasoning", "view_raw_events", "view_generation")),
        ("markdown", "view_reasoning"),
        ("csv", "view_generation"),
    ],
)
def test_those_without_a_permission_export_nothing(kind, missing):
    one = exchange()
    staff = client_with(*(name for name in ALL if name != missing))
    assert f"export_{kind}" not in staff.get(address("conversation", "changelist")).content.decode()
    response = staff.post(address("conversation", "changelist"), asked(kind, one))
    assert not response.streaming
    assert not StaffAccess.objects.filter(action="export").exists()


@pytest.mark.django_db(transaction=True)
async def test_file_is_sent_while_it_is_made(monkeypatch):
    """Under ASGI, nothing is read ahead: after the first piece, most conversations have not been read."""
    monkeypatch.setattr(streamed, "BYTES_PER_PIECE", 1)
    one = await sync_to_async(exchange)()
    made = []

    def texts():
        for number in range(100):
            made.append(number)
            yield f"{number}\n"

    monkeypatch.setitem(__import__("streaming.admin.export", fromlist=["FORMATS"]).FORMATS, "csv", lambda _: texts())
    client = AsyncClient()
    staff = await sync_to_async(client_with)(*ALL)
    client.cookies = staff.cookies
    response = await client.post(address("conversation", "changelist"), asked("csv", one))
    pieces = aiter(response.streaming_content)
    assert await anext(pieces) == b"0\n"
    assert made == [0]
    await sync_to_async(response.close)()
    assert made == [0]


def test_lines_are_json(superuser):
    exchange(prompt="Ünïcode\nand lines")
    response = superuser.post(address("conversation", "changelist"), asked("jsonl", *Conversation.objects.all()))
    assert all(json.loads(line) for line in text_of(response).splitlines())
