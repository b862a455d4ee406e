"""Continuations: clients and people answer the calls of an answer, and the answer continues."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models.signals import post_save

from streaming.database import in_database
from streaming.errors import Conflict
from streaming.journal import Batch, write_frames
from streaming.models import Generation, JournalEntry, Message, from_now
from streaming.protocol import ToolApproval, ToolCall, ToolResult, dump_parts
from streaming.settlement import alive, reap
from streaming.subscription import follow
from streaming.subscription.journal import JournalSubscription
from streaming.supervisor import current
from streaming.testing import chunks_of, drain, frames_of, seqs_of
from tests import sample_tools as tools
from tests.engine import ALICE, load, run_until, submit
from tests.stepwise import (
    LOCATION,
    MAIL,
    WEATHER,
    called,
    continued,
    decision,
    kinds,
    output,
    requests,
    run,
    says,
)

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


@pytest.mark.parametrize("dies", [True, False])
async def test_question_outlives_the_process_that_asked_it(settings: Any, *, dies: bool) -> None:
    """The process ends by a crash or by a drain, while another tool still works."""
    says(settings, ("", (MAIL, ("w", "waits", "{}"))), ("Sent.", ()))
    generation = await submit()
    await called(1)
    if dies:
        run = current().find(generation.pk)
        assert run is not None
        await run_until(lambda: run.written == run.log.last_seq)  # the journal has the question
        await Generation.objects.filter(pk=generation.pk).aupdate(lease_until=from_now(-60), worker="another")
        alive.discard(generation.pk)  # another process does not have it in `alive`
        assert await in_database(reap) == 1
    else:
        current()._runs[generation.pk].interrupt()
    await frames_of(generation.pk)
    assert (await load(generation)).status == "interrupted"
    again = await current().submit(ALICE, continued(generation, decision("m1", approved=True)))
    await frames_of(again.pk)
    assert [name for name, _ in tools.CALLS if name == "send_mail"] == ["send_mail"]
    assert (await load(again)).message.text == "Sent."


async def test_client_executes_its_tools_and_the_answer_continues(settings: Any, dialect: str) -> None:
    says(settings, ("Where are you? ", (LOCATION, WEATHER)), ("Ah, Oslo.", ()), dialect=dialect)
    row, _ = await run()
    assert (row.status, len(requests()), len(tools.CALLS)) == ("finished", 1, 1)
    call = next(part for part in row.message.typed_parts if isinstance(part, ToolCall))
    again = await current().submit(ALICE, continued(row, output(call.id, {"city": "Oslo"})))
    own = seqs_of(await drain(await follow(again)))
    whole = await frames_of(again.pk)
    final = await load(again)
    assert own == [1, *range(final.head_seq + 1, final.last_seq + 1)]
    assert seqs_of(whole) == list(range(1, final.last_seq + 1))
    replayed = chunks_of(whole)
    assert "".join(chunk["delta"] for chunk in replayed if chunk["type"] == "text-delta") == "Where are you? Ah, Oslo."
    turns = requests()[-1].turns
    results = [part for turn in turns for part in turn.parts if isinstance(part, ToolResult)]
    assert {result.call_id for result in results} == {
        part.id for turn in turns for part in turn.parts if isinstance(part, ToolCall)
    }


async def test_output_that_is_sent_twice_joins_the_same_generation(settings: Any) -> None:
    says(settings, ("", (LOCATION,)), ("Ah.", ()))
    row, _ = await run()
    sent = [current().submit(ALICE, continued(row, output("l1", "Oslo"))) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert len({answer.pk for answer in answers}) == 1
    await frames_of(answers[0].pk)
    late = await current().submit(ALICE, continued(row, output("l1", "Oslo")))
    assert late.pk == answers[0].pk
    assert len(requests()) == 2


async def test_earlier_frames_are_repeated_whole(settings: Any) -> None:
    """The frames have the same numbers when the log is made anew from the rows."""
    says(settings, ("", (MAIL,)), ("Sent.", ()))
    row, chunks = await run()
    assert "data-tool-field" in kinds(chunks)
    again = await current().submit(ALICE, continued(row, decision("m1", approved=True)))
    frames = await frames_of(again.pk)
    assert "data-tool-field" not in kinds(chunks_of(frames))
    await JournalEntry.objects.filter(generation=again).adelete()
    anew = await drain(JournalSubscription(again.pk, 0))
    head = (await load(again)).head_seq
    assert anew[:head] == frames[:head]


async def test_continuation_whose_process_dies_keeps_the_clients_answers(settings: Any) -> None:
    """The row has the client's answers and the frames of the journal, nothing twice. Readers get the whole message."""
    says(settings, ("Where? ", (LOCATION, MAIL)), ("Ah, Oslo. Done.", ()))
    row, _ = await run()
    answers = (output("l1", "Oslo"), decision("m1", approved=True))
    again = await current().submit(ALICE, continued(row, *answers))
    shown = await frames_of(again.pk)
    await current().idle()
    given = dump_parts((ToolResult(call_id="l1", output="Oslo"), ToolApproval(call_id="m1", is_approved=True)))
    for held in (0, again.head_seq, len(shown) - 3):
        await Message.objects.filter(pk=again.message_id).aupdate(parts=given)
        dead = {"status": "running", "lease_until": from_now(-1), "duration_ms": None, "last_seq": 0}
        await Generation.objects.filter(pk=again.pk).aupdate(**dead)
        await JournalEntry.objects.filter(generation=again).adelete()
        if held:
            await in_database(write_frames, {again.pk: Batch(1, shown[:held])})
        assert await in_database(reap) == 1
        final = await load(again)
        replayed = await drain(JournalSubscription(again.pk, 0))
        assert seqs_of(replayed) == list(range(1, len(replayed) + 1))
        types = [chunk["type"] for chunk in chunks_of(replayed)]
        assert types.count("tool-input-available") == 2
        assert types[-1] == "error"
        parts = final.message.typed_parts
        assert parts[:2] == (ToolResult(call_id="l1", output="Oslo"), ToolApproval(call_id="m1", is_approved=True))
        assert sum(isinstance(part, ToolResult) for part in parts) == (2 if held == len(shown) - 3 else 1)
        assert sum(isinstance(part, ToolCall) for part in parts) == 0


async def test_continuation_without_a_log_is_replayed_from_its_rows(settings: Any) -> None:
    says(settings, ("Where? ", (LOCATION,)), ("Ah, Oslo.", ()))
    row, _ = await run()
    again = await current().submit(ALICE, continued(row, output("l1", "Oslo")))
    shown = chunks_of(await frames_of(again.pk))
    await current().idle()
    await JournalEntry.objects.all().adelete()
    replayed = chunks_of(await frames_of(again.pk))
    assert kinds(replayed) == kinds(shown)
    own = chunks_of(await drain(await follow(await load(again))))
    assert kinds(own) == [
        "start",
        "tool-output-available",
        "finish-step",
        "start-step",
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ]


async def test_answer_that_no_generation_wrote_cannot_continue(settings: Any) -> None:
    """A site's own code, or an archive, may have stored it."""
    says(settings, ("", (LOCATION,)))
    row, _ = await run()
    await Generation.objects.filter(pk=row.pk).adelete()
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(row, output(LOCATION[0], {"city": "Oslo"})))


async def test_receiver_that_breaks_a_constraint_stores_nothing_of_a_continuation(settings: Any) -> None:
    says(settings, ("", (LOCATION,)), ("Ah, Oslo.", ()))
    row, _ = await run()
    call = next(part for part in row.message.typed_parts if isinstance(part, ToolCall))

    def refuses(**kwargs: Any) -> None:
        raise IntegrityError

    post_save.connect(refuses, sender=Message)
    try:
        with pytest.raises(IntegrityError):
            await current().submit(ALICE, continued(row, output(call.id, {"city": "Oslo"})))
    finally:
        post_save.disconnect(refuses, sender=Message)
    assert await Message.objects.acount() == 2
