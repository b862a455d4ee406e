"""Summarizing: a model writes a summary of the oldest turns. It is stored, for this answer and later ones."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseTrouble
from django.db import IntegrityError
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
from streaming.database import in_database
from streaming.errors import ProviderError, StreamingError
from streaming.models import Generation, Status, Summary
from streaming.protocol import GenerationRequest, Transcript, Turn, text_of
from streaming.protocol.storable import storable
from streaming.providers import get_provider
from streaming.runner.aside import ask_aside, meter
from streaming.runner.ending import Ending, cancelled

logger = logging.getLogger(__name__)

BYTES_PER_TOKEN = 3
"""The bytes of UTF-8 for each token of a request for a summary. Most texts have more, so the request fits."""

DEFAULT_TOKENS = 100_000
"""The most tokens that are summarized at once if the summarizing model's window is not known."""


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
        except Exception:  # a fault of this site's; the answer does without a summary
            logger.exception("No summary for generation %s: old messages are dropped.", self._generation.pk)
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

        It may take as long as the first word of an answer.

        Raises:
            ProviderError: the model wrote no summary.
        """
        alias = self._options.summarizer or self._generation.provider
        provider, said = get_provider(alias), Transcript()
        store = partial(self._store, alias, provider.model, request, said, cut)
        try:
            ending = await ask_aside(provider, request, said, settings.FIRST_DELTA_SECONDS)
        except asyncio.CancelledError:
            with contextlib.suppress(DatabaseTrouble):  # the answer is stopped, whatever becomes of this row
                await asyncio.shield(in_database(store, cancelled("user")))  # a stop may come twice
            raise
        row = await in_database(store, ending)
        if not row.text:
            raise ProviderError(ending.code or "provider_error", ending.detail)
        return Digest(row.pk, cut, row.text)

    def _store(
        self, alias: str, model: str, request: GenerationRequest, said: Transcript, cut: int, ending: Ending
    ) -> Summary:
        text = text_of(said.parts).strip() if ending.status == Status.FINISHED else ""
        row = Summary(
            conversation_id=self._generation.conversation_id,
            generation=self._generation,
            upto_id=self._ids[cut - 1],
            text=storable(text[:MAX_SUMMARY_CHARS]),
            provider=alias,
            created_at=timezone.now(),
        )
        meter(row, model, request, said, ending)
        if ending.status == Status.FINISHED and not text:
            row.status = Status.FAILED
        try:
            row.save(force_insert=True)
        except IntegrityError:  # the conversation was deleted meanwhile
            row.charge()
            raise
        return row
