"""What the chat templates show of a conversation, and the tags that put it on any page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Template
from django.test import AsyncClient, RequestFactory
from django.utils import translation

from streaming.database import in_database
from streaming.models import Conversation
from streaming.protocol.parts import FilePart, ReasoningPart, TextPart, ToolCall, ToolResult
from tests.pages import answered, stored, visible

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "streaming"
pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def client(settings: Any) -> AsyncClient:
    settings.STREAMING_ALLOW_ANONYMOUS = True
    return AsyncClient()


async def test_each_kind_of_part_is_shown(client: AsyncClient) -> None:
    page = await stored(
        client,
        ReasoningPart(text="Hm & hm."),
        ToolCall(id="1", name="look_up", arguments={"name": "<x>"}, is_complete=True),
        ToolResult(call_id="1", output={"found": True}),
        FilePart(media_type="image/png", url="https://example.com/a.png", filename="a.png"),
        FilePart(media_type="text/html", url="javascript:alert(1)"),
        TextPart(text="Done."),
    )
    shown = visible(page)
    assert "Hm &amp; hm." in shown
    assert 'data-state="output-available"' in shown
    assert "&quot;name&quot;: &quot;&lt;x&gt;&quot;" in shown
    assert "&quot;found&quot;: true" in shown
    assert 'href="https://example.com/a.png">a.png</a>' in shown
    assert "javascript:" not in shown


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        ({"status": "cancelled"}, "Stopped."),
        ({"status": "finished", "finish_reason": "length"}, "The answer reached its length limit."),
        ({"status": "finished", "finish_reason": "content_filter"}, "filter withheld the rest"),
        ({"status": "truncated", "error_code": "truncated"}, "broke off before it was complete"),
        ({"status": "interrupted", "error_code": "interrupted"}, "The server stopped while answering."),
    ],
)
async def test_why_an_answer_is_not_whole_is_said(client: AsyncClient, outcome: dict[str, str], note: str) -> None:
    page = visible(await stored(client, TextPart(text="Half"), **outcome))
    assert "Half" in page
    assert note in page
    assert 'name="regenerate"' in page


async def test_a_whole_answer_needs_no_note(client: AsyncClient) -> None:
    page = visible(await answered(client))
    assert "chat-note" not in page


async def test_staff_detail_is_not_on_the_page(client: AsyncClient) -> None:
    page = await stored(client, status="failed", error_code="authentication", error_detail="key sk-123 refused")
    assert "refused the site&#x27;s key" in page
    assert "sk-123" not in page


async def test_the_chat_tag_stands_in_any_page(client: AsyncClient, rf: RequestFactory) -> None:
    await answered(client)
    conversation = await Conversation.objects.aget()
    template = Template("{% load streaming %}{% chat conversation %}")
    with translation.override("en"):
        rendered = await in_database(template.render, Context({"conversation": conversation}))
        fresh = await in_database(template.render, Context({"conversation": None}))
    assert 'data-conversation="c1"' in rendered
    assert "Hello" in rendered
    assert "data-whole-page" not in rendered
    assert 'data-conversation=""' in fresh
    assert re.search(r'action="/chat/[0-9a-f]{32}/send/"', fresh)


def test_the_documentation_names_every_template_and_colour() -> None:
    page = (ROOT / "docs/pages.md").read_text()
    templates = {path.name for path in (APP / "templates/streaming").glob("*.html")}
    assert set(re.findall(r"streaming/(\w+\.html)", page)) == templates
    properties = set(
        re.findall(r"^    (--chat-[\w-]+):", (APP / "static/streaming/chat.css").read_text(), re.MULTILINE)
    )
    assert set(re.findall(r"--chat-[\w-]+", page)) == properties
