"""A part that another version of the app wrote: every page works, and nothing of it is lost."""

from __future__ import annotations

import pytest
from django.urls import reverse

from streaming.admin.dataset import lines_of
from streaming.admin.transcript.blocks import blocks_of
from streaming.models import Message, Review
from streaming.protocol import Part, TextPart
from tests.admin.site import exchange, page_of, words

pytestmark = [pytest.mark.urls("tests.admin.urls"), pytest.mark.django_db]

HOLOGRAM = {"type": "hologram", "words": "from the future"}


def loud(part: Part) -> Part:
    """A site's function that redacts."""
    return TextPart(text="hidden") if isinstance(part, TextPart) else part


@pytest.fixture
def conversation():
    found = exchange(parts=(TextPart(text="Hello."),))
    answer = found.active_leaf
    answer.parts = [*answer.parts, HOLOGRAM]
    answer.save()
    return found


@pytest.mark.parametrize("page", ["replay", "request", "events"])
def test_pages_of_a_generation_work(superuser, conversation, page):
    found = superuser.get(reverse(f"admin:streaming_generation_{page}", args=[conversation.generations.get().pk]))
    assert found.status_code == 200


def test_transcript_shows_it(superuser, conversation):
    shown = words(page_of(superuser, "conversation", conversation.pk))
    assert "Hello." in shown
    assert "from the future" in shown


def test_transcript_hides_it_with_redaction(superuser, conversation, settings):
    settings.STREAMING_REDACT = "tests.admin.test_another_version.loud"
    assert "from the future" not in page_of(superuser, "conversation", conversation.pk)


def test_transcript_hides_it_from_staff_who_may_not_read_reasoning(conversation):
    blocks = blocks_of(conversation.active_leaf, None, reasoning=False)
    assert "from the future" not in repr(blocks)


def test_dataset_goes_on_without_it(conversation):
    Review.objects.create(message=conversation.active_leaf, rating=5)
    [line] = lines_of(Message.objects.filter(review__isnull=False), "openai")
    assert "Hello." in line
    assert "from the future" not in line


def test_message_stores_it_unchanged(conversation):
    answer = conversation.active_leaf
    answer.set_parts((*answer.typed_parts, TextPart(text="More.")))
    assert answer.parts[1] == HOLOGRAM
