"""The vital signs of a process and of its site: the database, the journal, the providers, the streams, the drain."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

from django.db import Error as DatabaseTrouble
from django.db.models import QuerySet

from streaming.access import open_streams
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import PUBLIC_MESSAGES
from streaming.models import ACTIVE, Generation, Status, from_now
from streaming.per_loop import PerLoop
from streaming.providers import State, breaker_states
from streaming.records import tries_of
from streaming.supervisor import current

DATABASE_SECONDS = 2.0
"""The time within which the database must answer."""

AWAY = frozenset({"unreachable", "timeout", "timeout_first_delta", "connection_lost", "not_a_stream"})
"""The error codes that mean: the provider could not be reached, or did not answer."""

TRIES_SECONDS = 3600
TRIES = 50
"""The age in seconds and the number of the answers that are searched for providers in whose place others answered."""


class Seen(NamedTuple):
    """A provider when any process last asked it. `age` is the time since then, in seconds."""

    is_up: bool
    error_code: str
    age: float


class Vitals(NamedTuple):
    """The state of this process and its database. `database_seconds` is None if the database does not answer; then its
    other figures are unknown. `breakers` are those of the providers that this process has asked."""

    is_draining: bool
    running: int
    open_streams: int
    journal_lag_seconds: float
    database_seconds: float | None
    active: int | None
    providers: dict[str, Seen]
    breakers: dict[str, State] = {}

    @property
    def is_well(self) -> bool:
        """True if a balancer may send requests to this process."""
        return self.database_seconds is not None and not self.is_draining


class Stored(NamedTuple):
    """The figures from the database, and the seconds that it took."""

    seconds: float
    active: int
    providers: dict[str, Seen]


async def vitals() -> Vitals:
    """Returns the vital signs. Takes `DATABASE_SECONDS` at most."""
    supervisor = current()
    stored = await _ask_database()
    return Vitals(
        is_draining=supervisor.is_draining,
        running=supervisor.running,
        open_streams=open_streams().count,
        journal_lag_seconds=round(supervisor.journal_lag_seconds, 3),
        database_seconds=stored.seconds if stored else None,
        active=stored.active if stored else None,
        providers=stored.providers if stored else {},
        breakers=breaker_states(),
    )


class _Question:
    """The query for the figures that runs now. While it hangs, further requests wait for it and start no other."""

    task: asyncio.Task[Stored] | None = None


_questions = PerLoop(_Question)


async def _ask_database() -> Stored | None:
    question = _questions.get()
    if question.task is None or question.task.done():
        question.task = asyncio.create_task(_stored())
    task = question.task  # another request may replace it during the wait
    done, _ = await asyncio.wait((task,), timeout=DATABASE_SECONDS)
    if not done or isinstance(task.exception(), DatabaseTrouble):
        return None
    return task.result()


async def _stored() -> Stored:
    began = time.monotonic()
    active, providers = await in_database(_read)
    return Stored(round(time.monotonic() - began, 4), active, providers)


def _read() -> tuple[int, dict[str, Seen]]:
    stood_in_for = _seen_in_tries()
    seen = {alias: _newer(_last_seen(alias), stood_in_for.get(alias)) for alias in settings.PROVIDERS}
    return Generation.objects.active().count(), {alias: one for alias, one in seen.items() if one}


def _settled() -> QuerySet[Generation]:
    """Selects ended answers, newest first. A stopped one says nothing about its provider."""
    settled = Generation.objects.exclude(status__in=(*ACTIVE, Status.CANCELLED)).filter(finished_at__isnull=False)
    return settled.order_by("-created_at").only("error_code", "finished_at", "tried")


def _last_seen(alias: str) -> Seen | None:
    """Returns how the newest answer of a provider ended; None if there was none."""
    row = _settled().filter(provider=alias).first()
    return _seen(row, row.error_code) if row else None


def _seen_in_tries() -> dict[str, Seen]:
    """Returns how providers looked in the newest answers that others gave in their place."""
    found: dict[str, Seen] = {}
    for row in _settled().filter(tried__isnull=False, created_at__gte=from_now(-TRIES_SECONDS))[:TRIES]:
        for one in tries_of(row.tried) or ():
            if one.outcome in PUBLIC_MESSAGES and one.provider != row.provider:
                found.setdefault(one.provider, _seen(row, one.outcome))
    return found


def _seen(row: Generation, code: str) -> Seen:
    age = time.time() - row.finished_at.timestamp() if row.finished_at else 0.0
    return Seen(code not in AWAY, code, round(max(0.0, age), 1))


def _newer(one: Seen | None, other: Seen | None) -> Seen | None:
    return min(filter(None, (one, other)), key=lambda seen: seen.age, default=None)
