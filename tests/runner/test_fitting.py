"""Long conversations: which part of them a model is sent, and what happens when it is still too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from streaming.context import Asked
from streaming.errors import ProviderError
from streaming.models import Generation, Status, Summary
from streaming.protocol import GenerationRequest, ToolCall, ToolResult, Turn, text_of
from streaming.providers import get_provider
from streaming.providers.failures import from_status
from streaming.providers.scripted import Script, Scripted, wire
from streaming.supervisor import stop
from streaming.testing import chunks_of, frames_of
from tests.engine import load, run_until, submit
from tests.stepwise import requests

pytestmark = pytest.mark.usefixtures("engine")

WORDS = "word " * 100
"""The text of each question and each answer: 125 estimated tokens."""

ANTHROPIC = from_status(
    400,
    {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 2000 tokens > 1000 maximum"},
    },
    {},
)
OPENAI = from_status(
    400,
    {
        "error": {
            "message": "This model's maximum context length is 1000 tokens. However, your messages resulted in 2000 "
            "tokens. Please reduce the length of the messages.",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "context_length_exceeded",
        }
    },
    {},
)
RESPONSES = (
    b'event: error\ndata: {"type":"error","code":"context_length_exceeded","message":"Your input exceeds the context '
    b'window of this model. Please adjust your input and try again.","param":"input"}\n\n'
)
ANTHROPIC_STREAM = (
    b'event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: '
    b'2000 tokens > 1000 maximum"}}\n\n'
)


class Model(Scripted):
    """A model with a window of `window` estimated tokens, which counts `factor` tokens for each estimated one.

    `refusal` is what it says of longer requests; `summary` is what it says of a request for a summary.
    """

    refusal: ClassVar[ProviderError | bytes] = OPENAI
    window: ClassVar[float] = float("inf")
    factor: ClassVar[float] = 1
    summary: ClassVar[str | Exception | None] = "S"
    calls: ClassVar[tuple[tuple[str, str, tuple[str, ...]], ...]] = ()

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        self.requests.append(request)
        if size(request) > self.window:
            if isinstance(self.refusal, bytes):
                yield self.refusal
                return
            raise self.refusal
        if is_for_summary(request) and not isinstance(self.summary, str):
            await self._fail()
        for piece in self._body(request):
            yield piece

    async def _fail(self) -> None:
        if self.summary is None:
            await asyncio.Event().wait()
        raise self.summary  # type: ignore[misc]

    def _body(self, request: GenerationRequest) -> Iterator[bytes]:
        is_answered = isinstance(request.turns[-1].parts[-1], ToolResult)
        text = f"{self.summary}{len(self.requests)}" if is_for_summary(request) else WORDS
        counted = round(size(request) * self.factor)
        calls = () if is_answered or is_for_summary(request) else self.calls
        return wire(self.dialect, Script(model="m", text=(text,), calls=calls, input_tokens=counted))

    @classmethod
    def check(cls, alias: str, options: Any) -> list[Any]:
        return []


def size(request: GenerationRequest) -> int:
    return sum(len(text_of(turn.parts)) for turn in request.turns) // 4


def is_for_summary(request: GenerationRequest) -> bool:
    return "summarize" in request.system


Configure = Callable[..., None]


@pytest.fixture
def model(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Configure:
    def configure(context: dict[str, Any], dialect: str = "openai-chat", **model: Any) -> None:
        for name, value in model.items():
            monkeypatch.setattr(Model, name, value)
        entry = {"BACKEND": f"{__name__}.Model", "OPTIONS": {"dialect": dialect}, "CONTEXT": context}
        settings.STREAMING_PROVIDERS = {"default": entry}

    return configure


async def talk(*numbers: int) -> list[Generation]:
    return [await ask(f"q{number} {WORDS}") for number in numbers]


async def ask(prompt: str, **fields: Any) -> Generation:
    generation = await submit(prompt, **fields)
    await frames_of(generation.pk)
    return await load(generation)


def answers() -> list[GenerationRequest]:
    return [one for one in requests() if not is_for_summary(one)]


def heads(request: GenerationRequest) -> list[str]:
    """The first word of each of a person's turns."""
    return [text_of(turn.parts).split()[0] for turn in request.turns if turn.role == "user"]


async def test_whole_conversation_is_sent_and_nothing_noted_without_a_window(model: Configure) -> None:
    model({})
    row = (await talk(*range(12)))[-1]
    assert heads(requests()[-1]) == [f"q{number}" for number in range(12)]
    assert row.context is None
    assert "context" not in row.metadata


async def test_oldest_turns_are_dropped_before_the_request_in_strides(model: Configure) -> None:
    model({"window": 2_000, "reserve": 200})
    rows = await talk(*range(16))
    begins = [heads(request)[0] for request in requests()]
    assert all(size(request) <= 1_800 for request in requests())
    assert begins == ["q0"] * 7 + ["q4"] * 4 + ["q8"] * 4 + ["q12"]
    assert {row.status for row in rows} == {"finished"}
    assert {row.attempts for row in rows} == {1}
    last = rows[-1].context
    assert (last["policy"], last["dropped"], last["allowed"]) == ("drop", 24, 1_800)
    assert last["first"] == str(
        (await Generation.objects.select_related("message__parent").aget(pk=rows[12].pk)).message.parent_id
    )


async def test_beginning_of_the_requests_stays_the_same_between_two_cuts(model: Configure) -> None:
    model({"window": 2_000, "reserve": 200})
    await talk(*range(16))
    for earlier, later in zip(requests()[7:9], requests()[8:10], strict=True):
        assert later.turns[: len(earlier.turns)] == earlier.turns


async def test_what_the_provider_counted_corrects_the_next_estimate(model: Configure) -> None:
    model({"window": 2_000, "reserve": 200}, factor=2)
    rows = await talk(*range(6))
    assert rows[0].context["counted"] == pytest.approx(2 * rows[0].context["estimated"], rel=0.1)
    assert all(2 * size(request) <= 1_900 for request in requests())


async def test_calls_keep_their_results_and_steps_keep_the_cut(model: Configure, settings: Any) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    model({"window": 2_000, "reserve": 200}, calls=(("c", "get_weather", ('{"city": "Oslo"}',)),))
    await talk(*range(8))
    assert heads(requests()[-1])[0] != "q0"
    for request in requests():
        parts = [part for turn in request.turns for part in turn.parts]
        called = {part.id for part in parts if isinstance(part, ToolCall)}
        assert called == {part.call_id for part in parts if isinstance(part, ToolResult)}


@pytest.mark.parametrize(
    ("dialect", "refusal", "left"),
    [
        ("anthropic-messages", ANTHROPIC, 2),
        ("anthropic-messages", ANTHROPIC_STREAM, 2),
        ("openai-chat", OPENAI, 2),
        ("openai-responses", RESPONSES, 4),
    ],
    ids=["anthropic", "anthropic in the stream", "openai", "responses in the stream"],
)
async def test_refused_request_is_sent_once_more_with_a_shorter_history(
    model: Configure, dialect: str, refusal: Any, left: int
) -> None:
    model({}, dialect, refusal=refusal, window=1_800)
    rows = await talk(*range(8))
    assert (rows[-1].status, rows[-1].attempts, rows[-1].error_code) == ("finished", 2, "")
    assert heads(requests()[-1]) == [f"q{number}" for number in range(8 - left, 8)]
    assert rows[-1].context["is_retried"] is True
    assert rows[-1].context["dropped"] == 2 * (8 - left)


async def test_next_answer_begins_where_the_shorter_request_began(model: Configure) -> None:
    model({}, window=1_800)
    rows = await talk(*range(9))
    assert heads(requests()[-1]) == ["q6", "q7", "q8"]
    assert [row.attempts for row in rows[-2:]] == [2, 1]


async def test_request_that_is_refused_twice_fails_with_the_error_that_people_know(model: Configure) -> None:
    model({}, refusal=OPENAI, window=10)
    rows = await talk(1)
    assert (rows[0].status, rows[0].error_code, rows[0].attempts) == ("failed", "context_length", 1)
    rows = await talk(2, 3)
    assert (rows[1].status, rows[1].error_code, rows[1].attempts) == ("failed", "context_length", 2)


async def test_off_sends_everything_and_does_not_ask_again(model: Configure) -> None:
    model({"policy": "off", "window": 100}, window=300)
    rows = await talk(1, 2)
    assert (rows[1].status, rows[1].error_code, rows[1].attempts) == ("failed", "context_length", 1)


async def test_stop_during_the_summary_for_a_shorter_request_is_a_stop(model: Configure) -> None:
    model({"policy": "summary"}, window=1_800, summary=None)
    await talk(*range(7))
    generation = await submit(f"q7 {WORDS}")
    await run_until(lambda: is_for_summary(requests()[-1]))
    await stop(generation.pk)
    chunks = chunks_of(await frames_of(generation.pk))
    assert [chunk["type"] for chunk in chunks][-2:] == ["abort", "finish"]
    assert (await load(generation)).status == "cancelled"


async def test_summary_is_written_once_reused_and_extended(model: Configure) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200})
    rows = await talk(*range(16))
    written = [row async for row in Summary.objects.order_by("created_at")]
    asked = [one for one in requests() if is_for_summary(one)]
    assert len(written) == len(asked) == 3
    assert {row.status for row in written} == {"finished"}
    first, second, _ = asked
    assert "q0" in text_of(first.turns[0].parts)
    assert "q4" not in text_of(first.turns[0].parts)
    assert f"which the new one replaces:\n{written[0].text}\n" in text_of(second.turns[0].parts)
    assert "q4" in text_of(second.turns[0].parts)
    assert "q0" not in text_of(second.turns[0].parts)
    assert all(one.tools == () for one in asked)
    texts = [text_of(one.turns[0].parts) for one in answers()]
    assert [text.startswith("[Summary") for text in texts] == [False] * 7 + [True] * 9
    assert written[-1].text in texts[-1]
    assert rows[-1].context["summary"] == str(written[-1].pk)
    assert rows[-1].context["dropped"] == 24
    assert written[0].generation_id == rows[7].pk
    assert written[0].input_tokens == size(asked[0])


async def test_summary_fits_another_branch_through_the_same_message(model: Configure) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200})
    await talk(*range(8))
    again = await ask("", trigger="regenerate-message")
    assert await Summary.objects.acount() == 1
    assert again.context["summary"] == str((await Summary.objects.aget()).pk)


@pytest.mark.parametrize("summary", [ProviderError("overloaded"), ValueError("a bug"), ""], ids=str)
async def test_turns_are_dropped_if_no_summary_can_be_written(model: Configure, summary: Any, caplog: Any) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary=summary)
    if summary == "":
        model(
            {"policy": "summary", "window": 2_000, "reserve": 200}, _body=lambda self, request: _silent(self, request)
        )
    rows = await talk(*range(8))
    assert {row.status for row in rows} == {"finished"}
    assert heads(answers()[-1])[0] == "q4"
    assert (rows[-1].context["dropped"], "summary" in rows[-1].context) == (8, False)
    row = await Summary.objects.aget()
    assert (row.status, row.text) == ("failed", "")
    assert "word" not in caplog.text


class Unmade(Scripted):
    """A provider that cannot be made."""

    def __init__(self, **options: Any) -> None:
        raise ValueError("a bug")


async def test_fault_before_a_summary_is_logged_and_the_answer_goes_on(
    model: Configure, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200, "summarizer": "small"})
    settings.STREAMING_PROVIDERS = settings.STREAMING_PROVIDERS | {"small": {"BACKEND": f"{__name__}.Unmade"}}
    rows = await talk(*range(8))
    assert {row.status for row in rows} == {"finished"}
    assert "a bug" in caplog.text


def _silent(model: Model, request: GenerationRequest) -> Iterator[bytes]:
    text = () if is_for_summary(request) else (WORDS,)
    return wire(model.dialect, Script(model="m", text=text, input_tokens=size(request)))


async def test_stop_during_a_summary_ends_the_answer_and_its_tokens_count(model: Configure) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary=None)
    await talk(*range(7))
    generation = await submit(f"q7 {WORDS}")
    await run_until(lambda: is_for_summary(requests()[-1]))
    await stop(generation.pk)
    chunks = chunks_of(await frames_of(generation.pk))
    row, summary = await load(generation), await Summary.objects.aget()
    assert [chunk["type"] for chunk in chunks][-2:] == ["abort", "finish"]
    assert (row.status, row.cancel_reason, row.message.text) == ("cancelled", "user", "")
    assert (summary.status, summary.text, summary.is_usage_estimated) == (Status.CANCELLED, "", True)
    assert (summary.input_tokens or 0) > 300
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary="S")
    assert (await ask("short")).status == "finished"
    assert await Summary.objects.filter(status=Status.FINISHED).acount() == 1


async def test_summary_that_takes_too_long_is_given_up(model: Configure, settings: Any) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary=None)
    await talk(*range(7))
    settings.STREAMING_FIRST_DELTA_SECONDS = 0.05
    row = (await talk(7))[0]
    assert (row.status, row.context["dropped"]) == ("finished", 8)
    assert (await Summary.objects.aget()).status == Status.FAILED


async def test_summary_without_end_is_given_up(model: Configure, settings: Any) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200}, summary="word " * 10_000)
    settings.STREAMING_MAX_ANSWER_BYTES = 20_000
    row = (await talk(*range(8)))[-1]
    assert (row.status, row.context["dropped"]) == ("finished", 8)
    assert (await Summary.objects.aget()).status == Status.FAILED


async def test_another_provider_may_write_the_summaries(model: Configure, settings: Any) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200, "summarizer": "small", "instructions": "summarize!"})
    small = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": {"text": "Short.", "model": "tiny"}}
    settings.STREAMING_PROVIDERS = settings.STREAMING_PROVIDERS | {"small": small}
    await talk(*range(8))
    row = await Summary.objects.aget()
    assert (row.provider, row.model, row.text) == ("small", "tiny", "Short.")
    assert get_provider("small").requests[0].system == "summarize!"  # type: ignore[attr-defined]
    assert "Short." in text_of(requests()[-1].turns[0].parts)


async def test_summary_counts_in_the_budget(model: Configure, settings: Any) -> None:
    model({"policy": "summary", "window": 2_000, "reserve": 200})
    settings.STREAMING_PRICES = {"m": {"input": 1, "output": 1}}
    await talk(*range(8))
    spent = [row async for row in Generation.objects.all()]
    summary = await Summary.objects.aget()
    assert None not in (summary.cost, summary.price)
    tokens = sum((row.input_tokens or 0) + (row.output_tokens or 0) for row in spent)
    settings.STREAMING_MAX_TOKENS_PER_DAY = tokens + 1
    with pytest.raises(Exception, match="for a day"):
        await submit("more")
    settings.STREAMING_MAX_TOKENS_PER_DAY = None
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": tokens + 1}}}
    with pytest.raises(Exception, match="budget"):
        await submit("more")


CHOSEN: list[Asked] = []


def newest_two(asked: Asked) -> Sequence[Turn]:
    CHOSEN.append(asked)
    return asked.turns[-3:]


async def nothing(asked: Asked) -> Sequence[Turn]:
    return ()


async def fails(asked: Asked) -> Sequence[Turn]:
    raise ValueError


def errs(asked: Asked) -> Any:
    return [*asked.turns[2:], "a text"]


@pytest.mark.parametrize("policy", [fails, errs])
@pytest.mark.parametrize(
    ("window", "told"), [({}, "All messages are sent instead."), ({"window": 5_000}, "are dropped instead, if they")]
)
async def test_failure_of_the_sites_policy_is_told_as_it_is(
    model: Configure, caplog: pytest.LogCaptureFixture, policy: Any, window: Any, told: str
) -> None:
    model({"policy": f"{__name__}.{policy.__name__}"} | window)
    assert [row.status for row in await talk(1, 2)] == ["finished", "finished"]
    assert heads(requests()[-1]) == ["q1", "q2"]
    assert told in caplog.text


@pytest.mark.parametrize(
    ("policy", "sent", "dropped"),
    [(newest_two, ["q2", "q3"], 4), (nothing, ["q3"], 6), (fails, ["q0", "q1", "q2", "q3"], 0)],
)
async def test_site_chooses_the_turns_and_the_newest_question_is_sent(
    model: Configure, policy: Any, sent: list[str], dropped: int
) -> None:
    CHOSEN.clear()
    model({"policy": f"{__name__}.{policy.__name__}"})
    row = (await talk(*range(4)))[-1]
    assert heads(requests()[-1]) == sent
    assert (row.context or {}).get("dropped", 0) == dropped
    if policy is newest_two:
        assert (CHOSEN[-1].provider, CHOSEN[-1].conversation_key, CHOSEN[-1].allowed) == ("default", "c1", None)
        assert CHOSEN[-1].estimate(CHOSEN[-1].turns) > 500


def before_the_newest(asked: Asked) -> Any:
    return asked.turns[:-1]


async def test_older_question_with_the_same_words_stays_where_the_site_chose_it(model: Configure) -> None:
    model({"policy": f"{__name__}.before_the_newest"})
    await ask("again")
    await ask("again")
    assert heads(requests()[-1]) == ["again", "again"]


@pytest.mark.parametrize(
    ("dialect", "context", "extra"),
    [
        ("openai-responses", {}, {"truncation": "auto"}),
        (
            "openai-responses",
            {"window": 10_000, "reserve": 0},
            {"context_management": [{"type": "compaction", "compact_threshold": 10_000}]},
        ),
        (
            "anthropic-messages",
            {},
            {
                "context_management": {
                    "edits": [
                        {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 150_000}},
                    ]
                }
            },
        ),
        ("openai-chat", {"body": {"transforms": ["middle-out"]}}, {"transforms": ["middle-out"]}),
    ],
)
async def test_vendors_own_compaction_goes_into_the_request(
    model: Configure, dialect: str, context: dict[str, Any], extra: dict[str, Any]
) -> None:
    model({"policy": "vendor"} | context, dialect)
    await talk(*range(3))
    assert requests()[-1].extra == extra
    assert heads(requests()[-1]) == ["q0", "q1", "q2"]


async def test_provider_that_stands_in_has_a_policy_of_its_own(model: Configure, settings: Any) -> None:
    model({}, window=1_800)
    small = settings.STREAMING_PROVIDERS["default"] | {"CONTEXT": {"window": 1_000, "reserve": 0}}
    busy = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": {"error": "overloaded"}}
    settings.STREAMING_PROVIDERS = {"default": busy | {"FALLBACK": ["small"]}, "small": small}
    settings.STREAMING_PROVIDER_RETRIES = 0
    row = (await talk(*range(5)))[-1]  # after five failures the breaker of the first one opens
    assert (row.status, row.provider) == ("finished", "small")
    assert len(get_provider("default").requests[-1].turns) == 9  # type: ignore[attr-defined]
    assert size(get_provider("small").requests[-1]) <= 1_000  # type: ignore[attr-defined]
    assert row.context["allowed"] == 1_000


async def test_provider_that_refuses_a_long_request_is_asked_again_before_others(
    model: Configure, settings: Any
) -> None:
    model({}, window=1_800)
    other = {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": {"text": "Other."}}
    entry = settings.STREAMING_PROVIDERS["default"] | {"FALLBACK": ["other"]}
    settings.STREAMING_PROVIDERS = {"default": entry, "other": other}
    row = (await talk(*range(8)))[-1]
    assert (row.status, row.provider, row.attempts) == ("finished", "default", 2)
    assert heads(requests()[-1]) == ["q6", "q7"]
