"""A conversation outlives its provider: a site that renames or removes an alias does not end old conversations."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streaming.chat import chat, go_on
from streaming.models import Conversation
from streaming.protocol import ToolApproval
from tests.engine import ALICE
from tests.entries import scripted_entry
from tests.sample_tools import CALLS

pytestmark = pytest.mark.usefixtures("engine", "site_tools")
MAIL = {"name": "send_mail", "arguments": {"to": "ada@example.org", "body": "Hi"}}


class Answer(msgspec.Struct):
    number: int


@pytest.fixture(autouse=True)
def providers(settings: Any) -> None:
    settings.STREAMING_PROVIDERS = {
        "default": scripted_entry(text='{"number": 1}'),
        "old": scripted_entry(text="Old.", tool_calls=[MAIL]),
    }


def remove_old(settings: Any) -> None:
    settings.STREAMING_PROVIDERS = {"default": settings.STREAMING_PROVIDERS["default"]}


async def test_default_answers_in_its_place(settings: Any) -> None:
    first = await chat("Hi", owner=ALICE, provider="old", tools=[])
    remove_old(settings)
    second = await chat("And?", owner=ALICE, conversation_key=first.conversation_key, output=Answer)
    assert second.output == Answer(1)


async def test_default_continues_after_a_decision(settings: Any) -> None:
    first = await chat("Hi", owner=ALICE, provider="old")
    remove_old(settings)
    decision = ToolApproval(call_id=first.asked[0].id, is_approved=True)
    second = await (await go_on(first, [decision], owner=ALICE)).result()
    assert (second.status, [name for name, _ in CALLS]) == ("finished", ["send_mail"])


async def test_default_answers_where_code_has_named_none() -> None:
    await Conversation.objects.acreate(key="c1", owner_key=ALICE.key, system_prompt="You help with tax forms.")
    assert (await chat("Hi", owner=ALICE, conversation_key="c1")).status == "finished"
