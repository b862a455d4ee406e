"""The real client of AG-UI in one Node process, and the site in the process of the test."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import AsyncClient

from streaming.database import in_database
from streaming.models import Conversation, Generation
from streaming.subscription import AgentRun, Subscription, follow_run, thread_of
from streaming.testing import drain
from tests.asked import read
from tests.live.use_chat.driver import DIRECTORY, Driver
from tests.node import node_with_packages

Json = dict[str, Any]
CUT = "<cut>"


@pytest.fixture(scope="session")
def node() -> Iterator[Driver]:
    """The client, installed and running."""
    running = Driver(node_with_packages(DIRECTORY), "agui.mjs")
    yield running
    running.close()


class Agent:
    """The documentation's agent in the client's process. It gets the bodies that a test gives it."""

    _names = itertools.count(1)

    def __init__(self, node: Driver, *bodies: str, thread: str = "c1", **more: Any) -> None:
        """`size` cuts the bodies into pieces, and `patience` is the time until a cut, in ms.

        With a `url`, the agent uses the network, with the given `headers`.
        """
        self._node = node
        self._name = f"agent {next(self._names)}"
        given = {} if "url" in more else {"url": "/api/agui", "bodies": bodies}
        self._opening = {"thread": thread, **given, **more}

    async def do(self, method: str, *given: Any) -> Any:
        if self._opening:
            opening, self._opening = self._opening, {}
            await self._node.ask(do="open", agent=self._name, **opening)
        return await self._node.ask(do=method, agent=self._name, **{"with": given})

    def begin(self, method: str, *given: Any) -> asyncio.Task[Any]:
        """Calls a method without waiting for its end."""
        return asyncio.create_task(self.do(method, *given))

    async def until(self, is_so: Callable[[Json], bool]) -> Json:
        """Returns the first state for which the condition is true."""
        async with asyncio.timeout(10):
            while not is_so(state := await self.state()):  # noqa: ASYNC110  # the client is another process
                await asyncio.sleep(0.01)
        return state

    async def broken(self, method: str, *given: Any) -> None:
        """Calls a method whose connection breaks off."""
        with pytest.raises(AssertionError, match="terminated"):
            await self.do(method, *given)

    async def state(self) -> Json:
        state: Json = await self.do("state")
        return state


class OneByOne:
    """A subscription that gives one frame at a time, as while the answer is written."""

    has_begun_again = False

    def __init__(self, inner: Subscription) -> None:
        self.seq = 0
        self._inner = inner
        self._frames: list[bytes] = []

    async def next(self, seconds: float) -> list[bytes] | None:
        if not self._frames:
            frames = await self._inner.next(seconds)
            if not frames:
                return frames
            self._frames = frames
        self.seq += 1
        return [self._frames.pop(0)]

    def close(self) -> None:
        self._inner.close()


async def events_of(generation: Generation, thread: str = "c1", **run: Any) -> list[str]:
    """The events of a generation for one reader who is as fast as the answer, each as it is on the wire."""

    async def reload() -> list[Json]:
        return await in_database(stored_messages, thread)

    subscription = await follow_run(generation, AgentRun(thread, "r1", reload, **run))
    subscription._inner = OneByOne(subscription._inner)  # type: ignore[attr-defined]
    try:
        written = b"".join(await drain(subscription)).decode()
    finally:
        subscription.close()
    return [f"{event}\n\n" for event in written.split("\n\n")[:-1]]


def stored_messages(key: str = "c1") -> list[Json]:
    return thread_of(Conversation.objects.get(key=key)).messages


async def post(client: AsyncClient, **body: Any) -> Any:
    """Posts a `RunAgentInput` and reads the whole response."""
    given = {"threadId": "c1", "runId": "r1", "messages": [], "tools": [], "context": [], "state": {}} | body
    return await read(await client.post("/api/agui", json.dumps(given), content_type="application/json"))


def events_in(content: bytes) -> list[Json]:
    """The events in a response, without the cursors."""
    lines = [line for line in content.decode().split("\n") if line.startswith("data: ")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    return [{name: value for name, value in event.items() if name != "rawEvent"} for event in events]


def asked(text: str, id: str = "q1") -> list[Json]:
    return [{"id": id, "role": "user", "content": text}]
