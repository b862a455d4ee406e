"""The engine in the test's own event loop: real database, real threads, scripted provider."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from streaming.database import health
from streaming.journal import live_logs
from streaming.models import Generation, Owner
from streaming.runner import Run
from streaming.settlement import alive
from streaming.supervisor import current
from streaming.testing import settle_all

ALICE, BOB = Owner.of_visitor("alice"), Owner.of_visitor("bob")


def forget_database_trouble() -> None:
    """Lets the database count as healthy again at once."""
    health._last_trouble = -math.inf


@pytest.fixture
async def engine(transactional_db: None) -> AsyncGenerator[None]:
    """Whatever a test leaves running is stopped before its database is emptied; no test's faults trouble the next."""
    yield
    await settle_all()
    forget_database_trouble()
    # The test's own queries ran on asgiref's thread, which keeps its connection; a server would not drop its database.
    await sync_to_async(connections.close_all)()


def leave_for_dead(generation: Generation) -> Run:
    """As after the death of its process, nobody here minds a generation any more; its run goes on, unheard."""
    alive.discard(generation.pk)
    live_logs().pop(generation.pk)
    return current()._runs.pop(generation.pk)


@pytest.fixture
def scripted(settings: Any) -> Callable[..., None]:
    """`scripted(text="…", delay=0.01)`: what the default provider answers from now on."""

    def configure(**options: Any) -> None:
        backend = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}
        settings.STREAMING_PROVIDERS = {"default": backend}

    return configure
