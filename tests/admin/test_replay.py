"""The drawing of an answer's timeline, and its replay."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from streaming.admin.drawing import WIDTH, drawing_of
from streaming.protocol import TextPart, ToolCall
from tests.admin.site import exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

TIMELINE = [
    [400, "reasoning", 10],
    [500, "text", 4],
    [600, "text", 5],
    [700, "call", "c1"],
    [800, "run", "c1"],
    [2800, "result", "c1"],
    [2900, "step", 2],
    [4900, "text", 6],
]
CALL = ToolCall(id="c1", name="get_weather", raw_arguments="{}", arguments={}, is_complete=True)
PARTS = (TextPart(text="Let me ha"), CALL, TextPart(text="Clear."))


def test_drawing_has_runs_tools_and_gaps():
    drawing = drawing_of(TIMELINE, 5000, {"c1": "get_weather"})
    bars = [(bar.kind, bar.begins, bar.ends, bar.name) for bar in drawing.bars]
    assert bars == [
        ("reasoning", 400, 400, ""),
        ("text", 500, 600, ""),
        ("text", 4900, 4900, ""),
        ("tool", 800, 2800, "get_weather"),
        ("gap", 2800, 4900, ""),
    ]
    assert drawing.first == 400 * WIDTH / 5000
    assert all(0 <= bar.x <= WIDTH for bar in drawing.bars)


def test_drawing_of_nothing_is_one_gap():
    drawing = drawing_of([], 3000, {})
    assert ([bar.kind for bar in drawing.bars], drawing.first) == (["gap"], None)


def replay(client, conversation):
    return client.get(reverse("admin:streaming_generation_replay", args=[conversation.generations.get().pk]))


def test_replay_has_the_text_and_when_it_came(superuser):
    conversation = exchange(parts=PARTS, timeline=TIMELINE, duration_ms=5000)
    page = replay(superuser, conversation).content.decode()
    data = re.search(r'<script id="streaming-replay" type="application/json">(.*?)</script>', page)
    assert data is not None
    script = json.loads(data[1])
    assert (script["text"], script["total"], script["timeline"]) == ("Let me haClear.", 5000, TIMELINE)
    assert script["names"] == {"c1": "get_weather"}
    assert "get_weather 800 ms 2000 ms" in words(page)


def test_transcript_shows_how_long_a_tool_took_and_links_to_the_replay(superuser):
    conversation = exchange(parts=PARTS, timeline=TIMELINE)
    page = page_of(superuser, "conversation", conversation.pk)
    assert "Tool call get_weather 2.0 s" in words(page)
    assert "/replay/" in page


def test_answer_without_a_timeline_says_so(superuser):
    conversation = exchange()
    assert "/replay/" not in page_of(superuser, "conversation", conversation.pk)
    assert "has no timeline" in words(replay(superuser, conversation).content.decode())
