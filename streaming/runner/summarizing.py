"""Summarizing: a model writes a summary of the oldest turns. It is stored, for this answer and later ones."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseTrouble
from django.utils import timezone

from streaming.conf import settings
from streaming.context import (
    MAX_SUMMARY_CHARS,
    MAX_SUMMARY_TOKENS,
    ContextOptions,
    context_of,
    digest_request,
    tokens_allowed,
)
from streaming.costs import cost_of, with_cached
from streaming.database import in_database
from streaming.errors import ProviderError, StreamingError
from streaming.models import Generation, Status, Summary
from streaming.protocol import Event, GenerationRequest, StreamParser, Transcript, Turn, Usage, text_of
from streaming.protocol.events import TERMINAL
from streaming.protocol.requests import completed, tokens_sent
from streaming.protocol.storable import storable
from streaming.providers import Provider, get_provider
from streaming.runner.ending import Ending, cancelled, ending_of
from streaming.runner.observed import inference

logger = logging.getLogger(__name__)

BYTES_PER_TOKEN = 3
"""The bytes of UTF-8 for each token of a request for a summary. Most texts have more, so the request fits."""

DEFAULT_TOKENS = 100_000
"""The most tokens that are summarized at once if the summarizing model's window is not known."""


LATE_SECONDS = 1.0
"""The seconds for which a connection is read after the last word."""


class Digest(NamedTuple):
    """A stored summary of the first `covered` turns."""

    id: uuid.UUID
    covered: int
    text: str


class Summarizer:
    """Finds and writes the summaries for one generation. `ids` are the ids of the messages behind its turns."""

    def __init__(self, generation: Generation, options: ContextOptions, ids: Sequence[uuid.UUID]) -> None:
        self._generation = generation
        self._options = options
        self._ids = tuple(ids)

    async def find(self, cut: int) -> Digest | None:
        """Returns the stored summary that covers most of the first `cut` turns; None if there is none."""
        return await in_database(self._find, cut)

    def _find(self, cut: int) -> Digest | None:
        places = {key: place for place, key in enumerate(self._ids[:cut], 1)}
        written = Summary.objects.filter(conversation=self._generation.conversation_id, status=Status.FINISHED)
        known = [(places[upto], pk) for pk, upto in written.values_list("pk", "upto") if upto in places]
        if not known:
            return None
        covered, pk = max(known, key=lambda one: one[0])
        return Digest(pk, covered, Summary.objects.get(pk=pk).text)

    async def write(self, turns: Sequence[Turn], cut: int) -> Digest | None:
        """Asks a model for a summary of the first `cut` turns, and stores it. None if that fails.

        The model reads the last stored summary and the turns after it. If a branch has the summary already, no model is
        asked.
        """
        try:
            return await self._write(turns, cut)
        except (StreamingError, ImproperlyConfigured, DatabaseTrouble) as trouble:
            told = getattr(trouble, "code", type(trouble).__name__)
            logger.warning("No summary for generation %s (%s): old messages are dropped.", self._generation.pk, told)
            return None

    async def _write(self, turns: Sequence[Turn], cut: int) -> Digest:
        earlier = await self.find(cut)
        covered, known = (earlier.covered, earlier.text) if earlier else (0, "")
        if earlier and covered == cut:
            return earlier
        instructions, most = self._options.instructions, BYTES_PER_TOKEN * self._tokens_taken
        request = digest_request(known, turns[covered:cut], instructions=instructions, most_bytes=most)
        return await self._ask(request, cut)

    @property
    def _tokens_taken(self) -> int:
        """The tokens that the summarizing model can read."""
        options = context_of(self._options.summarizer) if self._options.summarizer else self._options
        return tokens_allowed(options, MAX_SUMMARY_TOKENS) or DEFAULT_TOKENS

    async def _ask(self, request: GenerationRequest, cut: int) -> Digest:
        """Asks the model, and stores what it wrote and what that cost, however the request ends.

        Raises:
            ProviderError: the model wrote no summary.
        """
        alias = self._options.summarizer or self._generation.provider
        provider, transcript = get_provider(alias), Transcript()
        store = partial(self._store, alias, provider, request, transcript, cut)
        try:
            ending = await _read(provider, request, transcript)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseTrouble):  # the answer is stopped, whatever becomes of this row
                await in_database(store, cancelled("user"))
            raise
        row = await in_database(store, ending)
        if not row.text:
            raise ProviderError(ending.code or "provider_error", ending.detail)
        return Digest(row.pk, cut, row.text)

    def _store(
        self,
        alias: str,
        provider: Provider,
        request: GenerationRequest,
        transcript: Transcript,
        cut: int,
        ending: Ending,
    ) -> Summary:
        text = text_of(transcript.parts).strip() if ending.status == Status.FINISHED else ""
        usage, is_estimated = transcript.usage or Usage(), False
        if ending.status != Status.FINISHED and (transcript.parts or ending.status == Status.CANCELLED):
            usage, is_estimated = completed(transcript.usage, tokens_sent(request), transcript.parts)
        usage = with_cached(usage, alias)
        row = Summary(
            conversation_id=self._generation.conversation_id,
            generation=self._generation,
            upto_id=self._ids[cut - 1],
            text=storable(text[:MAX_SUMMARY_CHARS]),
            status=ending.status if text or ending.status != Status.FINISHED else Status.FAILED,
            provider=alias,
            model=storable((transcript.model or provider.model)[:200]),
            is_usage_estimated=is_estimated,
            created_at=timezone.now(),
            **{name: getattr(usage, name) for name in COUNTS},
        )
        row.cost, row.price = cost_of(row)
        row.save(force_insert=True)
        return row


COUNTS = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")


async def _read(provider: Provider, request: GenerationRequest, transcript: Transcript) -> Ending:
    """Reads the model's summary into the transcript. It may take as long as the first word of an answer."""
    parser = StreamParser(provider.dialect, **{"choices": 1} | dict(provider.parser_options))
    trouble: ProviderError | None = None
    terminal: Event | None = None
    with inference(provider, request, 1) as told:
        try:
            async with (
                asyncio.timeout(settings.FIRST_DELTA_SECONDS) as limit,
                aclosing(provider.stream(request)) as body,
            ):
                async for chunk in body:
                    terminal = _fold(parser.feed(chunk), transcript) or terminal
                    if parser.is_complete:  # only the usage may follow
                        limit.reschedule(asyncio.get_running_loop().time() + LATE_SECONDS)
        except TimeoutError:
            trouble = ProviderError("timeout", "the summary took too long")
        except ProviderError as error:
            trouble = error
        finally:
            terminal = _fold(parser.close(), transcript) or terminal
            told.end(provider, transcript)
    return ending_of(terminal, None, trouble)


def _fold(events: list[Event], transcript: Transcript) -> Event | None:
    """Folds the events, and returns the one that ends the stream, if it is among them."""
    for event in events:
        transcript.apply(event)
    return next((event for event in events if isinstance(event, TERMINAL)), None)
