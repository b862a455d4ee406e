"""Fitting: it decides which part of a conversation each request of a generation has.

    conversation   q1 a1 q2 a2 q3 a3 q4
    sent           [summary]      q3 a3 q4      from turn `cut` on

The cut moves only if a request would be too long, or was refused as too long, and then by a large stride. The next
generation begins with the cut of the last one, so the beginning of the requests stays the same.
"""

from __future__ import annotations

import contextlib
import math
import uuid

import msgspec
from django.db import Error as DatabaseTrouble

from streaming.context import (
    Load,
    Sent,
    Trail,
    context_of,
    cuts,
    next_cut,
    share_of,
    summary_turn,
    tokens_allowed,
    vendor_body,
)
from streaming.costs import with_cached
from streaming.database import in_database
from streaming.files import with_files
from streaming.models import Generation
from streaming.protocol import GenerationRequest, Turn, Usage
from streaming.protocol.requests import tokens_in, tokens_sent
from streaming.providers import Provider, options_of
from streaming.runner.draft import Draft
from streaming.runner.ending import Ending
from streaming.runner.own_policy import chosen_turns
from streaming.runner.summarizing import Digest, Summarizer

KEPT = ("drop", "summary", "vendor")
"""The policies whose cut the next answer keeps."""

MOST_SUMMARIES = 2
"""The summary itself takes room, so the cut may have to move once more. A second summary then covers those turns."""


class Fitting:
    """The conversation of one generation, and the part of it that is sent. Call `begin` first."""

    def __init__(self, generation: Generation, trail: Trail, draft: Draft) -> None:
        self._generation = generation
        self._trail = trail
        self._draft = draft
        self._reset(())

    def _reset(self, turns: tuple[Turn, ...]) -> None:
        self._turns = list(turns)
        self._ids: list[uuid.UUID | None] = list(self._trail.ids)
        self._cut = 0
        self._most = math.inf
        self._estimated = 0
        self._sizes: list[int] = []
        self._digest: Digest | None = None
        self._is_retried = False
        self._sent: Sent | None = None
        self._generation.context = None

    async def begin(self, request: GenerationRequest, provider: Provider) -> GenerationRequest:
        """Reads the policy of the generation's provider, and returns the request with its options and files.

        It begins anew if it is called for another provider.

        Raises:
            BadContext: the provider's `CONTEXT` is wrong.
        """
        alias = self._generation.provider
        self._options = context_of(alias)
        longest = request.max_output_tokens or options_of(alias).get("max_output_tokens")
        self._allowed = tokens_allowed(self._options, longest)
        self._reset(request.turns)
        if "." in self._options.policy:
            await self._let_choose(self._options.policy)
        elif self._options.policy == "vendor":
            extra = vendor_body(provider.dialect, self._options.body, self._allowed) | request.extra
            request = msgspec.structs.replace(request, extra=extra)
        self._places = cuts(self._turns)
        self._limit()
        self._summarizer = Summarizer(self._generation, self._options, self._trail.ids)
        await self._find_digest()
        return await self._with_files(request)

    def _limit(self) -> None:
        """Takes the cut of the last answer and what is known about the model's limit."""
        last = self._trail.sent
        if last is not None and last.allowed == self._allowed and last.first in self._trail.ids:
            cut = self._trail.ids.index(last.first)
            is_known = self._options.policy in KEPT and cut in self._places
            self._cut = cut if is_known else 0
        if self._allowed is not None and self._options.policy not in ("vendor", "off"):
            self._most = self._allowed / (last.tokens_per_estimated if last else 1.0)

    async def _with_files(self, request: GenerationRequest) -> GenerationRequest:
        turns = tuple(self._turns[self._cut :])
        loaded = await with_files(msgspec.structs.replace(request, turns=turns), self._generation)
        self._turns[self._cut :] = loaded.turns
        self._around = msgspec.structs.replace(request, turns=())
        return loaded

    async def turns(self, answer: Turn) -> tuple[Turn, ...]:
        """Returns the turns of the next request. `answer` has what the generation has written so far.

        It may ask a model for a summary first. If that fails, the oldest turns are dropped.
        """
        self._answer, before = answer, self._cut
        self._fit()
        if self._cut != before and self._options.policy == "summary":
            for _ in range(MOST_SUMMARIES):
                with self._draft.working():
                    self._digest = await self._summarizer.write(self._turns, self._cut) or self._digest
                covered = self._cut
                self._fit()
                if self._cut == covered:
                    break
        await self._note()
        summary = (summary_turn(self._digest.text),) if self._digest else ()
        return (*summary, *self._turns[self._cut :])

    def _fit(self) -> None:
        """Moves the cut if the request would be too long. Nothing is estimated while no limit is known."""
        if self._most < math.inf:
            load = self._weighed()
            self._cut = next_cut(load, self._places, self._cut, self._most, self._options.keep)
            self._estimated = load.whole(self._cut)

    def _weighed(self) -> Load:
        if not self._sizes:
            self._sizes = [tokens_in(turn.parts) for turn in self._turns]
            self._fixed = tokens_sent(self._around)
        summary = summary_turn(self._digest.text).parts if self._digest else ()
        return Load(self._sizes, self._fixed + tokens_in((*summary, *self._answer.parts)))

    def shortens(self, ending: Ending) -> bool:
        """Returns True, once, if the provider refused the request as too long and a shorter one can be made."""
        has_more = any(place > self._cut for place in self._places)
        if ending.code != "context_length" or self._is_retried or self._options.policy == "off" or not has_more:
            return False
        self._is_retried = True
        self._most = min(self._most, self._weighed().whole(self._cut) * (share_of(ending.detail) or 1.0) - 1)
        return True

    def count(self, usage: Usage | None) -> None:
        """Notes the tokens of the last request as the provider counted them."""
        if self._sent is None or usage is None or not usage.input_tokens:
            return
        counted = with_cached(usage, self._generation.provider).input_tokens or 0
        self._sent = msgspec.structs.replace(self._sent, estimated=self._estimated, counted=counted)
        self._generation.context = self._sent.dumped()

    async def _note(self) -> None:
        """Notes what is sent; in the row at once if it is not the whole conversation, for those who read it meanwhile.

        The tokens of an earlier step are kept until the provider has counted those of this one.
        """
        dropped = self._cut + len(self._trail.ids) - len(self._ids)
        if not (dropped or self._estimated):
            return
        old, first = self._sent, self._first
        self._sent = Sent(
            policy=self._options.policy,
            dropped=dropped,
            first=self._trail.ids[first] if dropped and first is not None else None,
            shown=self._trail.shown[first] if dropped and first is not None else "",
            summary=self._digest.id if self._digest else None,
            is_retried=self._is_retried,
            estimated=old.estimated if old and old.counted else self._estimated,
            counted=old.counted if old else 0,
            allowed=self._allowed,
        )
        self._generation.context = self._sent.dumped()
        if dropped and (old is None or (old.first, old.summary) != (self._sent.first, self._sent.summary)):
            this = Generation.objects.filter(pk=self._generation.pk)
            with contextlib.suppress(DatabaseTrouble):  # the end of the answer writes it, too
                await in_database(this.update, context=self._generation.context)

    @property
    def _first(self) -> int | None:
        """The number of the first message that is sent word by word, in the whole conversation."""
        kept = next(filter(None, self._ids[self._cut :]), None)
        return None if kept is None else self._trail.ids.index(kept)

    async def _find_digest(self) -> None:
        if self._options.policy == "summary" and self._cut:
            with contextlib.suppress(DatabaseTrouble):
                self._digest = await self._summarizer.find(self._cut)

    async def _let_choose(self, path: str) -> None:
        """Keeps only the turns that the site's own policy chooses; all of them if it fails."""
        ids = {id(turn): key for turn, key in zip(self._turns, self._ids, strict=False)}
        chosen = await chosen_turns(path, self._turns, self._generation, self._allowed)
        if chosen is not None:
            self._turns, self._ids = chosen, [ids.get(id(turn)) for turn in chosen]
