"""A conversation that is too long for a real model: llama.cpp refuses it in each dialect, and a shorter one follows."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.models import Conversation, Message
from streaming.protocol import TextPart
from streaming.providers import close_providers
from streaming.testing import frames_of
from tests.engine import ALICE, load, submit
from tests.local_model import DIALECTS, RunningModel

pytestmark = [pytest.mark.local_model, pytest.mark.usefixtures("engine")]

LONG = "All work and no play makes Jack a dull boy. " * 1_500
"""More tokens than the local model takes."""


async def stored_exchange() -> None:
    """Stores a question and an answer that are longer than the window, as if another model had written it."""
    conversation = await Conversation.objects.acreate(key="c1", owner_key=ALICE.key, provider="default")
    leaf = None
    for role, text in (("user", "Write a novel."), ("assistant", LONG)):
        message = Message(conversation=conversation, parent=leaf, role=role)
        message.set_parts((TextPart(text=text),))
        await message.asave()
        leaf = message
    conversation.active_leaf = leaf
    await conversation.asave()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_real_refusal_is_followed_by_a_shorter_request(
    local_model: RunningModel, settings: Any, dialect: str
) -> None:
    settings.STREAMING_PROVIDERS = local_model.providers(dialect, max_output_tokens=8)
    await stored_exchange()
    generation = await submit("Name three colours.")
    await frames_of(generation.pk)
    row = await load(generation)
    await close_providers()
    assert (row.status, row.attempts, row.error_detail) == ("finished", 2, "")
    assert row.message.text
    assert row.context["dropped"] == 2
    assert row.context["is_retried"] is True
