"""Paused answers: the provider's own tools take long, so it stops half-way and wants to be asked again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from streaming.protocol import GenerationRequest, TextPart, ToolCall, encode
from streaming.providers import get_provider, origin_of
from streaming.providers.openai import ChatCompletions
from streaming.providers.scripted import Scripted
from tests.protocol.wire import block, message, named
from tests.stepwise import run

pytestmark = pytest.mark.usefixtures("engine")

SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
PAUSED = message(*block(0, {"type": "text", "text": "Looking."}), *block(1, SEARCH), stop="pause_turn")
ENDED = message(*block(0, FOUND), *block(1, {"type": "text", "text": "Found."}))


class Pausing(Scripted):
    """Pauses as often as `pauses` says, then ends the answer."""

    pauses: ClassVar[int] = 1

    def _body(self, request: GenerationRequest) -> Iterator[bytes]:
        yield named(*(PAUSED if len(self.requests) <= self.pauses else ENDED))

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    entry = {"BACKEND": f"{__name__}.Pausing", "OPTIONS": {"dialect": "anthropic-messages"}}
    settings.STREAMING_PROVIDERS = {"default": entry}
    settings.STREAMING_TOOLS = []


async def test_paused_answer_goes_on_by_itself() -> None:
    generation, chunks = await run()
    kinds = [type(part).__name__ for part in generation.message.typed_parts]
    assert kinds == ["TextPart", "ToolCall", "ToolResult", "TextPart"]
    assert (generation.status, generation.message.text) == ("finished", "Looking.Found.")
    assert [chunk["type"] for chunk in chunks].count("start-step") == 1
    _, again = get_provider("default").requests  # type: ignore[attr-defined]
    blocks = encode("anthropic-messages", again)["messages"][-1]["content"]
    assert blocks == [{"type": "text", "text": "Looking."}, SEARCH]


async def test_answer_that_is_paused_for_ever_ends_at_the_limit_of_steps(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAMING_MAX_STEPS = 3
    monkeypatch.setattr(Pausing, "pauses", 99)
    generation, _ = await run()
    assert len(get_provider("default").requests) == 3  # type: ignore[attr-defined]
    assert generation.status == "finished"


async def test_parts_remember_who_made_them() -> None:
    generation, _ = await run()
    text, call, *_ = generation.message.typed_parts
    assert isinstance(text, TextPart)
    assert isinstance(call, ToolCall)
    assert (text.origin, call.origin) == (None, "anthropic-messages default")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (None, "openai-chat api.openai.com"),
        ("https://api.deepseek.com/v1", "openai-chat api.deepseek.com"),
        ("http://me:secret@localhost:8080/v1", "openai-chat localhost:8080"),
    ],
)
async def test_origin_is_the_dialect_and_the_host(
    monkeypatch: pytest.MonkeyPatch, url: str | None, origin: str
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert origin_of(ChatCompletions(model="m", base_url=url), "default") == origin
