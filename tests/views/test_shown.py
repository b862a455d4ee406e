"""The parts and the note that the chat templates show for a message."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import AsyncClient

from streaming.protocol import FilePart, ReasoningPart, TextPart, ToolCall, ToolResult
from streaming.supervisor import current
from tests.pages import answered, html, send, stored, visible

pytestmark = pytest.mark.usefixtures("engine")


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
    assert "Look up" in shown
    assert '<th scope="row" dir="auto">name</th><td dir="auto">&lt;x&gt;</td>' in shown
    assert '<th scope="row" dir="auto">found</th><td dir="auto">true</td>' in shown
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
async def test_note_says_why_an_answer_is_not_complete(client: AsyncClient, outcome: dict[str, str], note: str) -> None:
    page = visible(await stored(client, TextPart(text="Half"), **outcome))
    assert "Half" in page
    assert note in page
    assert 'name="regenerate"' in page


async def test_complete_answer_has_no_note(client: AsyncClient) -> None:
    page = visible(await answered(client))
    assert "chat-note" not in page


@pytest.mark.parametrize("parts", [(), (ReasoningPart(text="Hm."),)])
@pytest.mark.parametrize(("reason", "note"), [("stop", "The model gave no answer."), ("length", "length limit.")])
async def test_answer_without_a_word_says_so(client: AsyncClient, parts: tuple[Any], reason: str, note: str) -> None:
    page = visible(await stored(client, *parts, finish_reason=reason))
    assert page.count('class="chat-note"') == page.count(f"{note}</p>") == 1
    assert 'class="chat-retry"' in page


async def test_large_question_is_marked_for_the_stylesheet(client: AsyncClient, settings: Any) -> None:
    settings.STREAMING_MAX_PROMPT_CHARS = 200_000
    for words, is_marked in (("word " * 10_000, False), ("word " * 30_000, True)):
        await send(client, words)
        assert ("data-large" in visible(html(await client.get("/chat/c1/")))) is is_marked
        await current().idle()


async def test_staff_detail_is_not_on_the_page(client: AsyncClient) -> None:
    page = await stored(client, status="failed", error_code="authentication", error_detail="key sk-123 refused")
    assert "refused the site&#x27;s key" in page
    assert "sk-123" not in page
