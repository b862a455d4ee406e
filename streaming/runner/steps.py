"""Steps: the model is asked, its answer goes into the draft, its tool calls are executed, and it is asked again.

    step 1: request ─▶ text, calls ─▶ results
    step 2: request with these     ─▶ text, calls ─▶ results
    …                                        until the model calls nothing that runs here

Calls that a client executes, or that a person has to approve, end the generation. Their answers begin another one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

import msgspec

from streaming.conf import settings
from streaming.errors import ProviderError
from streaming.files import with_files
from streaming.models import Generation
from streaming.protocol import Finished, GenerationRequest, StreamParser, ToolCall, ToolResult, Turn
from streaming.protocol.requests import repair
from streaming.providers import Provider, get_provider
from streaming.runner.draft import Draft
from streaming.runner.ending import ending_of
from streaming.runner.tool_calls import ToolCalls

# Seconds before a provider is asked again. They double with each try; a random quarter spreads many retries in time.
RETRY_SECONDS = 0.5
# A person does not wait longer: if the provider asks for a longer pause, the error is shown at once.
MAX_RETRY_SECONDS = 20.0
# After the last word only the usage may follow, and the end of the body, which lets the connection be used again. A
# server that leaves the connection open is not waited for longer.
LATE_SECONDS = 1.0


class Steps:
    """All requests of one generation to its provider. `due` are approved calls, which are executed first."""

    def __init__(
        self,
        generation: Generation,
        request: GenerationRequest,
        draft: Draft,
        calls: ToolCalls,
        due: Iterable[ToolCall],
    ) -> None:
        self._generation = generation
        self._request = request
        self._draft = draft
        self._calls = calls
        self._due = tuple(due)

    async def read(self) -> None:
        """Asks until the model's last word, or until a call waits for a client or a person.

        Raises:
            ProviderError: the provider failed; the draft has what arrived before.
        """
        provider = get_provider(self._generation.provider)
        self._generation.model = provider.model
        self._request = await with_files(self._request, self._generation)
        await self._calls.execute(self._due, self._draft)
        is_first = not self._draft.parts
        for left in reversed(range(settings.MAX_STEPS)):
            self._draft.begin_step(is_first=is_first)
            await self._ask(provider, self._step_request(is_last=left == 0))
            if left == 0 or not await self._is_answered():
                return
            is_first = False

    async def _is_answered(self) -> bool:
        """Executes the step's calls. True if the model is to be asked again with their results."""
        if not isinstance(self._draft.terminal, Finished):
            return False
        transcript = self._draft.transcript
        told = {part.call_id for part in transcript.parts if isinstance(part, ToolResult)}  # by the server itself
        calls = [call for call in transcript.tool_calls if call.is_complete and call.id not in told]
        return await self._calls.answer(calls, self._draft)

    def _step_request(self, *, is_last: bool) -> GenerationRequest:
        """The request with this generation's parts so far.

        A forced tool choice counts once, or the steps would never end.
        """
        request, so_far = self._request, tuple(self._draft.parts)
        choice = request.tool_choice
        if so_far and choice != "none":
            choice = "none" if is_last else "auto"
        turns = repair((*request.turns, Turn(role="assistant", parts=so_far)))
        return msgspec.structs.replace(request, turns=turns, tool_choice=choice)

    async def _ask(self, provider: Provider, request: GenerationRequest) -> None:
        """Asks the provider until it has answered or is not to be tried again."""
        tries = 0
        while True:
            tries += 1
            self._generation.attempts += 1
            try:
                await self._attempt(provider, request)
                trouble = None
            except ProviderError as error:
                trouble = error
            delay = self._retry_delay(tries, trouble)
            if delay is None:
                break
            await asyncio.sleep(delay)
            self._draft.begin_again()
        if trouble:
            raise trouble

    async def _attempt(self, provider: Provider, request: GenerationRequest) -> None:
        draft, most = self._draft, settings.MAX_ANSWER_BYTES
        options: dict[str, Any] = {"choices": 1, "tools": {tool.name for tool in request.tools}}
        options |= provider.parser_options
        parser = StreamParser(provider.dialect, first_part=draft.next_part, taken_ids=_call_ids(request), **options)
        patience = asyncio.timeout(None)
        try:
            async with patience, aclosing(provider.stream(request)) as body:
                async for chunk in body:
                    draft.apply(parser.feed(chunk))
                    if draft.size > most:
                        raise ProviderError("too_long", f"more than {most} bytes")
                    if parser.is_complete and patience.when() is None:
                        patience.reschedule(asyncio.get_running_loop().time() + LATE_SECONDS)
        except TimeoutError:
            if not patience.expired():
                raise
        finally:
            del patience  # it refers to the task, whose exception refers to this frame
            draft.apply(parser.close())

    def _retry_delay(self, tries: int, trouble: ProviderError | None) -> float | None:
        """Seconds until the provider is asked again; None if it is not."""
        ending = ending_of(self._draft.terminal, None, trouble)
        if not (self._draft.is_empty and ending.is_retryable and tries <= settings.PROVIDER_RETRIES):
            return None
        backoff = RETRY_SECONDS * 2 ** (tries - 1) * random.uniform(1, 1.25)  # noqa: S311  # spreads load, hides nothing
        delay = max(backoff, ending.retry_after or 0)
        return delay if delay <= MAX_RETRY_SECONDS else None


def _call_ids(request: GenerationRequest) -> set[str]:
    return {part.id for turn in request.turns for part in turn.parts if isinstance(part, ToolCall)}
