"""A generation that nobody watches is cancelled where the site says so."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest

from streaming.models import Generation
from streaming.subscription import Subscription, subscribe
from streaming.supervisor import current
from streaming.testing import text_of
from tests.engine import Script, load, submit
from tests.journal.elsewhere import elsewhere, follow

pytestmark = pytest.mark.usefixtures("engine")


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_unwatched_generation_is_cancelled_where_the_site_says_so(
    scripted: Script, settings: Any, seconds: float
) -> None:
    settings.STREAMING_ABANDON_AFTER = seconds
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    run = current().find(generation.pk)
    assert run is not None
    run.log.enter()
    await asyncio.sleep(0.1)
    assert run.log.last_seq > 2
    run.log.leave()
    await asyncio.wait_for(current().idle(), 30)
    row = await load(generation)
    assert (row.status, row.cancel_reason) == ("cancelled", "abandoned")
    assert row.message.text


async def test_generation_that_is_watched_in_another_process_is_not_given_up(scripted: Script, settings: Any) -> None:
    settings.STREAMING_ABANDON_AFTER = 0.3
    settings.STREAMING_POLL_SECONDS = 0.02
    scripted(text="word " * 200, delay=0.005)
    generation = await submit()
    (await begun(generation)).close()
    frames = await elsewhere(functools.partial(follow, generation.pk))
    row = await load(generation)
    assert (row.status, text_of(frames)) == ("finished", "word " * 200)


async def begun(generation: Generation) -> Subscription:
    """Returns a reader that has read something."""
    subscription = await subscribe(generation.pk)
    assert await subscription.next(5)
    return subscription


async def test_reader_that_never_reads_holds_nothing(scripted: Script, settings: Any) -> None:
    """A connection may end before its first read. Such a reader does not keep the generation from being abandoned."""
    settings.STREAMING_ABANDON_AFTER = 0.05
    scripted(text="word " * 1000, delay=0.005)
    generation = await submit()
    await subscribe(generation.pk)
    (await begun(generation)).close()
    await asyncio.wait_for(current().idle(), 30)
    assert (await load(generation)).cancel_reason == "abandoned"
