"""Events after the model's last word, or beside it: servers that linger, and calls that are nobody's question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, ClassVar

import pytest

from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest
from streaming.providers import get_provider
from streaming.providers.scripted import Scripted
from streaming.runner import steps
from tests import sample_tools
from tests.protocol.wire import sse
from tests.stepwise import run

pytestmark = pytest.mark.usefixtures("engine")


class Fixed(Scripted):
    """A model that sends the same bytes each time. `lingers` keeps the connection open after them.

    `breaks` names the failure of the connection after the first request's bytes.
    """

    body: ClassVar[bytes] = b""
    lingers: ClassVar[bool] = False
    breaks: ClassVar[str] = ""

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        self.requests.append(request)
        yield self.body
        if self.breaks and len(self.requests) == 1:
            raise ProviderError(self.breaks)
        if self.lingers:
            await asyncio.Event().wait()

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


def sends(settings: Any, body: bytes, dialect: str, *, lingers: bool = False) -> None:
    Fixed.body, Fixed.lingers = body, lingers
    entry = {"BACKEND": f"{__name__}.Fixed", "OPTIONS": {"dialect": dialect}}
    settings.STREAMING_PROVIDERS = {"default": entry}


async def test_call_that_the_server_executed_is_nobodys_question(settings: Any) -> None:
    call = {"type": "custom_tool_call", "id": "i", "call_id": "xs_1", "name": "x_keyword_search", "input": "q"}
    answered = {"type": "function_call", "id": "j", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    output = {"type": "function_call_output", "id": "o", "call_id": "c", "output": "Sunny"}
    words = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Found."}]}
    items = [
        {"type": "response.output_item.done", "output_index": at, "item": item}
        for at, item in enumerate([call, answered, output, words])
    ]
    end = {"type": "response.completed", "response": {"status": "completed"}}
    sample_tools.CALLS.clear()
    sends(settings, sse({"type": "response.created", "response": {}}, *items, end), "openai-responses")
    row, _ = await run()
    assert (row.status, row.finish_reason, sample_tools.CALLS) == ("finished", "stop", [])
    assert len(get_provider("default").requests) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("end", [["[DONE]"], [{"choices": [], "usage": {"prompt_tokens": 1}}, "[DONE]"]])
async def test_server_that_leaves_the_connection_open_hangs_nobody(
    settings: Any, monkeypatch: Any, end: list[Any]
) -> None:
    monkeypatch.setattr(steps, "LATE_SECONDS", 0.05)
    said = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    sends(settings, sse(said, *end), "openai-chat", lingers=True)
    async with asyncio.timeout(30):
        row, _ = await run()
    assert (row.status, row.finish_reason) == ("finished", "stop")


@pytest.mark.usefixtures("site_tools")
async def test_calls_are_made_although_the_connection_breaks_after_the_last_word(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fixed, "breaks", "connection_lost")
    settings.STREAMING_MAX_STEPS = 2
    called = {"index": 0, "id": "c1", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    said = {"choices": [{"delta": {"tool_calls": [called]}, "finish_reason": "tool_calls"}]}
    sample_tools.CALLS.clear()
    sends(settings, sse(said, "[DONE]"), "openai-chat")
    row, _ = await run()
    assert len(get_provider("default").requests) == 2  # type: ignore[attr-defined]
    assert sample_tools.CALLS
    assert row.status == "finished"


async def test_answer_at_another_choice_index_is_the_answer(settings: Any) -> None:
    said = [{"choices": [{"index": n, "delta": {"content": text}}]} for n, text in enumerate("abc")]
    sends(settings, sse(*said, "[DONE]"), "openai-chat")
    _, chunks = await run()
    assert "".join(chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta") == "abc"
