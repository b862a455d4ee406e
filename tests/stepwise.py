"""A scripted model that calls tools, and the messages with which stock clients answer its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from streaming.intake import Submission, submission_of
from streaming.models import Generation
from streaming.protocol import GenerationRequest
from streaming.providers import get_provider
from streaming.providers.scripted import Script, Scripted, wire
from streaming.supervisor import stop
from streaming.testing import chunks_of, frames_of
from tests import sample_tools as tools
from tests.engine import load, submit

DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")


WEATHER = ("c1", "get_weather", '{"city": "Oslo"}')


NAMES = ("get_weather", "find_place", "send_mail", "pay", "fails", "waits", "ask_location")


MAIL = ("m1", "send_mail", '{"to": "me", "body": "Hello there"}')


LOCATION = ("l1", "ask_location", "{}")


class Steps(Scripted):
    """A provider whose `script` has the text and the calls of each step."""

    script: ClassVar[list[tuple[str, tuple[tuple[str, str, str], ...]]]] = []

    def _body(self, request: GenerationRequest) -> Iterator[bytes]:
        text, calls = self.script[min(len(self.requests), len(self.script)) - 1]
        pieces = tuple(
            (id, name, tuple(arguments[at : at + 5] for at in range(0, len(arguments), 5)))
            for id, name, arguments in calls
        )
        return wire(self.dialect, Script(model="m", text=(text,) if text else (), calls=pieces, input_tokens=10))

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


@pytest.fixture
def site_tools(settings: Any) -> None:
    """Gives the site the tools of `tests.sample_tools`, and forgets earlier calls."""
    tools.CALLS.clear()
    names = ("get_weather", "find_place", "send_mail", "pay_somebody", "fails", "waits", "ask_location")
    settings.STREAMING_TOOLS = [f"tests.sample_tools.{name}" for name in names]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def says(
    settings: Any, *steps: tuple[str, tuple[tuple[str, str, str], ...]], dialect: str = "openai-chat", **more: Any
) -> None:
    Steps.script = list(steps)
    entry = {"BACKEND": f"{__name__}.Steps", "OPTIONS": {"dialect": dialect} | more.pop("options", {})} | more
    settings.STREAMING_PROVIDERS = {"default": entry}


async def run(**fields: Any) -> tuple[Generation, list[dict[str, Any]]]:
    generation = await submit(**fields)
    chunks = chunks_of(await frames_of(generation.pk))
    return await load(generation), chunks


async def stopped_beside(settings: Any, call: tuple[str, str, str]) -> Generation:
    """Returns an answer that was stopped after `call`, while another tool was at work."""
    says(settings, ("", (call, ("w", "waits", "{}"))))
    generation = await submit()
    await called(1)
    await stop(generation.pk)
    await frames_of(generation.pk)
    return await load(generation)


async def called(times: int) -> None:
    """Waits until the tools of the tests have been called `times` times."""
    async with asyncio.timeout(30):
        while len(tools.CALLS) < times:  # noqa: ASYNC110  # the tools are plain functions
            await asyncio.sleep(0.01)


def kinds(chunks: list[dict[str, Any]]) -> list[str]:
    shown = [chunk["type"] for chunk in chunks]
    return [kind for at, kind in enumerate(shown) if at == 0 or shown[at - 1] != kind]


def requests() -> list[GenerationRequest]:
    return list(get_provider("default").requests)  # type: ignore[attr-defined]


def continued(generation: Generation, *parts: dict[str, Any]) -> Submission:
    """Returns the submission that a stock client sends to continue an answer."""
    message = {"id": str(generation.message_id), "role": "assistant", "parts": list(parts)}
    return submission_of({"id": "c1", "messages": [message], "messageId": message["id"]})


def output(call_id: str, value: Any, name: str = "ask_location") -> dict[str, Any]:
    return {"type": f"tool-{name}", "toolCallId": call_id, "state": "output-available", "input": {}, "output": value}


def decision(call_id: str, *, approved: bool, **more: Any) -> dict[str, Any]:
    approval = {"id": call_id, "approved": approved} | more
    return {"type": "tool-send_mail", "toolCallId": call_id, "state": "approval-responded", "approval": approval}
