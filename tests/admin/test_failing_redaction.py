"""A function of `STREAMING_REDACT` that fails: every page works, shows nothing of the content, and says so."""

from __future__ import annotations

import pytest
from django.urls import reverse

from streaming.access import redacted, redaction
from streaming.models import Conversation, Feedback, Message, Review, Share, StaffAccess
from streaming.models.shares import digest_of
from streaming.protocol import FilePart, Part, ReasoningPart, TextPart, ToolCall, ToolResult
from tests.admin.site import address, exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

NOTICE = "[Withheld: the site could not check if this may be shown.]"
SECRET = "4111 1111"
PARTS = (
    ReasoningPart(text=f"thought of {SECRET}"),
    ToolCall(id="1", name="pay", raw_arguments="{}", arguments={"card": SECRET}, is_complete=True),
    ToolResult(call_id="1", output=f"paid with {SECRET}"),
    FilePart(media_type="text/plain", url="https://example.com/a", filename=SECRET),
    TextPart(text=f"Paid with {SECRET}."),
)


def raises(part: Part) -> Part | None:
    raise ValueError(f"cannot read {part!r}")


def returns_text(part: Part) -> object:
    return str(part)


def returns_dict(part: Part) -> object:
    return {"type": "text", "text": SECRET}


def returns_broken_part(part: Part) -> Part:
    return TextPart(text=None)  # type: ignore[arg-type]


FAILING = [
    *(f"{__name__}.{one.__name__}" for one in (raises, returns_text, returns_dict, returns_broken_part)),
    f"{__name__}.gone",
]


@pytest.fixture(params=FAILING)
def conversation(request, settings, caplog):
    settings.STREAMING_REDACT = request.param
    found = exchange("Pay", f"My card: {SECRET}", PARTS, error_code="rejected", error_detail=SECRET)
    Conversation.objects.filter(pk=found.pk).update(title=f"Title {SECRET}", system_prompt=SECRET)
    Feedback.objects.create(message=found.active_leaf, thumb=1, comment=SECRET)
    Review.objects.create(message=found.active_leaf, rating=5)
    found.generations.update(
        timeline=[[180, "text", 40]],
        tried=[{"provider": "a", "model": "", "outcome": "timeout", "detail": SECRET, "ms": 3}],
    )
    yield found
    log = " ".join(record.getMessage() + str(record.exc_info) for record in caplog.get_records("call"))
    assert SECRET not in log
    assert "withheld" in log


def shown(html: str) -> None:
    assert NOTICE in words(html)
    assert SECRET not in html


@pytest.mark.parametrize("query", ["", "card"])
def test_list_of_conversations_works(superuser, conversation, query):
    shown(page_of(superuser, "conversation", q=query) if query else page_of(superuser, "conversation"))


def test_list_of_messages_works(superuser, conversation):
    shown(page_of(superuser, "message", q="card"))


def test_transcript_works(superuser, conversation):
    shown(page_of(superuser, "conversation", conversation.pk))


def test_page_of_a_generation_works(superuser, conversation):
    shown(page_of(superuser, "generation", conversation.generations.get().pk))


@pytest.mark.parametrize("page", ["replay", "request"])
def test_pages_about_a_generation_work(superuser, conversation, page):
    found = superuser.get(reverse(f"admin:streaming_generation_{page}", args=[conversation.generations.get().pk]))
    assert found.status_code == 200
    assert SECRET not in found.content.decode()
    assert NOTICE in found.content.decode()


@pytest.mark.parametrize("kind", ["jsonl", "markdown", "csv"])
def test_export_works(superuser, conversation, kind):
    asked = {"action": f"export_{kind}", "_selected_action": [str(conversation.pk)]}
    response = superuser.post(address("conversation", "changelist"), asked)
    text = b"".join(response.streaming_content).decode()
    assert NOTICE in text
    assert SECRET not in text
    assert StaffAccess.objects.filter(action="export").exists()


def test_dataset_works(superuser, conversation):
    asked = {"action": "export_openai", "_selected_action": [str(one.pk) for one in Message.objects.all()]}
    text = b"".join(superuser.post(address("message", "changelist"), asked).streaming_content).decode()
    assert NOTICE in text
    assert SECRET not in text


def test_log_names_the_place(settings, caplog):
    settings.STREAMING_REDACT = FAILING[0]
    redacted(PARTS[:1])
    assert "ValueError in" in caplog.text
    assert "test_failing_redaction.py, line" in caplog.text


def test_module_that_fails_while_it_is_imported_is_no_error_of_an_answer(settings, caplog, monkeypatch):
    def fails(*args):
        raise ValueError("the site's own module")

    monkeypatch.setattr(redaction, "function_at", fails)
    settings.STREAMING_REDACT = FAILING[0]
    assert redacted(PARTS[:1]) == (TextPart(text=NOTICE),)
    assert "the site's own module" in caplog.text


def test_other_parts_are_shown(settings):
    settings.STREAMING_REDACT = f"{__name__}.fails_at_reasoning"
    assert redacted((*PARTS[:1], *PARTS[-1:])) == (TextPart(text=NOTICE), PARTS[-1])


def fails_at_reasoning(part: Part) -> Part:
    return returns_broken_part(part) if isinstance(part, ReasoningPart) else part


@pytest.mark.django_db(transaction=True)
async def test_page_behind_a_shared_link_works(settings, async_client):
    settings.STREAMING_SHARES, settings.STREAMING_REDACT = True, FAILING[0]
    settings.ROOT_URLCONF = "project.urls"
    conversation = await Conversation.objects.acreate(key="c", owner_key="visitor:v", provider="default")
    entry = {"role": "user", "at": "2026-01-01T00:00:00+00:00", "parts": [{"type": "text", "text": SECRET}]}
    await Share.objects.acreate(conversation=conversation, digest=digest_of("t"), title=SECRET, messages=[entry])
    response = await async_client.get("/shared/t/")
    assert response.status_code == 200
    shown(response.content.decode())
