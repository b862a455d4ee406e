"""The lists and searches with many messages on PostgreSQL, where `tests/journal/test_backends.py` runs this.

There are 8,000 messages. With FAULTS=long there are 100,000, for which the limit is meant.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from streaming.models import Conversation, Generation, Message, Owner
from tests.admin.site import address, rows_of

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.timeout(600)]

CONVERSATIONS = 25_000 if os.environ.get("FAULTS") == "long" else 2_000
LIMIT_SECONDS = 0.3

# The rows are made within a second of each other; these statements spread them over weeks.
SPREAD = """
UPDATE streaming_conversation SET updated_at = now() - split_part(key, '-', 2)::int * interval '1 minute';
UPDATE streaming_message AS m SET created_at = c.updated_at + length(m.role) * interval '1 second'
FROM streaming_conversation AS c WHERE c.id = m.conversation_id;
UPDATE streaming_generation AS g SET created_at = m.created_at FROM streaming_message AS m WHERE m.id = g.message_id;
"""


def conversations(user):
    for number in range(1, CONVERSATIONS + 1):
        owner = Owner.of_visitor(f"{number:032x}") if number % 3 == 0 else Owner.of_user(user.pk)
        title = f"title {number}" + " umbrella" * (number % 5000 == 0)
        yield Conversation(
            key=f"key-{number}", owner_key=owner.key, user_id=owner.user_id, title=title, provider="default"
        )


def messages(conversation):
    """Four messages of 1 KB. A common word is in every fourth, a phrase in every fortieth, a rare word in few."""
    number = int(conversation.key.partition("-")[2])
    for place in range(1, 5):
        text = f"words of message {conversation.key} {place} " + f"filler{number} lorem dolor " * 40
        text += " common" * (place == 2) + " lorem ipsum" * (number % 40 == 7) + " needle" * (number % 1000 == 777)
        tools = "\nget_weather\n" if number % 100 == 77 and place == 2 else ""
        role = "user" if place % 2 else "assistant"
        yield Message(conversation=conversation, role=role, parts=[], text=text, tool_names=tools)


def generation(message):
    return Generation(
        conversation_id=message.conversation_id,
        message=message,
        provider="default",
        model=f"model-{len(message.text) % 7}",
        attempts=1,
        status="failed" if "needle" in message.text else "finished",
        finish_reason="stop",
        input_tokens=100,
        output_tokens=50,
        first_delta_ms=200,
        duration_ms=2000,
        last_seq=9,
    )


def fill(user):
    made = Conversation.objects.bulk_create(conversations(user), batch_size=5000)
    written = [message for conversation in made for message in messages(conversation)]
    Message.objects.bulk_create(written, batch_size=5000)
    answers = (generation(message) for message in written if message.role == "assistant")
    Generation.objects.bulk_create(answers, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute(SPREAD)
        cursor.execute("VACUUM ANALYZE")


QUERIES = [
    {},
    {"q": "needle"},
    {"q": "common"},
    {"q": "common needle"},
    {"q": '"lorem ipsum"'},
    {"q": "umbrella"},
    {"q": "no-such-word"},
    {"q": "owner:ada"},
    {"q": "owner:visitor"},
    {"q": "ada"},
    {"q": "key-12345"},
    {"status": "failed"},
    {"status": "finished"},
    {"model": "model-3"},
    {"review": "inbox"},
    {"review": "unreviewed"},
    {"review": "flagged"},
    {"feedback": "-1"},
    {"label": "wrong"},
    {"owner": "visitor"},
    {"tool": "get_weather"},
    {"q": "common", "status": "failed", "model": "model-3"},
]


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        user = get_user_model().objects.create_superuser("ada", password="secret")
        fill(user)
        yield user
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE streaming_conversation, auth_user CASCADE")


def spent() -> float:
    """The CPU time of this process and of its server process, in seconds. A busy machine does not change it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def ada(filled, db) -> Client:
    client = Client()
    client.force_login(filled)
    return client


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: "-".join(map(str, query.items())))
@pytest.mark.parametrize("kind", ["conversation", "message", "generation"])
def test_list_is_quick(ada, settings, kind, query):
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    took = []
    for _ in range(2):  # the first time, the server reads the table and this process its templates
        began = spent()
        rows_of(ada, kind, **query)
        took.append(spent() - began)
    assert min(took) <= LIMIT_SECONDS, took


@pytest.mark.parametrize("by", ["day", "model", "user"])
def test_usage_is_quick(ada, by):
    began = spent()
    assert ada.get(address("generation", "usage"), {"by": by, "days": 30}).status_code == 200
    assert spent() - began <= 5 * LIMIT_SECONDS
