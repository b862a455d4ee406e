"""Steps: a model calls tools, is told what they gave, and goes on; clients and people answer other calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, ClassVar

import msgspec
import pytest

from streaming.chat import go_on, start_chat
from streaming.database import in_database
from streaming.errors import BadRequest, Conflict, TooLarge
from streaming.intake import Submission, submission_of
from streaming.intake.waiting_calls import DENIED
from streaming.journal import Batch, write_frames
from streaming.models import Generation, JournalEntry, Message, from_now
from streaming.protocol import (
    GenerationRequest,
    ReasoningPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
    dump_parts,
)
from streaming.protocol.requests.repair import NOT_EXECUTED
from streaming.providers import get_provider
from streaming.providers.scripted import Script, Scripted, wire
from streaming.runner import steps
from streaming.runner.draft import NOT_MADE
from streaming.runner.tool_calls import UNKNOWN
from streaming.settlement import alive, reap
from streaming.subscription import follow
from streaming.subscription.journal import JournalSubscription
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, drain, frames_of, seqs_of
from streaming.tools import BROKEN_OFF
from tests import tools
from tests.engine import ALICE
from tests.protocol.wire import sse
from tests.test_supervisor import load

pytestmark = pytest.mark.usefixtures("engine")
Scripting = Callable[..., None]
Told = tuple[str, str, dict[str, Any] | str]
DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")
WEATHER = ("c1", "get_weather", '{"city": "Oslo"}')
NAMES = ("get_weather", "find_place", "send_mail", "pay", "fails", "waits", "ask_location")
MAIL = ("m1", "send_mail", '{"to": "me", "body": "Hello there"}')
LOCATION = ("l1", "ask_location", "{}")


class Steps(Scripted):
    """What the model says each time it is asked: text, then calls."""

    script: ClassVar[list[tuple[str, tuple[tuple[str, str, str], ...]]]] = []

    def _body(self, request: GenerationRequest) -> Iterator[bytes]:
        text, calls = self.script[min(len(self.requests), len(self.script)) - 1]
        pieces = tuple(
            (id, name, tuple(arguments[at : at + 5] for at in range(0, len(arguments), 5)))
            for id, name, arguments in calls
        )
        return wire(self.dialect, Script(model="m", text=(text,) if text else (), calls=pieces, input_tokens=10))

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    tools.CALLS.clear()
    names = ("get_weather", "find_place", "send_mail", "pay_somebody", "fails", "waits", "ask_location")
    settings.STREAMING_TOOLS = [f"tests.tools.{name}" for name in names]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def says(
    settings: Any, *steps: tuple[str, tuple[tuple[str, str, str], ...]], dialect: str = "openai-chat", **more: Any
) -> None:
    Steps.script = list(steps)
    entry = {"BACKEND": f"{__name__}.Steps", "OPTIONS": {"dialect": dialect} | more.pop("options", {})} | more
    settings.STREAMING_PROVIDERS = {"default": entry}


async def submit(**fields: Any) -> Generation:
    return await current().submit(ALICE, Submission(**{"key": "c1", "prompt": "Hi"} | fields))


async def run(**fields: Any) -> tuple[Generation, list[dict[str, Any]]]:
    generation = await submit(**fields)
    chunks = chunks_of(await frames_of(generation.pk))
    return await load(generation), chunks


async def stopped_beside(settings: Any, call: tuple[str, str, str]) -> Generation:
    """An answer that somebody stopped while another tool than that of `call` worked."""
    says(settings, ("", (call, ("w", "waits", "{}"))))
    generation = await submit()
    await called(1)
    await stop(generation.pk)
    await frames_of(generation.pk)
    return await load(generation)


async def called(times: int) -> None:
    """Wait until the tools of tests have been called so often."""
    async with asyncio.timeout(5):
        while len(tools.CALLS) < times:  # noqa: ASYNC110  # they are a site's, and know of no events
            await asyncio.sleep(0.01)


def kinds(chunks: list[dict[str, Any]]) -> list[str]:
    shown = [chunk["type"] for chunk in chunks]
    return [kind for at, kind in enumerate(shown) if at == 0 or shown[at - 1] != kind]


def requests() -> list[GenerationRequest]:
    return list(get_provider("default").requests)  # type: ignore[attr-defined]


def continued(generation: Generation, *parts: dict[str, Any]) -> Submission:
    """As a stock client sends it."""
    message = {"id": str(generation.message_id), "role": "assistant", "parts": list(parts)}
    return submission_of({"id": "c1", "messages": [message], "messageId": message["id"]})


def output(call_id: str, value: Any, name: str = "ask_location") -> dict[str, Any]:
    return {"type": f"tool-{name}", "toolCallId": call_id, "state": "output-available", "input": {}, "output": value}


def decision(call_id: str, *, approved: bool, **more: Any) -> dict[str, Any]:
    approval = {"id": call_id, "approved": approved} | more
    return {"type": "tool-send_mail", "toolCallId": call_id, "state": "approval-responded", "approval": approval}


async def test_model_is_told_what_its_tools_gave_and_goes_on(settings: Any, dialect: str) -> None:
    says(settings, ("Let me see. ", (WEATHER,)), ("It is clear.", ()), dialect=dialect)
    row, chunks = await run()
    call, result = row.message.typed_parts[1:3]
    assert isinstance(call, ToolCall)
    assert row.message.typed_parts == (
        TextPart(text="Let me see. "),
        call,
        ToolResult(call_id=call.id, output={"city": "Oslo", "days": 1, "sky": "clear"}),
        TextPart(text="It is clear."),
    )
    assert kinds(chunks) == [
        "start", "start-step", "text-start", "text-delta", "text-end", "tool-input-start", "tool-input-delta",
        "tool-input-available", "tool-output-available", "finish-step", "start-step", "text-start", "text-delta",
        "text-end", "finish-step", "finish",
    ]  # fmt: skip
    assert (row.status, row.finish_reason, row.attempts, row.input_tokens) == ("finished", "stop", 2, 20)
    first, second = requests()
    assert [spec.name for spec in first.tools] == list(NAMES)
    assert second.turns[-1].parts == (TextPart(text="Let me see. "), call, result)


async def test_calls_of_one_step_run_side_by_side(settings: Any) -> None:
    calls = tuple((f"c{number}", "get_weather", '{"city": "Oslo"}') for number in range(6))
    says(settings, ("", calls), ("Done.", ()))
    row, _ = await run()
    results = [part for part in row.message.typed_parts if isinstance(part, ToolResult)]
    assert {result.call_id for result in results} == {id for id, _, _ in calls}
    assert len(tools.CALLS) == 6


async def test_ids_that_come_again_are_told_apart(settings: Any) -> None:
    says(settings, ("", (WEATHER,)), ("", (WEATHER,)), ("Done.", ()))
    row, chunks = await run()
    calls = [part.id for part in row.message.typed_parts if isinstance(part, ToolCall)]
    assert calls == ["c1", "c1_2"]
    assert [chunk["toolCallId"] for chunk in chunks if chunk["type"] == "tool-output-available"] == calls


async def test_last_step_may_not_call(settings: Any) -> None:
    settings.STREAMING_MAX_STEPS = 3
    says(settings, ("", (WEATHER,)), options={"tool_choice": "required"})
    row, _ = await run()
    assert [request.tool_choice for request in requests()] == [None, "auto", "none"]
    assert (row.status, len(tools.CALLS)) == ("finished", 2)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("c1", "get_weather", "{}"), "The arguments do not fit: Object missing required field `city`."),
        (("c1", "no_such_tool", "{}"), UNKNOWN),
        (("c1", "fails", "{}"), "The tool failed."),
    ],
)
async def test_failures_are_told_and_the_model_goes_on(settings: Any, call: tuple[str, str, str], told: str) -> None:
    says(settings, ("", (call,)), ("I see.", ()))
    row, chunks = await run()
    assert [part.output for part in row.message.typed_parts if isinstance(part, ToolResult)] == [told]
    assert [chunk["errorText"] for chunk in chunks if chunk["type"] == "tool-output-error"] == [told]
    assert row.message.text == "I see."
    assert "secret-of-the-site" not in str(chunks)


async def test_half_a_call_is_not_executed(settings: Any) -> None:
    says(settings, ("", (("c1", "get_weather", '{"city": "Os'),)))
    row, _ = await run()
    assert (row.status, tools.CALLS) == ("finished", [])


async def test_stop_while_a_tool_works(settings: Any) -> None:
    says(settings, ("", (("w", "waits", "{}"), WEATHER)), ("Never.", ()))
    generation = await submit()
    await called(2)
    await asyncio.sleep(0.1)
    await stop(generation.pk)
    chunks = chunks_of(await frames_of(generation.pk))
    row = await load(generation)
    results = {part.call_id: part.output for part in row.message.typed_parts if isinstance(part, ToolResult)}
    assert (row.status, row.finish_reason) == ("cancelled", "")
    assert results == {"w": BROKEN_OFF, "c1": {"city": "Oslo", "days": 1, "sky": "clear"}}
    assert kinds(chunks)[-2:] == ["abort", "finish"]
    assert len(requests()) == 1


async def test_provider_chooses_among_the_tools_and_so_does_a_conversation(settings: Any) -> None:
    says(settings, ("Hi", ()), TOOLS=["find_place", "get_weather"])
    row, _ = await run()
    row.conversation.tools = ["send_mail", "gone"]
    await row.conversation.asave()
    await run(prompt="Again")
    offered = [[spec.name for spec in request.tools] for request in requests()]
    assert offered == [["find_place", "get_weather"], ["send_mail"]]


async def test_live_fields_reach_readers(settings: Any) -> None:
    says(settings, ("", (MAIL,)))
    _, chunks = await run()
    fields = [chunk for chunk in chunks if chunk["type"] == "data-tool-field"]
    assert "".join(chunk["data"]["delta"] for chunk in fields) == "Hello there"
    assert len(fields) > 1
    assert {(chunk["data"]["toolCallId"], chunk["data"]["field"], chunk["transient"]) for chunk in fields} == {
        ("m1", "body", True)
    }


async def test_call_that_needs_approval_waits_for_it(settings: Any, dialect: str) -> None:
    says(settings, ("I would write. ", (MAIL,)), ("It is sent.", ()), dialect=dialect)
    row, chunks = await run()
    call = next(part for part in row.message.typed_parts if isinstance(part, ToolCall))
    assert (row.status, row.finish_reason, tools.CALLS) == ("finished", "tool_calls", [])
    assert row.message.typed_parts[-1] == ToolApproval(call_id=call.id)
    assert {"type": "tool-approval-request", "approvalId": call.id, "toolCallId": call.id} in chunks
    again = await current().submit(ALICE, continued(row, decision(call.id, approved=True)))
    given = chunks_of(await drain(await follow(again)))
    assert tools.CALLS == [("send_mail", {"to": "me", "body": "Hello there"})]
    assert given[0] == {"type": "start", "messageId": str(row.message_id)}
    assert kinds(given)[1:4] == ["tool-output-available", "finish-step", "start-step"]
    assert (await load(again)).message.typed_parts == (
        ToolApproval(call_id=call.id, is_approved=True),
        ToolResult(call_id=call.id, output="sent"),
        TextPart(text="It is sent."),
    )
    assert [part for turn in requests()[-1].turns for part in turn.parts if isinstance(part, ToolResult)] == [
        ToolResult(call_id=call.id, output="sent")
    ]


async def test_refused_call_is_not_executed_and_the_model_hears_why(settings: Any) -> None:
    says(settings, ("", (MAIL,)), ("As you wish.", ()))
    row, _ = await run()
    again = await current().submit(ALICE, continued(row, decision("m1", approved=False, reason="Too long.")))
    given = chunks_of(await drain(await follow(again)))
    assert given[1] == {"type": "tool-output-denied", "toolCallId": "m1"}
    assert [part.output for part in requests()[-1].turns[-1].parts] == [f"{DENIED} Too long."]  # type: ignore[union-attr]
    assert tools.CALLS == []


async def test_approval_may_depend_on_the_arguments(settings: Any) -> None:
    says(settings, ("", (("p1", "pay", '{"amount": 5}'), ("p2", "pay", '{"amount": 50}'))))
    row, _ = await run()
    assert tools.CALLS == [("pay", {"amount": 5})]
    assert [part for part in row.message.typed_parts if isinstance(part, ToolApproval)] == [ToolApproval(call_id="p2")]


async def test_approval_depends_on_what_the_tool_would_be_given(settings: Any) -> None:
    """Also on what the model left to the tool's defaults; nobody is asked about a call that cannot be made."""
    settings.STREAMING_TOOLS = ["tests.tools.tips_somebody"]
    says(settings, ("", (("t1", "tip", "{}"), ("t2", "tip", '{"amount": "all"}'), ("t3", "tip", '{"amount": 2}'))))
    row, _ = await run()
    parts = row.message.typed_parts
    assert [part.call_id for part in parts if isinstance(part, ToolApproval)] == ["t1"]
    assert {part.call_id: part.is_error for part in parts if isinstance(part, ToolResult)} == {"t2": True, "t3": False}
    assert tools.CALLS == [("tip", {"amount": 2})]


async def test_rule_of_approval_may_ask_the_database(settings: Any) -> None:
    settings.STREAMING_TOOLS = ["tests.tools.looks_something_up"]
    says(settings, ("", (("r1", "looks_up", '{"title": "Hi"}'), ("r2", "looks_up", '{"title": "Ho"}'))))
    row, _ = await run()
    assert tools.CALLS == [("looks_up", {"title": "Hi"})]
    assert [part for part in row.message.typed_parts if isinstance(part, ToolApproval)] == [ToolApproval(call_id="r2")]


@pytest.mark.parametrize("dies", [True, False])
async def test_question_outlives_the_process_that_asked_it(settings: Any, *, dies: bool) -> None:
    """By a crash or by a drain, while another tool still worked."""
    says(settings, ("", (MAIL, ("w", "waits", "{}"))), ("Sent.", ()))
    generation = await submit()
    await called(1)
    if dies:
        await asyncio.sleep(0.5)  # until the journal has it
        await Generation.objects.filter(pk=generation.pk).aupdate(lease_until=from_now(-60), worker="another")
        alive.discard(generation.pk)  # as another process sees it
        assert await in_database(reap) == 1
    else:
        current()._runs[generation.pk].interrupt()
    await frames_of(generation.pk)
    assert (await load(generation)).status == "interrupted"
    again = await current().submit(ALICE, continued(generation, decision("m1", approved=True)))
    await frames_of(again.pk)
    assert [name for name, _ in tools.CALLS if name == "send_mail"] == ["send_mail"]
    assert (await load(again)).message.text == "Sent."


async def test_question_of_a_stopped_answer_is_no_question_any_more(settings: Any) -> None:
    generation = await stopped_beside(settings, MAIL)
    assert ToolResult(call_id="m1", output=NOT_MADE, is_error=True) in generation.message.typed_parts
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(generation, decision("m1", approved=True)))


async def test_client_executes_its_own_tools(settings: Any, dialect: str) -> None:
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


async def test_output_sent_twice_joins(settings: Any) -> None:
    says(settings, ("", (LOCATION,)), ("Ah.", ()))
    row, _ = await run()
    sent = [current().submit(ALICE, continued(row, output("l1", "Oslo"))) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert len({answer.pk for answer in answers}) == 1
    await frames_of(answers[0].pk)
    late = await current().submit(ALICE, continued(row, output("l1", "Oslo")))
    assert late.pk == answers[0].pk
    assert len(requests()) == 2


@pytest.mark.parametrize(
    ("part", "refusal"),
    [
        (output("m1", "sent", "send_mail"), Conflict),  # passes a person by
        (decision("l1", approved=True), Conflict),  # nobody was asked
        (output("elsewhere", "forged"), BadRequest),
        (output("w1", "forged", "get_weather"), Conflict),  # has its result: what is said of it is not news
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


async def test_output_of_the_sites_tool_is_refused_whatever_provider_is_named(settings: Any) -> None:
    """Of a call that was left as it is: the provider called although it was told not to."""
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


async def test_only_what_is_new_has_to_be_small(settings: Any) -> None:
    """Clients repeat what the site's own tools gave, however large."""
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


async def test_approval_of_a_tool_that_is_not_to_be_had_is_not_used_up(settings: Any) -> None:
    says(settings, ("", (MAIL,)), ("Sent.", ()))
    row, _ = await run()
    every = settings.STREAMING_TOOLS
    settings.STREAMING_TOOLS = []
    with pytest.raises(Conflict, match="not to be had here"):
        await current().submit(ALICE, continued(row, decision("m1", approved=True)))
    settings.STREAMING_TOOLS = every
    await frames_of((await current().submit(ALICE, continued(row, decision("m1", approved=True)))).pk)
    assert [name for name, _ in tools.CALLS] == ["send_mail"]


async def test_what_is_told_again_is_told_whole(settings: Any) -> None:
    """Its frames have the same numbers when the log is made anew from the rows."""
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


async def test_who_answers_the_continuation_itself_is_not_given_it_again(settings: Any) -> None:
    """Or a client that goes on by itself would ask for it forever."""
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


async def test_call_of_a_stopped_answer_waits_for_nothing(settings: Any) -> None:
    generation = await stopped_beside(settings, LOCATION)
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(generation, output("l1", "Oslo")))


async def test_process_that_dies_in_a_continuation(settings: Any) -> None:
    """The row keeps what the client gave, what the journal has, and nothing twice; readers get the whole message."""
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


async def test_replay_of_a_continuation_whose_log_is_gone(settings: Any) -> None:
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


THINKING = b"""event: content_block_start
data: {"type":"content_block_start","index":9,"content_block":{"type":"thinking","thinking":"hm","signature":"sig"}}

event: content_block_stop
data: {"type":"content_block_stop","index":9}

"""


async def test_reasoning_goes_back_with_the_calls(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says(settings, ("", (WEATHER,)), ("Clear.", ()), dialect="anthropic-messages")
    original = Steps._body

    def with_reasoning(self: Steps, request: GenerationRequest) -> Iterator[bytes]:
        pieces = list(original(self, request))
        if len(self.requests) == 1:
            pieces.insert(1, THINKING)
        return iter(pieces)

    monkeypatch.setattr(Steps, "_body", with_reasoning)
    await run()
    assert requests()[-1].turns[-1].parts[0] == ReasoningPart(text="hm", signature="sig")


async def test_retry_in_a_later_step_keeps_what_came_before(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    says(settings, ("", (WEATHER,)), ("", ()), ("Clear.", ()))
    original = Steps.stream

    async def flaky(self: Steps, request: GenerationRequest) -> AsyncGenerator[bytes]:
        if len(self.requests) == 1:
            self.requests.append(request)
            yield b'data: {"error": {"code": "overloaded", "message": "busy", "type": "overloaded_error"}}\n\n'
            return
        async for piece in original(self, request):
            yield piece

    monkeypatch.setattr(Steps, "stream", flaky)
    row, _ = await run()
    assert (row.status, row.attempts, row.message.text) == ("finished", 3, "Clear.")
    assert len(tools.CALLS) == 1


async def test_code_brings_its_own_tools_and_decides(settings: Any) -> None:
    settings.STREAMING_TOOLS = []
    says(settings, ("I would write. ", (MAIL,)), ("Sent.", ()))
    own = [tools.send_mail]
    asked = await (await start_chat("Write", tools=own)).result()
    assert [call.name for call in asked.asked] == ["send_mail"]
    decisions = [ToolApproval(call_id=call.id, is_approved=True) for call in asked.asked]
    answer = await go_on(asked, decisions, tools=own)
    assert [text async for text in answer] == ["Sent."]
    assert (await answer.result()).text == "Sent."
    assert tools.CALLS == [("send_mail", {"to": "me", "body": "Hello there"})]


async def test_stopped_answer_asks_code_nothing(settings: Any) -> None:
    says(settings, ("", (MAIL, ("w", "waits", "{}"))))
    answer = await start_chat("Write")
    await called(1)
    await answer.stop()
    result = await answer.result()
    assert (result.status, [call.name for call in result.tool_calls], result.asked) == (
        "cancelled",
        ["send_mail", "waits"],
        [],
    )


async def test_answers_that_leave_a_call_out_are_refused(settings: Any) -> None:
    """The model goes on once: what came later would be lost."""
    says(settings, ("", (MAIL, LOCATION)), ("Ah.", ()))
    row, _ = await run()
    with pytest.raises(Conflict, match="all of them at once"):
        await current().submit(ALICE, continued(row, output("l1", "Oslo")))


async def test_approved_call_that_a_stop_came_before(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    says(settings, ("", (MAIL,)), ("Sent.", ()))
    row, _ = await run()

    async def hangs(*given: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("streaming.runner.steps.with_files", hangs)
    again = await current().submit(ALICE, continued(row, decision("m1", approved=True)))
    await stop(again.pk)
    given = chunks_of(await drain(await follow(again)))
    assert kinds(given) == ["start", "tool-output-error", "finish-step", "start-step", "finish-step", "abort", "finish"]
    assert tools.CALLS == []
    assert (await load(again)).message.typed_parts[-1] == ToolResult(call_id="m1", output=NOT_MADE, is_error=True)


class Fixed(Scripted):
    """A model that sends the same bytes each time. `lingers` keeps the connection open after them."""

    body: ClassVar[bytes] = b""
    lingers: ClassVar[bool] = False

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        self.requests.append(request)
        yield self.body
        if self.lingers:
            await asyncio.Event().wait()

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


def sends(settings: Any, body: bytes, dialect: str, *, lingers: bool = False) -> None:
    Fixed.body, Fixed.lingers = body, lingers
    entry = {"BACKEND": f"{__name__}.Fixed", "OPTIONS": {"dialect": dialect}}
    settings.STREAMING_PROVIDERS = {"default": entry}


async def test_call_that_the_server_executed_is_nobodys_question(settings: Any) -> None:
    call = {"type": "custom_tool_call", "id": "i", "call_id": "xs_1", "name": "x_keyword_search", "input": "q"}
    answered = {"type": "function_call", "id": "j", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    output = {"type": "function_call_output", "id": "o", "call_id": "c", "output": "Sunny"}
    words = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Found."}]}
    items = [
        {"type": "response.output_item.done", "output_index": at, "item": item}
        for at, item in enumerate([call, answered, output, words])
    ]
    end = {"type": "response.completed", "response": {"status": "completed"}}
    sends(settings, sse({"type": "response.created", "response": {}}, *items, end), "openai-responses")
    row, _ = await run()
    assert (row.status, row.finish_reason, tools.CALLS) == ("finished", "stop", [])
    assert len(get_provider("default").requests) == 1


@pytest.mark.parametrize("end", [["[DONE]"], [{"choices": [], "usage": {"prompt_tokens": 1}}, "[DONE]"]])
async def test_server_that_leaves_the_connection_open_hangs_nobody(
    settings: Any, monkeypatch: Any, end: list[Any]
) -> None:
    monkeypatch.setattr(steps, "LATE_SECONDS", 0.05)
    said = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    sends(settings, sse(said, *end), "openai-chat", lingers=True)
    async with asyncio.timeout(5):
        row, _ = await run()
    assert (row.status, row.finish_reason) == ("finished", "stop")


async def test_answer_at_another_choice_index_is_the_answer(settings: Any) -> None:
    said = [{"choices": [{"index": n, "delta": {"content": text}}]} for n, text in enumerate("abc")]
    sends(settings, sse(*said, "[DONE]"), "openai-chat")
    _, chunks = await run()
    assert "".join(chunk["delta"] for chunk in chunks if chunk["type"] == "text-delta") == "abc"
