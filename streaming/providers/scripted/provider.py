"""The scripted provider: it replays a script or a recording at a chosen speed and with chosen faults.

It serves tests, development and demonstrations. The bytes are real wire bytes, so they go through the real parser.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streaming.conf import AtLeastOne, SecondsOrZero
from streaming.errors import ProviderError
from streaming.protocol import DialectName, GenerationRequest, ToolCall, ToolResult, text_of
from streaming.protocol.requests import Way
from streaming.providers.base import DOCUMENTS, Problem
from streaming.providers.options import Options, problems, read
from streaming.providers.scripted.wire import Script, ScriptedCall, wire

DEFAULT_TEXT = (
    "You said: {prompt}\n\nThis answer is **scripted**: no model wrote it. "
    "It streams word by word, as a real one would, and it can be stopped."
)

ARGUMENT_CHARS = 8
"""The length of a delta of a tool call's arguments: short, so that most keys and values are cut."""

KEPT_REQUESTS = 100
"""The number of requests that are kept for tests. Older ones are dropped, so a long-running site keeps no more."""


class ScriptedOptions(Options, frozen=True, kw_only=True):
    """The script and its speed and faults. Set `text` (with `reasoning`, `tool_calls`), or `chunks`, or `recording`.

    `{prompt}` in `text` becomes the last user message. `tool_calls` are not repeated after their results.
    `chunks` are pieces of the body, str or bytes; `recording` is the path of a file that holds a body.
    `delay` is the pause before each chunk, in seconds. `chunk_size` cuts the body into chunks of so many bytes.
    `error` is a code of `errors.PUBLIC_MESSAGES`, raised after `fail_after` chunks. After `hang_after` chunks
    the stream is silent until it is closed.
    """

    model: str = "scripted"
    dialect: DialectName = "openai-chat"
    text: str = DEFAULT_TEXT
    reasoning: str = ""
    tool_calls: tuple[ScriptedCall, ...] = ()
    chunks: tuple[Any, ...] | None = None
    recording: str | None = None
    delay: SecondsOrZero = 0
    chunk_size: AtLeastOne | None = None
    error: str | None = None
    fail_after: int | None = None
    hang_after: int | None = None


class Scripted:
    """Replays the script for each request. Tests read `requests` and `open_streams`."""

    takes = DOCUMENTS

    def __init__(self, **options: Any) -> None:
        self.options = read(ScriptedOptions, options)
        self.dialect = self.options.dialect
        self.model = self.options.model
        self.parser_options = self.options.parser
        self.structured: Way = self.options.structured or "prompt"
        self.requests: deque[GenerationRequest] = deque(maxlen=KEPT_REQUESTS)
        self.open_streams = 0
        self._recorded = Path(self.options.recording).read_bytes() if self.options.recording else b""

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """See `Provider.stream`."""
        self.requests.append(request)
        self.open_streams += 1
        try:
            for number, chunk in enumerate([*self._body(request), None]):
                await self._fault(number)
                if chunk is not None:
                    await asyncio.sleep(self.options.delay)
                    yield chunk
        finally:
            self.open_streams -= 1

    async def _fault(self, number: int) -> None:
        options = self.options
        fails_after = 0 if options.error and options.fail_after is None else options.fail_after
        if number == fails_after:
            raise ProviderError(options.error or "connection_lost", f"scripted, after {number} chunks")
        if number == options.hang_after:
            await asyncio.Event().wait()

    def _body(self, request: GenerationRequest) -> Iterable[bytes]:
        pieces = self._pieces(request)
        return _cut(b"".join(pieces), self.options.chunk_size) if self.options.chunk_size else pieces

    def _pieces(self, request: GenerationRequest) -> Iterable[bytes]:
        if self.options.chunks is not None:
            return [piece.encode() if isinstance(piece, str) else piece for piece in self.options.chunks]
        if self.options.recording is not None:
            return re.findall(rb".+?(?:\r?\n\r?\n|$)", self._recorded, re.DOTALL)
        return wire(self.dialect, self._answer(request))

    def _answer(self, request: GenerationRequest) -> Script:
        prompt = _last_prompt(request)
        calls = () if _has_results(request) else self.options.tool_calls
        return Script(
            model=request.model or self.model,
            text=_words(self.options.text.replace("{prompt}", prompt)),
            reasoning=_words(self.options.reasoning),
            calls=tuple(_in_pieces(number, call) for number, call in enumerate(calls, _calls_so_far(request))),
            input_tokens=len(_words(prompt)),
        )

    async def close(self) -> None:
        """See `Provider.close`. Does nothing, because there are no connections."""

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """See `Provider.check`."""
        return [*problems(ScriptedOptions, alias, options), *_missing_recording(alias, options)]


def _missing_recording(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("recording")
    if not isinstance(path, str) or Path(path).is_file():
        return []
    return [Problem("bad_option", f"The recording of provider {alias!r} is not a file: {path}.", "Correct the path.")]


def _last_prompt(request: GenerationRequest) -> str:
    prompts = [text_of(turn.parts) for turn in request.turns if turn.role == "user"]
    return prompts[-1] if prompts else ""


def _has_results(request: GenerationRequest) -> bool:
    """Returns True if the conversation ends with a tool result."""
    return bool(request.turns) and any(isinstance(part, ToolResult) for part in request.turns[-1].parts[-1:])


def _calls_so_far(request: GenerationRequest) -> int:
    """Returns the number of calls in the conversation. New ids continue from it, so no id comes twice."""
    return sum(isinstance(part, ToolCall) for turn in request.turns for part in turn.parts)


def _words(text: str) -> tuple[str, ...]:
    """Splits the text into words, each with the space after it."""
    return tuple(re.findall(r"\S+\s*|\s+", text))


def _in_pieces(number: int, call: ScriptedCall) -> tuple[str, str, tuple[str, ...]]:
    given = call.arguments
    arguments = given if isinstance(given, str) else msgspec.json.encode(given).decode()
    pieces = tuple(arguments[start : start + ARGUMENT_CHARS] for start in range(0, len(arguments), ARGUMENT_CHARS))
    return call.id or f"call_{number}", call.name, pieces


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))
