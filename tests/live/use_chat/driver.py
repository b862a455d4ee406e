"""The stock client: a Node process with the npm package `ai` in three major versions, which gets its commands by line.

    chat = Chat(driver, CLIENTS["v7"], visitor, provider="default")
    await chat.send("Hello?")                  # as `sendMessage` in a page: done when its promise is
    state = await chat.state()                 # .status .text .messages .error .requests .frames

A method begins at once. What it returns may be awaited later.
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
    """One process of a script in `tests/js`. It writes to the standard error of the tests."""

    def __init__(self, node: str, script: str = "driver.mjs") -> None:
        self._process = subprocess.Popen(
            [node, script], cwd=DIRECTORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, **command: Any) -> asyncio.Future[Any]:
        """Sends a command and returns its answer.

        Raises:
            AssertionError: the client has thrown an error.
        """
        number = next(self._numbers)
        answer = self._waiting[number] = Future()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number} | command) + "\n")
        return asyncio.wrap_future(answer)

    def close(self) -> None:
        """Ends the process by closing its input."""
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
    """The state that a page would show.

    `requests` are the HTTP requests, `frames` are the WebSocket messages with their direction, and `data` are the
    transient parts.
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
        """The parts of the newest answer, without `step-start`; empty while there is no answer."""
        newest: Json = self.messages[-1] if self.messages else {"role": "user"}
        return [] if newest["role"] == "user" else [part for part in newest["parts"] if part["type"] != "step-start"]

    @property
    def text(self) -> str:
        return "".join(part["text"] for part in self.parts if part["type"] == "text")


class Chat:
    """One `Chat` of the client, in the visitor's browser and conversation. `url` is another address of the site."""

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
        """Calls `sendMessage`; with `messageId`, this is an edit."""
        return self.send_message(text=text, **message)

    def send_message(self, **message: Any) -> asyncio.Future[None]:
        return self._ask("sendMessage", **{"with": [message]})

    def send_again(self) -> asyncio.Future[None]:
        """Calls `sendMessage` without a message, as clients do when all tool calls have their outputs."""
        return self._ask("sendMessage")

    def add_tool_output(self, **output: Any) -> asyncio.Future[None]:
        return self._ask("addToolOutput", **{"with": [output]})

    def approve(self, call_id: str, *, approved: bool = True, **more: Any) -> asyncio.Future[None]:
        return self._ask("addToolApprovalResponse", **{"with": [{"id": call_id, "approved": approved} | more]})

    def regenerate(self, **options: Any) -> asyncio.Future[None]:
        return self._ask("regenerate", **{"with": [options]})

    def walk(self, message_id: str) -> asyncio.Future[None]:
        """Shows another branch with `show` of the documentation, and takes the messages that it returns."""
        return self._ask("walk", **{"with": [message_id]})

    def reload(self) -> asyncio.Future[None]:
        """Takes the messages from `load` of the documentation."""
        return self._ask("reload")

    def resume(self) -> asyncio.Future[None]:
        """Calls `resumeStream`, as `useChat` does with `resume: true`."""
        return self._ask("resumeStream")

    def stop(self) -> asyncio.Future[None]:
        return self._ask("stop")

    def drop(self) -> asyncio.Future[None]:
        """Cuts the socket, as a network failure does."""
        return self._ask("drop")

    def close(self) -> asyncio.Future[None]:
        return self._ask("close")

    async def state(self) -> State:
        return State(**await self._ask("state"))

    async def until(self, is_there: Callable[[State], Any]) -> State:
        """Returns the first state for which the condition is true."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not is_there(state := await self.state()):
            assert time.monotonic() < deadline, f"not yet: {state}"
            await asyncio.sleep(0.02)
        return state

    async def settled(self) -> State:
        """Returns the state when the client and the database have the same messages."""
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
    """The messages without `step-start`, without the marks of streaming, and without metadata that only the stream has.

    The branch metadata is only in loaded messages. Sources come last, because a stream may have a source before the
    text that it belongs to.
    """
    only_streamed = STREAMED if message["role"] == "assistant" else {"state"}
    parts = [_as_in_v6(part) for part in message["parts"] if part["type"] != "step-start"]
    kept = [{name: value for name, value in part.items() if name not in only_streamed} for part in parts]
    kept.sort(key=lambda part: part["type"] == "source-url")
    metadata = {name: value for name, value in message.get("metadata", {}).items() if name != "branch"}
    return {"id": message["id"], "role": message["role"], "parts": kept, "metadata": metadata}


def _as_in_v6(part: Json) -> Json:
    """The parts with unusable arguments as `rawInput`.

    Version 6 has them there, version 7 in `input`; both read `rawInput`.
    """
    if part.get("state") == "output-error" and isinstance(part.get("input"), str):
        return {"rawInput" if name == "input" else name: value for name, value in part.items()}
    return part
