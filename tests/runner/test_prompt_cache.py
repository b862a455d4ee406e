"""Prompt caching of conversations: what was sent once is sent again byte for byte, with a breakpoint at its end."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from streaming.models import Conversation
from streaming.providers import cache_key_of, close_providers
from streaming.providers.scripted import Script, wire
from tests.engine import load
from tests.peers import Peer, Reply
from tests.sent_files import picture, stored, submit
from tests.stepwise import DIALECTS, WEATHER, site_tools

pytestmark = [pytest.mark.usefixtures("engine", "site_tools")]
pytest_plugins = ["tests.peers"]
__all__ = ["site_tools", "stored"]

BACKENDS = {
    "openai-chat": "streaming.providers.openai.ChatCompletions",
    "openai-responses": "streaming.providers.openai.Responses",
    "anthropic-messages": "streaming.providers.anthropic.Messages",
}
HISTORY = {"openai-responses": "input"}
TOOLS, SYSTEM = "tools", "system"


def pieces_of(body: dict[str, Any], dialect: str) -> list[tuple[str, bool]]:
    """Returns the pieces of a prompt in the cache's order: each as text, and True if it has a breakpoint."""
    pieces = [_piece(tool, "tool") for tool in body[TOOLS]]
    pieces += [_piece(block, "system") for block in body.get(SYSTEM, ())]
    for message in body[HISTORY.get(dialect, "messages")]:
        content = message.get("content")
        if dialect == "anthropic-messages":
            pieces += [_piece(block, message["role"]) for block in content]
        else:
            pieces.append(_piece(message, ""))
    return pieces


def _piece(value: dict[str, Any], place: str) -> tuple[str, bool]:
    bare = {key: one for key, one in value.items() if key != "cache_control"}
    return place + json.dumps(bare), "cache_control" in value


def replies(dialect: str) -> list[Reply]:
    """Four answers; the second one calls a tool twice, in two steps."""
    weather = (WEATHER[0], WEATHER[1], (WEATHER[2],))
    scripts = [
        Script(model="m", reasoning=("Fur. ",), text=("A cat.",), input_tokens=1),
        Script(model="m", reasoning=("Oslo?",), text=("Let me look.",), calls=(weather,), input_tokens=1),
        Script(model="m", calls=(("c2", *weather[1:]),), input_tokens=1),
        Script(model="m", text=("It rains.",), input_tokens=1),
        Script(model="m", text=("Yes.",), input_tokens=1),
        Script(model="m", text=("Bye.",), input_tokens=1),
    ]
    return [Reply([b"".join(wire(dialect, one))]) for one in scripts]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_each_request_begins_with_the_one_before_it(
    settings: Any, peer: Peer, stored: Path, dialect: str
) -> None:
    options = {"model": "m", "api_key": "sk-test-0123456789", "base_url": f"{peer.url}/v1", "prompt_cache": True}
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": BACKENDS[dialect], "OPTIONS": options}}
    settings.STREAMING_SYSTEM_PROMPT = "Be kind."
    peer.answers(*replies(dialect))
    await submit("What is it?", picture())
    for prompt in ("The weather there?", "Sure?", "Thanks"):
        await submit(prompt)
    await close_providers()
    bodies = [request.json for request in peer.requests]
    sent = [pieces_of(body, dialect) for body in bodies]
    assert len(sent) == 6
    for before, after in pairwise(sent):
        assert len(after) > len(before)
        assert [text for text, _ in after[: len(before)]] == [text for text, _ in before]
    if dialect == "anthropic-messages":
        for before, after in pairwise(sent):
            assert before[-1][1]
            assert after[len(before) - 1][1]
            assert sum(is_marked for _, is_marked in after) == 4
    else:
        conversation = await Conversation.objects.aget()
        assert {body["prompt_cache_key"] for body in bodies} == {cache_key_of(conversation.pk)}
        assert conversation.pk.hex[:8] not in cache_key_of(conversation.pk)


async def test_key_of_the_cache_depends_on_the_sites_secret(settings: Any) -> None:
    id, other = uuid.UUID(int=1), uuid.UUID(int=2)
    key = cache_key_of(id)
    assert (cache_key_of(id), len(key)) == (key, 32)
    settings.SECRET_KEY = "another"
    assert len({key, cache_key_of(id), cache_key_of(other)}) == 3


async def test_cached_tokens_are_counted_priced_and_kept(settings: Any, peer: Peer) -> None:
    options = {"model": "m", "api_key": "sk-test-0123456789", "base_url": peer.url}
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": BACKENDS["anthropic-messages"], "OPTIONS": options}}
    settings.STREAMING_PRICES = {"m": {"input": 1, "cached_input": "0.1", "cache_write": "1.25", "output": 10}}
    begun = b'"usage":{"input_tokens":3,"cache_read_input_tokens":9000,"cache_creation_input_tokens":400'
    answer = b"".join(wire("anthropic-messages", Script(model="m", text=("Yes.",), input_tokens=3)))
    peer.says(answer.replace(b'"usage":{"input_tokens":3', begun, 1))
    row = await load(await submit("Hi"))
    assert (row.input_tokens, row.cached_input_tokens, row.cache_write_tokens) == (9403, 9000, 400)
    assert row.cost == Decimal("0.001403") + Decimal("0.00001") * row.output_tokens
    await close_providers()
