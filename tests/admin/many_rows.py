"""The lists and searches with 100,000 messages on PostgreSQL. `tests/admin/test_postgres.py` runs it there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from tests.admin.site import address, rows_of

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.timeout(600)]

CONVERSATIONS = 25_000
LIMIT_SECONDS = 0.3

# Four messages for each conversation. The words of a text follow from its number: some are common, some are rare.
FILL = """
INSERT INTO streaming_conversation (id, key, owner_key, user_id, title, provider, system_prompt, created_at, updated_at)
SELECT gen_random_uuid(), 'key-' || n,
       CASE WHEN n %% 3 = 0 THEN 'visitor:' || md5(n::text) ELSE 'user:' || %(user)s END,
       CASE WHEN n %% 3 = 0 THEN NULL ELSE %(user)s END,
       'title ' || n || CASE WHEN n %% 5000 = 0 THEN ' umbrella' ELSE '' END,
       'default', '', now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM generate_series(1, %(count)s) AS n;

INSERT INTO streaming_message (id, conversation_id, parent_id, role, parts, text, tool_names, created_at)
SELECT gen_random_uuid(), c.id, NULL, CASE WHEN k %% 2 = 0 THEN 'assistant' ELSE 'user' END, '[]',
       'common words of message ' || c.key || ' ' || k || ' ' || repeat(md5(c.key || k) || ' lorem dolor ', 12)
         || CASE WHEN c.key LIKE '%%7' THEN ' lorem ipsum' ELSE '' END
         || CASE WHEN c.key LIKE '%%777' THEN ' needle' ELSE '' END,
       CASE WHEN c.key LIKE '%%77' AND k = 2 THEN E'\\nget_weather\\n' ELSE '' END,
       c.updated_at + k * interval '1 second'
FROM streaming_conversation AS c, generate_series(1, 4) AS k;

INSERT INTO streaming_generation (id, conversation_id, message_id, provider, model, attempts, status, finish_reason,
    raw_finish_reason, error_code, error_detail, input_tokens, output_tokens, first_delta_ms, duration_ms, created_at,
    worker, cancel_reason, head_seq, last_seq)
SELECT gen_random_uuid(), m.conversation_id, m.id, 'default', 'model-' || (length(m.text) %% 7), 1,
       CASE WHEN m.text LIKE '%%needle%%' THEN 'failed' ELSE 'finished' END, 'stop', '', '', '', 100, 50, 200, 2000,
       m.created_at, '', '', 0, 9
FROM streaming_message AS m WHERE m.role = 'assistant';
"""
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
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"user": user.pk, "count": CONVERSATIONS})
            cursor.execute("ANALYZE")
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
    rows_of(ada, kind)  # imports and templates are loaded
    began = spent()
    rows_of(ada, kind, **query)
    assert spent() - began <= LIMIT_SECONDS


@pytest.mark.parametrize("by", ["day", "model", "user"])
def test_usage_is_quick(ada, by):
    began = spent()
    assert ada.get(address("generation", "usage"), {"by": by, "days": 30}).status_code == 200
    assert spent() - began <= 5 * LIMIT_SECONDS
