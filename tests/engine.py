"""The engine in the event loop of the test, with a real database, real threads and a scripted provider."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.db.models import Model

from streaming.database import health
from streaming.intake import Submission
from streaming.journal import live_logs
from streaming.models import Generation, Owner
from streaming.providers.breaker import forget_breakers
from streaming.runner import Run
from streaming.settlement import alive
from streaming.supervisor import current
from streaming.testing import settle_all
from tests.entries import scripted_entry

ALICE, BOB = Owner.of_visitor("alice"), Owner.of_visitor("bob")
Script = Callable[..., None]
"""The type of the fixture `scripted`."""


def forget_database_trouble() -> None:
    """Lets the database count as healthy again at once."""
    health._last_trouble = -math.inf


@pytest.fixture
async def engine(transactional_db: None) -> AsyncGenerator[None]:
    """Stops what a test leaves running before its database is emptied. So its faults cannot disturb the next test."""
    yield
    await settle_all()
    forget_database_trouble()
    forget_breakers()
    # The test's queries ran on asgiref's thread, which keeps its connection. A server cannot drop a database in use.
    await sync_to_async(connections.close_all)()


def cannot_be_closed() -> None:
    """Takes the place of a connection's `close`, to fail as a driver does."""
    raise OperationalError("the server closed the connection unexpectedly")


async def submit(prompt: str = "Hi", key: str = "c1", owner: Owner = ALICE, **fields: Any) -> Generation:
    """Submits a prompt and returns its generation; `fields` are those of `Submission`."""
    return await current().submit(owner, Submission(key=key, prompt=prompt, **fields))


async def load(generation: Generation) -> Generation:
    """The generation as it is stored, with its message and its conversation."""
    return await Generation.objects.select_related("message", "conversation").aget(pk=generation.pk)


async def run_until(is_so: Callable[[], bool]) -> None:
    """Waits until `is_so()` is true, for at most 30 seconds."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110  # no event announces it
            await asyncio.sleep(0.01)


def leave_for_dead(generation: Generation) -> Run:
    """Makes a generation look as if its process had died. Its run goes on, but this process no longer knows it."""
    alive.discard(generation.pk)
    live_logs().pop(generation.pk)
    return current()._runs.pop(generation.pk)


def lose_table(monkeypatch: pytest.MonkeyPatch, model: type[Model]) -> None:
    """Gives a model a table that does not exist, `nowhere`."""
    for field in model._meta.concrete_fields:
        field.cached_col  # noqa: B018  # computed later, it keeps the name `nowhere`
    monkeypatch.setattr(model._meta, "db_table", "nowhere")


@pytest.fixture
def scripted(settings: Any) -> Callable[..., None]:
    """Sets the answers of the default provider from now on, as in `scripted(text="…", delay=0.01)`."""

    def configure(**options: Any) -> None:
        settings.STREAMING_PROVIDERS = {"default": scripted_entry(**options)}

    return configure
