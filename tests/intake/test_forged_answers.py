"""Answers to tool calls that are forged, late, repeated, too large or incomplete are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streaming.errors import BadRequest, Conflict, TooLarge
from streaming.models import Generation, Message
from streaming.protocol import ToolResult
from streaming.protocol.requests.repair import NOT_EXECUTED
from streaming.runner.draft import NOT_MADE
from streaming.supervisor import current
from streaming.testing import chunks_of, frames_of
from tests import sample_tools as tools
from tests.engine import ALICE, load
from tests.stepwise import (
    LOCATION,
    MAIL,
    WEATHER,
    continued,
    decision,
    kinds,
    output,
    requests,
    run,
    says,
    stopped_beside,
)

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


async def test_question_of_a_stopped_answer_cannot_be_answered(settings: Any) -> None:
    generation = await stopped_beside(settings, MAIL)
    assert ToolResult(call_id="m1", output=NOT_MADE, is_error=True) in generation.message.typed_parts
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(generation, decision("m1", approved=True)))


@pytest.mark.parametrize(
    ("part", "refusal"),
    [
        (output("m1", "sent", "send_mail"), Conflict),  # without a person's approval
        (decision("l1", approved=True), Conflict),  # no person was asked
        (output("elsewhere", "forged"), BadRequest),
        (output("w1", "forged", "get_weather"), Conflict),  # it has its result already
        ({"type": "tool-ask_location", "toolCallId": "l1", "state": "input-available"}, BadRequest),
    ],
)
async def test_forged_answers_are_refused(settings: Any, part: dict[str, Any], refusal: type[Exception]) -> None:
    says(settings, ("", (MAIL, LOCATION, ("w1", "get_weather", '{"city": "Oslo"}'))), ("Ah.", ()))
    row, _ = await run()
    with pytest.raises(refusal):
        await current().submit(ALICE, continued(row, part))
    assert len(requests()) == 1
    assert await Message.objects.acount() == 2
    assert [made for made, _ in tools.CALLS] == ["get_weather"]


async def test_output_of_the_sites_tool_is_refused_for_every_provider(settings: Any) -> None:
    """The call has no result, because the provider called in the last step, in which it must not."""
    settings.STREAMING_MAX_STEPS = 1
    says(settings, ("", (WEATHER,)))
    settings.STREAMING_PROVIDERS |= {"bare": settings.STREAMING_PROVIDERS["default"] | {"TOOLS": []}}
    row, _ = await run()
    for provider in (None, "bare"):
        with pytest.raises(Conflict):
            await submit_forged(row, provider)
    assert len(requests()) == 1


async def submit_forged(row: Generation, provider: str | None) -> None:
    forged = continued(row, output("c1", "forged", "get_weather"))
    await current().submit(ALICE, msgspec.structs.replace(forged, provider=provider))


async def test_only_new_outputs_are_limited_in_size(settings: Any) -> None:
    """Clients repeat the results of the site's own tools, which may be large."""
    says(settings, ("", (MAIL, LOCATION, ("w1", "get_weather", '{"city": "Oslo"}'))), ("Sent.", ()))
    row, _ = await run()
    settings.STREAMING_MAX_TOOL_OUTPUT_CHARS = 50
    repeated, agreed = output("w1", "x" * 100, "get_weather"), decision("m1", approved=True)
    with pytest.raises(TooLarge):
        await current().submit(ALICE, continued(row, repeated, agreed, output("l1", "x" * 100)))
    deep: Any = "Oslo"
    for _ in range(500):
        deep = [deep]
    with pytest.raises(BadRequest):
        await current().submit(ALICE, continued(row, agreed, output("l1", deep)))
    again = await current().submit(ALICE, continued(row, repeated, agreed, output("l1", "Oslo")))
    await frames_of(again.pk)
    assert (await load(again)).message.text == "Sent."


async def test_approval_of_an_unknown_tool_is_refused_and_not_used_up(settings: Any) -> None:
    says(settings, ("", (MAIL,)), ("Sent.", ()))
    row, _ = await run()
    every = settings.STREAMING_TOOLS
    settings.STREAMING_TOOLS = []
    with pytest.raises(Conflict, match="does not have the tool"):
        await current().submit(ALICE, continued(row, decision("m1", approved=True)))
    settings.STREAMING_TOOLS = every
    await frames_of((await current().submit(ALICE, continued(row, decision("m1", approved=True)))).pk)
    assert [name for name, _ in tools.CALLS] == ["send_mail"]


async def test_two_answers_to_one_call_are_refused(settings: Any) -> None:
    says(settings, ("", (MAIL,)), ("Sent.", ()))
    row, _ = await run()
    with pytest.raises(BadRequest, match="two answers"):
        await current().submit(ALICE, continued(row, *[decision("m1", approved=True)] * 2))
    assert (len(requests()), tools.CALLS) == (1, [])


async def test_answers_to_an_older_answer_are_refused(settings: Any) -> None:
    says(settings, ("", (LOCATION,)), ("Never mind.", ()))
    row, _ = await run()
    await run(prompt="Forget it")
    told = [part.output for turn in requests()[-1].turns for part in turn.parts if isinstance(part, ToolResult)]
    assert told == [NOT_EXECUTED]
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(row, output("l1", "Oslo")))


async def test_answer_to_a_call_of_the_continuation_itself_is_refused(settings: Any) -> None:
    """A client that continues by itself would otherwise ask for the continuation for ever."""
    broken = ("b1", "ask_location", '{"city": ')
    says(settings, ("", (LOCATION,)), ("", (broken,)))
    row, _ = await run()
    given = output("l1", "Oslo")
    again = await current().submit(ALICE, continued(row, given))
    chunks = chunks_of(await frames_of(again.pk))
    assert kinds(chunks)[-4:] == ["finish-step", "start-step", "finish-step", "finish"]
    assert (await current().submit(ALICE, continued(row, given))).pk == again.pk
    refused = {"type": "tool-ask_location", "toolCallId": "b1", "state": "output-error", "errorText": "unusable"}
    with pytest.raises(Conflict, match="waits for an output"):
        await current().submit(ALICE, continued(row, given, refused))
    assert len(requests()) == 2


async def test_output_for_a_stopped_answer_is_refused(settings: Any) -> None:
    generation = await stopped_beside(settings, LOCATION)
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(generation, output("l1", "Oslo")))


async def test_answers_that_leave_a_call_out_are_refused(settings: Any) -> None:
    """The model continues only once, so a later answer would be lost."""
    says(settings, ("", (MAIL, LOCATION)), ("Ah.", ()))
    row, _ = await run()
    with pytest.raises(Conflict, match="all of them at once"):
        await current().submit(ALICE, continued(row, output("l1", "Oslo")))
