"""The route of one generation: it moves on when a provider fails, and the row says who is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from django.db import Error as DatabaseTrouble

from streaming.database import in_database
from streaming.errors import ProviderError
from streaming.models import Generation, Status
from streaming.providers import Route, route_to
from streaming.runner.draft import Draft
from streaming.runner.ending import Ending, ending_of, is_server_fault, told_of

STORE_SECONDS = 1.0
"""The longest wait for the database before another provider is asked."""


class Routed:
    """The route of `generation`, whose answer goes into `draft`. An answer that has begun stays with its provider."""

    def __init__(self, generation: Generation, draft: Draft) -> None:
        self.route: Route = route_to(generation.provider, stays=bool(draft.next_part))
        self._generation = generation
        self._draft = draft
        self._name()

    async def admit(self) -> None:
        """Chooses the provider of the next try.

        Raises:
            ProviderError: the breaker of each provider is open.
        """
        self.route.admit()
        if self._generation.provider != self.route.alias:
            self._name()
            await self._store()

    @contextmanager
    def trying(self) -> Iterator[None]:
        """The context of one try, from `admit` to `ended`. The row knows its outcome afterwards, however it ends."""
        try:
            yield
        except asyncio.CancelledError:
            if self._draft.overdue() == "timeout_first_delta":
                self.route.failed("timeout_first_delta")
            raise
        finally:
            self.route.dropped()
            self._generation.tried = self.route.record()

    def ended(self, trouble: ProviderError | None) -> Ending:
        """Notes that a try has ended, and returns how. `trouble` is what the provider raised."""
        ending = ending_of(self._draft.terminal, None, trouble)
        if self.has_failed_early(ending):
            self._draft.asking(None)
            self.route.failed(ending.code, ending.detail, is_harm=is_server_fault(trouble))
        else:
            self.route.answered()
        return ending

    def has_failed_early(self, ending: Ending) -> bool:
        """True if a try failed before the first word, so that readers would not notice another one."""
        return self._draft.is_empty and ending.status != Status.FINISHED

    def give_up(self, endings: Sequence[Ending], trouble: ProviderError | None) -> ProviderError | None:
        """Returns the error to raise when each provider has failed. The row names the one that was asked for."""
        self.route.start_again()
        self._name()
        told = told_of(endings)
        return trouble if told is endings[-1] else ProviderError(told.code, told.detail)

    def _name(self) -> None:
        """Notes who is asked. What the answer costs depends on it."""
        self._generation.provider, self._generation.model = self.route.alias, self.route.provider.model

    async def _store(self) -> None:
        """Stores who is asked now: if this process dies, the row costs what that provider costs.

        The settlement writes it again, so an answer does not wait for a database that is away.
        """
        row = Generation.objects.filter(pk=self._generation.pk).active()
        changed = {"provider": self.route.alias, "tried": self.route.record()}
        with suppress(DatabaseTrouble, TimeoutError):
            async with asyncio.timeout(STORE_SECONDS):
                await in_database(lambda: row.update(**changed))
