"""The stock client, really: a Node process with the npm package `ai` in three majors, told what to do line by line.

    chat = Chat(driver, CLIENTS["v7"], visitor, provider="default")
    await chat.send("Hello?")                  # as `sendMessage` in a page: done when its promise is
    state = await chat.state()                 # .status .text .messages .error .requests .frames

A method begins at once; what it returns may be awaited later.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

from tests.live.client import Visitor

Json = dict[str, Any]
DIRECTORY = Path(__file__).resolve().parents[2] / "js"
ANSWER_SECONDS = 30
CLIENTS = {"v5": ("v5", "http"), "v6": ("v6", "http"), "v7": ("v7", "http"), "v7-socket": ("v7", "socket")}


class Driver:
    """One process of `tests/js/driver.mjs`. Its standard error is ours."""

    def __init__(self, node: str) -> None:
        self._process = subprocess.Popen(
            [node, "driver.mjs"], cwd=DIRECTORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, **command: Any) -> asyncio.Future[Any]:
        """Send a command; its answer, or AssertionError with what the client threw."""
        number = next(self._numbers)
        answer = self._waiting[number] = Future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number} | command) + "\n")
        return asyncio.wrap_future(answer)

    def close(self) -> None:
        """End the process, by the end of its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._reader.join(10)
        with self._process:
            assert self._process.wait(10) == 0

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            reply = json.loads(line)
            waiting = self._waiting.pop(reply["id"])
            if "error" in reply:
                waiting.set_exception(AssertionError(reply["error"]))
            else:
                waiting.set_result(reply.get("result"))


class State(NamedTuple):
    """What a page would show.

    `requests` are those of HTTP, `frames` those of WebSocket with their direction, `data` the transient parts.
    """

    status: str
    error: Json | None
    messages: list[Json]
    finished: list[Json]
    requests: list[Json]
    frames: list[tuple[str, Json]]
    data: list[Json]

    @property
    def parts(self) -> list[Json]:
        """Of the newest answer, without the marks of steps; none while there is no answer."""
        newest: Json = self.messages[-1] if self.messages else {"role": "user"}
        return [] if newest["role"] == "user" else [part for part in newest["parts"] if part["type"] != "step-start"]

    @property
    def text(self) -> str:
        return "".join(part["text"] for part in self.parts if part["type"] == "text")


class Chat:
    """One `Chat` of the client, in the visitor's browser and conversation; `url` is another way to the site."""

    _names = itertools.count(1)

    def __init__(
        self,
        driver: Driver,
        client: tuple[str, str],
        visitor: Visitor,
        provider: str,
        messages: Sequence[Json] = (),
        *,
        url: str = "",
        **options: bool,
    ) -> None:
        self.visitor = visitor
        self._driver = driver
        self._name = f"chat {next(self._names)}"
        version, transport = client
        opening = {"version": version, "transport": transport, "key": visitor.key, "provider": provider}
        site = {"url": url or visitor.site.url, "cookie": visitor.cookie}
        self._opened = self._ask("open", **opening, **site, messages=list(messages), **options)

    def send(self, text: str, **message: Any) -> asyncio.Future[None]:
        """`sendMessage`; with `messageId`, an edit."""
        return self.send_message(text=text, **message)

    def send_message(self, **message: Any) -> asyncio.Future[None]:
        return self._ask("sendMessage", **{"with": [message]})

    def send_again(self) -> asyncio.Future[None]:
        """`sendMessage` without a message: what clients do once tool calls have their outputs."""
        return self._ask("sendMessage")

    def add_tool_output(self, **output: Any) -> asyncio.Future[None]:
        return self._ask("addToolOutput", **{"with": [output]})

    def approve(self, call_id: str, *, approved: bool = True, **more: Any) -> asyncio.Future[None]:
        return self._ask("addToolApprovalResponse", **{"with": [{"id": call_id, "approved": approved} | more]})

    def regenerate(self, **options: Any) -> asyncio.Future[None]:
        return self._ask("regenerate", **{"with": [options]})

    def walk(self, message_id: str) -> asyncio.Future[None]:
        """Show another version, by the documentation's `show`, and take the messages it gives."""
        return self._ask("walk", **{"with": [message_id]})

    def reload(self) -> asyncio.Future[None]:
        """Take the messages from the documentation's `load`."""
        return self._ask("reload")

    def resume(self) -> asyncio.Future[None]:
        """`resumeStream`, which `useChat` calls with `resume: true`."""
        return self._ask("resumeStream")

    def stop(self) -> asyncio.Future[None]:
        return self._ask("stop")

    def drop(self) -> asyncio.Future[None]:
        """Cut the socket, as a network does."""
        return self._ask("drop")

    def close(self) -> asyncio.Future[None]:
        return self._ask("close")

    async def state(self) -> State:
        return State(**await self._ask("state"))

    async def until(self, is_there: Callable[[State], Any]) -> State:
        """The first state that is as it should be."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not is_there(state := await self.state()):
            assert time.monotonic() < deadline, f"not yet: {state}"
            await asyncio.sleep(0.02)
        return state

    async def settled(self) -> State:
        """The state, once the client and the database say the same of all messages."""
        state = await self.until(lambda state: state.status in ("ready", "error"))
        loaded = await self.visitor.conversation()
        assert not loaded["active"]
        assert await self._ask("validate", **{"with": [loaded["messages"]]}) is None
        assert [_comparable(message) for message in state.messages] == [
            _comparable(message) for message in loaded["messages"]
        ]
        return state

    def _ask(self, do: str, **fields: Any) -> asyncio.Future[Any]:
        return self._driver.ask(do=do, chat=self._name, **fields)


# What parts of an answer have only while it streams.
STREAMED = {"id", "providerMetadata", "callProviderMetadata", "resultProviderMetadata"}


def _comparable(message: Json) -> Json:
    """Without the marks of steps and of streaming, and without what only the stream carries of an answer.

    Siblings are told of by what is loaded, not by the stream. Sources come last: while it streams, one may come before
    the text that it is of.
    """
    only_streamed = STREAMED if message["role"] == "assistant" else {"state"}
    parts = [_as_in_v6(part) for part in message["parts"] if part["type"] != "step-start"]
    kept = [{name: value for name, value in part.items() if name not in only_streamed} for part in parts]
    kept.sort(key=lambda part: part["type"] == "source-url")
    metadata = {name: value for name, value in message.get("metadata", {}).items() if name != "branch"}
    return {"id": message["id"], "role": message["role"], "parts": kept, "metadata": metadata}


def _as_in_v6(part: Json) -> Json:
    """Arguments that cannot be used are `rawInput` up to v6, and `input` in v7, which reads both."""
    if part.get("state") == "output-error" and isinstance(part.get("input"), str):
        return {"rawInput" if name == "input" else name: value for name, value in part.items()}
    return part
