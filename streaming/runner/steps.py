"""Steps: the model is asked, its answer goes into the draft, its calls are executed, and the model is asked again.

    step 1: request ─▶ text, calls ─▶ results
    step 2: request with these     ─▶ text, calls ─▶ results
    …                                        until no call is executed here

A provider pauses an answer when its own tools take long; it is asked again until the answer ends. A call that a client
executes, or that a person must approve, ends the generation. Its answer begins another one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from streaming.conf import settings
from streaming.errors import ProviderError
from streaming.models import Generation
from streaming.protocol import Finished, GenerationRequest, StreamParser, ToolCall, ToolResult, Turn
from streaming.protocol.requests import repair
from streaming.providers import Route, cache_key_of
from streaming.runner.aside import LATE_SECONDS
from streaming.runner.draft import Draft
from streaming.runner.ending import Ending
from streaming.runner.fitting import Fitting
from streaming.runner.observed import Inference, inference
from streaming.runner.output import ArgumentsAsText, Parser, asked_of
from streaming.runner.routed import Routed
from streaming.runner.tool_calls import ToolCalls
from streaming.telemetry import span

# Seconds before a provider is asked again. The pause doubles with each try. Up to a quarter is added at random, so that
# many generations do not ask again at the same time.
RETRY_SECONDS = 0.5
# The finish reason with which Anthropic pauses an answer. The answer continues if the request repeats its parts so far.
PAUSED = "pause_turn"
# If the provider asks for a longer pause than this, the person sees the error at once.
MAX_RETRY_SECONDS = 20.0


class Steps:
    """All requests of one generation to its providers. `due` are approved calls, which are executed first.

    The first word decides which provider writes the answer. Further steps ask only that one: the ids of calls and the
    signatures of reasoning are its own, and a row has the usage and the cost of one model. `fitting` decides which part
    of the conversation each request has.
    """

    def __init__(
        self,
        generation: Generation,
        request: GenerationRequest,
        draft: Draft,
        calls: ToolCalls,
        due: Iterable[ToolCall],
        fitting: Fitting,
    ) -> None:
        self._generation = generation
        self._given = self._request = request
        self._fitted_to = ""
        self._draft = draft
        self._calls = calls
        self._due = tuple(due)
        self._fitting = fitting

    async def read(self) -> None:
        """Asks the model until it has finished, or until a call waits for a client or a person.

        Raises:
            ProviderError: the provider failed. The draft has what arrived before.
        """
        routed = Routed(self._generation, self._draft)
        route = routed.route
        await self._fit_to(route)
        await self._calls.execute(self._due, self._draft)
        is_first = not self._draft.parts
        steps = settings.MAX_STEPS
        for number in range(1, steps + 1):
            with span("step", number=number):
                self._draft.begin_step(is_first=is_first, origin=route.origin)
                await self._ask(routed, is_last=number == steps)
                route.stay()
                is_first = is_paused = self._is_paused()
                if number == steps or not (is_paused or await self._is_answered()):
                    return

    def _is_paused(self) -> bool:
        """True if the provider paused the answer. It goes on in the same step: no tool of the site was called."""
        terminal = self._draft.terminal
        return isinstance(terminal, Finished) and terminal.raw_reason == PAUSED

    async def _is_answered(self) -> bool:
        """Executes the step's calls. True if the model must be asked again with their results."""
        if not isinstance(self._draft.terminal, Finished):
            return False
        parts = self._draft.transcript.parts
        told = {part.call_id for part in parts if isinstance(part, ToolResult)}  # by the server itself
        calls = [call for call in parts if isinstance(call, ToolCall) and call.is_complete and call.id not in told]
        return await self._calls.answer(calls, self._draft)

    async def _fit_to(self, route: Route) -> None:
        """Fits the request to the provider of the route: its origin, its context policy, the files that it takes."""
        if self._fitted_to != route.alias:
            key = cache_key_of(self._generation.conversation_id)
            given = msgspec.structs.replace(self._given, origin=route.origin, cache_key=key)
            self._request = await self._fitting.begin(given, route.provider)
            self._fitted_to = route.alias

    async def _step_request(self, route: Route, *, is_last: bool) -> GenerationRequest:
        """The request with this generation's parts so far, and with the files that this provider takes.

        A tool choice that forces a call is sent only once, because otherwise the steps would never end.
        """
        await self._fit_to(route)
        request, so_far = self._request, self._so_far
        choice = request.tool_choice
        if so_far.parts and choice != "none":
            choice = "none" if is_last else "auto"
        turns = repair((*await self._fitting.turns(so_far), so_far))
        return msgspec.structs.replace(request, turns=turns, tool_choice=choice)

    @property
    def _so_far(self) -> Turn:
        return Turn(role="assistant", parts=tuple(self._draft.parts))

    async def _ask(self, routed: Routed, *, is_last: bool) -> None:
        """Asks the providers of the route until one has answered, or until another try makes no sense.

        Raises:
            ProviderError: each of them failed.
        """
        await self._fitting.turns(self._so_far)  # a summary takes nothing of the providers' time
        routed.route.start()
        tries, endings = 1, []
        while True:
            ending, trouble = await self._try(routed, is_last=is_last)
            endings.append(ending)
            if not routed.has_failed_early(ending):
                break
            if routed.route.goes_on(ending.code):
                continue
            if self._fitting.shortens(ending):
                endings.pop()
                continue
            delay = self._retry_delay(tries, endings)
            if delay is None or not routed.route.start_again():
                trouble = routed.give_up(endings, trouble)
                break
            await asyncio.sleep(delay)
            tries, endings = tries + 1, []
        self._fitting.count(self._draft.transcript.usage)
        # A connection that breaks after the last word takes nothing away: the step's calls are still due.
        if trouble and not isinstance(self._draft.terminal, Finished):
            raise trouble

    async def _try(self, routed: Routed, *, is_last: bool) -> tuple[Ending, ProviderError | None]:
        """Asks one provider. Returns how that ended, and what the provider raised."""
        trouble = None
        with routed.trying():
            try:
                await routed.admit()
                await self._attempt(routed.route, is_last=is_last)
            except ProviderError as error:
                trouble = error
            return routed.ended(trouble), trouble

    async def _attempt(self, route: Route, *, is_last: bool) -> None:
        provider = route.provider
        self._draft.begin_again(route.origin)
        request = await self._step_request(route, is_last=is_last)
        self._generation.attempts += 1
        wanted, request = request.output, asked_of(provider, request)
        self._draft.asking(request)
        options: dict[str, Any] = {"choices": 1, "tools": tuple(tool.name for tool in request.tools)}
        options |= provider.parser_options
        parser: Parser = StreamParser(
            provider.dialect, first_part=self._draft.next_part, taken_ids=_call_ids(request), **options
        )
        if wanted is not None:
            parser = ArgumentsAsText(parser, wanted.name)
        with inference(provider, request, self._generation.attempts) as told:
            try:
                async with aclosing(route.stream(request)) as body:
                    await self._read(parser, body, told, route)
                    await self._read_late(parser, body)
            finally:
                self._draft.apply(parser.close())
                told.end(provider, self._draft.transcript)

    async def _read(self, parser: Parser, body: AsyncIterator[bytes], told: Inference, route: Route) -> None:
        """Reads the provider's body to its last word, or to its end.

        Raises:
            ProviderError: the answer is longer than `STREAMING_MAX_ANSWER_BYTES`, or the provider failed.
        """
        most, is_silent = settings.MAX_ANSWER_BYTES, True
        async for chunk in body:
            self._draft.apply(parser.feed(chunk))
            if is_silent and not self._draft.is_empty:
                is_silent = False
                told.heard()
                route.answered()
            if self._draft.size > most:
                raise ProviderError("too_long", f"more than {most} bytes")
            if parser.is_complete:
                return

    async def _read_late(self, parser: Parser, body: AsyncIterator[bytes]) -> None:
        """Reads what comes after the last word: the usage, and the end of the body, for at most `LATE_SECONDS`."""
        limit = asyncio.timeout(LATE_SECONDS)
        try:
            async with limit:
                async for chunk in body:
                    self._draft.apply(parser.feed(chunk))
        except TimeoutError:
            if not limit.expired():
                raise  # it is the provider's, not ours
        finally:
            del limit  # it refers to the task, whose exception would keep this frame and the draft in memory

    def _retry_delay(self, tries: int, endings: Sequence[Ending]) -> float | None:
        """The seconds until the providers are asked again; None if they are not asked again.

        If several have failed, the one that asks for the shortest pause decides.
        """
        pauses = [ending.retry_after or 0 for ending in endings if ending.is_retryable]
        if not pauses or tries > settings.PROVIDER_RETRIES:
            return None
        backoff = RETRY_SECONDS * 2 ** (tries - 1) * random.uniform(1, 1.25)  # noqa: S311  # spreads load, hides nothing
        delay = max(backoff, min(pauses))
        return delay if delay <= MAX_RETRY_SECONDS else None


def _call_ids(request: GenerationRequest) -> tuple[str, ...]:
    return tuple(part.id for turn in request.turns for part in turn.parts if isinstance(part, ToolCall))
