"""Stop keeps what has arrived, and closes the provider's connection at once."""

from __future__ import annotations

import asyncio
import sys
import threading
import uuid
from typing import Any

import pytest
from django.db import connection

from streaming.database import in_database
from streaming.models import Generation, Status
from streaming.providers import get_provider
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, frames_of, text_of
from tests.engine import Script, leave_for_dead, load, run_until, submit

pytestmark = pytest.mark.usefixtures("engine")


async def test_stop_keeps_the_partial_text_and_reports_the_true_status(scripted: Script) -> None:
    scripted(text="word " * 500, delay=0.005)
    generation = await submit()
    await asyncio.sleep(0.1)
    assert await stop(generation.pk) == "stopping"
    frames = await frames_of(generation.pk)
    row = await load(generation)
    assert row.status == "cancelled"
    assert row.cancel_reason == "user"
    assert row.message.text == text_of(frames)
    assert 0 < len(row.message.text) < 2500
    assert [chunk["type"] for chunk in chunks_of(frames)][-4:] == ["text-end", "finish-step", "abort", "finish"]
    assert get_provider().open_streams == 0  # type: ignore[attr-defined]
    assert await stop(generation.pk) == "cancelled"


async def test_stop_of_an_answer_that_has_ended_says_how_it_ended(scripted: Script) -> None:
    scripted(text="Hello")
    finished = await submit()
    await frames_of(finished.pk)
    scripted(error="overloaded")
    failed = await submit("again")
    await frames_of(failed.pk)
    assert [await stop(finished.pk), await stop(failed.pk)] == ["finished", "failed"]
    assert await stop(uuid.uuid4()) == "not_running"


async def test_stop_before_the_first_token_leaves_an_empty_answer(scripted: Script) -> None:
    scripted(text="never", hang_after=0)
    generation = await submit()
    assert await stop(generation.pk) == "stopping"
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, row.message.text, row.message.parts) == ("cancelled", "", [])


async def test_stop_counts_even_if_the_generation_has_settled_before_it_returns(scripted: Script) -> None:
    scripted(text="one two", hang_after=1)
    generation = await submit()
    run = leave_for_dead(generation)
    assert await in_database(_request_cancel_that_is_obeyed_at_once, generation.pk) is True
    assert await stop(generation.pk) == "cancelled"
    run.fence()


def _request_cancel_that_is_obeyed_at_once(generation_id: uuid.UUID) -> bool:
    """Calls `request_cancel`; another process settles the generation as soon as the request is written."""
    selected = Generation.objects.filter(pk=generation_id)

    def obey(execute: Any, sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.startswith("UPDATE") and "cancel_reason" in sql:
            selected.settle(Status.CANCELLED)
        return done

    with connection.execute_wrapper(obey):
        return selected.request_cancel("user")


async def test_stop_that_is_requested_only_in_the_database_is_obeyed(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    scripted(text="word " * 500, delay=0.01)
    generation = await submit()
    await in_database(Generation.objects.filter(pk=generation.pk).request_cancel, "user")
    await asyncio.wait_for(current().idle(), 30)
    assert (await load(generation)).status == "cancelled"


async def test_stop_closes_the_providers_connection_even_if_the_database_hangs(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(text="one two three", hang_after=3)
    generation = await submit()
    provider = get_provider()
    await run_until(lambda: provider.open_streams == 1)  # type: ignore[attr-defined]
    is_back = threading.Event()
    module = sys.modules["streaming.supervisor.stop"]  # the package has a function of the same name
    ask = module._request_cancel
    monkeypatch.setattr(module, "_request_cancel", lambda *args: is_back.wait(30) and ask(*args))
    stopping = asyncio.create_task(stop(generation.pk))
    await run_until(lambda: provider.open_streams == 0)  # type: ignore[attr-defined]
    assert not stopping.done()
    is_back.set()
    assert await stopping == "stopping"
    await frames_of(generation.pk)
    assert (await load(generation)).status == "cancelled"
