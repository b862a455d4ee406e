"""Fallback: before the first word another provider answers in place of one that fails; after it, nobody does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from streaming.database import in_database
from streaming.models import Generation
from streaming.providers import close_providers, load_provider
from streaming.providers.breaker import breaker_of
from streaming.settlement import reap
from streaming.supervisor import current, stop
from streaming.testing import chunks_of, frames_of, settle_all, text_of
from streaming.views import shown_messages
from tests.engine import ALICE, leave_for_dead, load, submit
from tests.peers import CUT, HANG, Peer, Reply
from tests.stepwise import continued, output

pytestmark = [pytest.mark.usefixtures("engine"), pytest.mark.django_db(transaction=True)]
pytest_plugins = ["tests.peers"]


def sse(*payloads: dict[str, Any]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in payloads)


def chat(*deltas: dict[str, Any], reason: str | None = "stop") -> bytes:
    """An answer in the openai-chat dialect; without `reason` it has no end."""
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    if reason:
        choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    usage = [{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}] if reason else []
    lines = [{"model": "gpt-real", "choices": [one]} for one in choices] + usage
    end = b"data: [DONE]\n\n" if reason else b""
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in lines) + end


START = sse({"type": "message_start", "message": {"id": "m", "model": "claude-real", "usage": {"input_tokens": 5}}})
OVERLOADED = sse({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
WORD = sse(
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
)
HELLO = chat({"content": "Hello"})
CALL = {"index": 0, "id": "l1", "function": {"name": "ask_location", "arguments": "{}"}}


class Site:
    """Two providers on two peers: `claude`, which is the default one's name for a person, and `gpt`, its fallback."""

    def __init__(self, settings: Any, claude: Peer, gpt: Peer) -> None:
        self.claude, self.gpt = claude, gpt
        options = {"api_key": "sk-test-0123456789", "max_retries": 0}
        first = {"model": "claude-asked", "base_url": claude.url} | options
        second = {"model": "gpt-asked", "base_url": f"{gpt.url}/v1"} | options
        settings.STREAMING_PROVIDERS = {
            "default": {
                "BACKEND": "streaming.providers.anthropic.Messages",
                "OPTIONS": first,
                "FALLBACK": ["gpt"],
            },
            "gpt": {"BACKEND": "streaming.providers.openai.ChatCompletions", "OPTIONS": second},
        }

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.claude.requests), len(self.gpt.requests)


@pytest.fixture
async def site(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    settings.STREAMING_PROVIDER_RETRIES = 0
    settings.STREAMING_PRICES = {"gpt/*": {"input": "1", "output": "2"}, "default/*": {"input": "100", "output": "100"}}
    monkeypatch.setattr("streaming.runner.steps.RETRY_SECONDS", 0.01)
    async with Peer() as claude, Peer() as gpt:
        made = Site(settings, claude, gpt)
        for alias in ("default", "gpt"):
            load_provider(alias)  # an SDK's import takes longer than the shortest time limit here
        made.gpt.answers(Reply([HELLO]))
        yield made
        await close_providers()


async def answered(**fields: Any) -> tuple[Generation, str]:
    generation = await submit(**fields)
    frames = await frames_of(generation.pk)
    assert [chunk["type"] for chunk in chunks_of(frames)].count("start") == 1
    return await load(generation), text_of(frames)


def outcomes(row: Generation) -> list[tuple[str, str]]:
    return [(one["provider"], one["outcome"]) for one in row.tried or ()]


def refuses(status: int, kind: str = "") -> Reply:
    return Reply(
        [json.dumps({"error": {"type": kind, "message": "no"}}).encode()], status, content_type="application/json"
    )


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refuses(529, "overloaded_error"), "overloaded"),
        (refuses(401, "authentication_error"), "authentication"),
        (Reply([START, OVERLOADED]), "overloaded"),
        (Reply([START, CUT]), "connection_lost"),
        (Reply([START]), "truncated"),
        (Reply([b"<html>Welcome</html>"], content_type="text/html"), "not_a_stream"),
    ],
)
async def test_another_provider_answers_in_place_of_one_that_fails_before_the_first_word(
    site: Site, reply: Reply, code: str
) -> None:
    site.claude.answers(reply)
    row, text = await answered()
    assert (row.status, text, row.message.text, row.attempts) == ("finished", "Hello", "Hello", 2)
    assert outcomes(row) == [("default", code), ("gpt", "answered")]
    assert (row.provider, row.model, row.asked_provider, row.error_code) == ("gpt", "gpt-real", "default", "")


async def test_usage_and_cost_are_those_of_the_provider_that_answered(site: Site) -> None:
    site.claude.answers(Reply([START, OVERLOADED]))
    row, _ = await answered()
    assert (row.input_tokens, row.output_tokens, row.is_usage_estimated) == (7, 3, False)
    assert (str(row.cost), row.price["model"]) == ("0.000013000", "gpt/*")
    assert [one["model"] for one in row.tried] == ["claude-asked", "gpt-asked"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refuses(400, "invalid_request_error"), "bad_request"),
        (
            Reply([START, sse({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})]),
            "bad_request",
        ),
    ],
)
async def test_failure_that_is_the_requests_own_goes_to_nobody_else(site: Site, reply: Reply, code: str) -> None:
    site.claude.answers(reply)
    row, _ = await answered()
    assert (row.status, row.error_code, row.tried, site.asked) == ("failed", code, None, (1, 0))


async def test_nobody_else_is_asked_after_the_first_word(site: Site) -> None:
    site.claude.answers(Reply([START, WORD, OVERLOADED]))
    row, text = await answered()
    assert (row.status, row.error_code, text, row.message.text) == ("failed", "overloaded", "Hello", "Hello")
    assert (row.provider, row.tried, site.asked) == ("default", None, (1, 0))


async def test_first_provider_that_answers_leaves_no_trace(site: Site) -> None:
    site.claude.answers(Reply([START, WORD, sse({"type": "message_stop"})]))
    row, _ = await answered()
    assert (row.status, row.provider, row.tried, site.asked) == ("finished", "default", None, (1, 0))


@pytest.mark.parametrize("reply", [Reply([HANG]), Reply([HANG], delay=30)], ids=["head only", "nothing"])
async def test_provider_that_accepts_and_sends_nothing_has_its_share_of_the_time(
    site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setattr("streaming.providers.fallback.LEAST_SECONDS", 0.01)
    settings.STREAMING_FALLBACK_SECONDS = 0.4
    site.claude.answers(reply)
    row, text = await answered()
    assert (text, outcomes(row)) == ("Hello", [("default", "timeout"), ("gpt", "answered")])
    assert row.tried[0]["ms"] < 2000
    await site.claude.requests[0].gone(within=1)


async def test_stop_while_the_second_provider_connects_ends_at_once(site: Site) -> None:
    site.claude.answers(refuses(529))
    site.gpt.forget()
    site.gpt.answers(Reply([HANG], delay=30))
    generation = await submit()
    request = await site.gpt.asked()
    await stop(generation.pk)
    await asyncio.wait_for(frames_of(generation.pk), 15)
    await request.gone(within=10)
    row = await load(generation)
    assert (row.status, row.message.text, row.attempts) == ("cancelled", "", 2)
    assert outcomes(row) == [("default", "overloaded"), ("gpt", "stopped")]
    assert breaker_of("gpt").state == "closed"


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (refuses(529), refuses(401), "overloaded"),
        (refuses(401), refuses(500), "provider_error"),
        (refuses(404), refuses(401), "model_not_found"),
        (refuses(401), Reply([b'data: {"error": {"code": "invalid_api_key", "message": "no"}}\n\n']), "authentication"),
    ],
)
async def test_when_all_fail_people_read_the_last_failure_that_may_pass_or_else_the_first(
    site: Site, first: Reply, second: Reply, told: str
) -> None:
    site.claude.answers(first)
    site.gpt.forget()
    site.gpt.answers(second)
    row, _ = await answered()
    assert (row.status, row.error_code, site.asked) == ("failed", told, (1, 1))
    assert (row.provider, row.model, row.input_tokens, row.cost) == ("default", "claude-asked", None, None)
    assert len(row.tried) == 2


async def test_retries_go_through_all_providers_again(site: Site, settings: Any) -> None:
    settings.STREAMING_PROVIDER_RETRIES = 1
    site.claude.answers(refuses(529))
    site.gpt.forget()
    later = Reply(refuses(429).steps, 429, {"retry-after": "3600"}, content_type="application/json")
    site.gpt.answers(later, Reply([HELLO]))
    row, text = await answered()
    assert (text, site.asked, row.provider) == ("Hello", (2, 2), "gpt")
    assert [outcome for _, outcome in outcomes(row)] == ["overloaded", "rate_limited", "overloaded", "answered"]


async def test_further_steps_and_continuations_stay_with_the_provider_that_answered(site: Site, settings: Any) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather", "tests.sample_tools.ask_location"]
    weather = {"index": 0, "id": "c1", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    site.claude.answers(refuses(529))
    site.gpt.forget()
    site.gpt.answers(
        Reply([chat({"tool_calls": [weather]}, reason="tool_calls")]),
        Reply([chat({"tool_calls": [CALL]}, reason="tool_calls")]),
        Reply([chat({"tool_calls": [CALL | {"id": "l2"}]}, reason="tool_calls")]),
        refuses(529),
    )
    row, _ = await answered()
    assert (row.status, row.provider, site.asked, row.input_tokens) == ("finished", "gpt", (1, 2), 14)
    assert outcomes(row) == [("default", "overloaded"), ("gpt", "answered")]
    settings.STREAMING_PROVIDERS = settings.STREAMING_PROVIDERS | {
        "gpt": settings.STREAMING_PROVIDERS["gpt"] | {"FALLBACK": ["default"]}
    }
    again = await submit_again(row, "l1")
    assert (again.status, again.provider, site.asked) == ("finished", "gpt", (1, 3))
    again = await submit_again(row, "l2")
    assert (again.status, again.error_code, again.provider, site.asked) == ("failed", "overloaded", "gpt", (1, 4))
    shown = await in_database(lambda: shown_messages(row.conversation))
    assert [message.provider for message in shown] == ["", "default"]


async def submit_again(row: Generation, call_id: str) -> Generation:
    """Continues the answer, as the page does: it names the alias that the person chose."""
    submission = msgspec.structs.replace(continued(row, output(call_id, "Oslo")), provider="default")
    generation = await current().submit(ALICE, submission)
    await frames_of(generation.pk)
    return await load(generation)


async def test_row_of_a_process_that_died_names_the_provider_that_was_asked_last(site: Site, settings: Any) -> None:
    settings.STREAMING_LEASE_SECONDS = -1
    settings.STREAMING_TICK_SECONDS = 60
    site.claude.answers(refuses(529))
    site.gpt.forget()
    site.gpt.answers(Reply([chat({"content": "Hello"}, reason=None), HANG]))
    dead = await submit()
    await site.gpt.asked()
    run = leave_for_dead(dead)
    settings.STREAMING_LEASE_SECONDS = 10
    assert await in_database(reap) == 1
    row = await load(dead)
    assert (row.status, row.provider, row.asked_provider) == ("interrupted", "gpt", "default")
    assert outcomes(row) == [("default", "overloaded"), ("gpt", "asked")]
    run.fence()
    await settle_all()
    assert outcomes(await load(dead)) == [("default", "overloaded"), ("gpt", "asked")]


async def test_next_message_goes_to_the_first_provider_again(site: Site) -> None:
    site.claude.answers(refuses(529), Reply([START, WORD, sse({"type": "message_stop"})]))
    await answered()
    row, _ = await answered(prompt="And now?")
    assert (row.provider, row.tried, site.asked) == ("default", None, (2, 1))


async def test_open_breaker_sends_people_to_the_next_provider_at_once(site: Site, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = 2
    site.claude.answers(refuses(529))
    for key in ("a", "b"):
        await answered(key=key)
    row, text = await answered(key="c")
    assert (text, site.asked, row.attempts) == ("Hello", (2, 3), 1)
    assert outcomes(row) == [("default", "breaker"), ("gpt", "answered")]


async def test_open_breaker_without_a_fallback_refuses_at_once_in_the_known_words(site: Site, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = 1
    settings.STREAMING_PROVIDER_RETRIES = 2
    site.gpt.forget()
    site.gpt.answers(refuses(503), Reply([HELLO]))
    row, _ = await answered(key="a", provider="gpt")
    assert (row.error_code, row.attempts) == ("overloaded", 1)
    row, _ = await answered(key="b", provider="gpt")
    assert (row.status, row.error_code, row.attempts, site.asked) == ("failed", "unreachable", 0, (0, 1))
    assert outcomes(row) == [("gpt", "breaker")]
    settings.STREAMING_BREAKER_SECONDS = 1e-6
    row, text = await answered(key="c", provider="gpt")
    assert (text, breaker_of("gpt").state) == ("Hello", "closed")


@pytest.mark.parametrize(
    "reply", [refuses(400), refuses(429), refuses(500, "invalid_prompt"), Reply([START, WORD, OVERLOADED])]
)
async def test_breaker_does_not_count_what_says_nothing_about_the_provider(
    site: Site, settings: Any, reply: Reply
) -> None:
    settings.STREAMING_BREAKER_FAILURES = 1
    site.claude.answers(reply)
    await answered()
    assert breaker_of("default").state == "closed"


async def test_one_answer_counts_once_however_often_it_tries(site: Site, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = 2
    settings.STREAMING_PROVIDER_RETRIES = 4
    site.gpt.forget()
    site.gpt.answers(refuses(500))
    row, _ = await answered(provider="gpt")
    assert (row.attempts, breaker_of("gpt").state) == (5, "closed")


async def test_provider_that_never_begins_to_answer_is_counted(site: Site, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = 1
    settings.STREAMING_FIRST_DELTA_SECONDS = 0.3
    site.gpt.forget()
    site.gpt.answers(Reply([chat({"role": "assistant"}, reason=None), HANG]))
    row, _ = await answered(provider="gpt")
    assert (row.error_code, breaker_of("gpt").state) == ("timeout_first_delta", "open")


async def test_stopped_try_gives_the_half_open_place_back(site: Site, settings: Any) -> None:
    settings.STREAMING_BREAKER_FAILURES = 1
    settings.STREAMING_BREAKER_SECONDS = 1e-6
    site.gpt.forget()
    site.gpt.answers(refuses(500), Reply([HANG]), Reply([HELLO]))
    await answered(key="a", provider="gpt")
    generation = await submit(key="b", provider="gpt")
    await site.gpt.asked(2)
    other, _ = await answered(key="c", provider="gpt")
    assert (other.error_code, breaker_of("gpt").state) == ("unreachable", "half-open")
    await stop(generation.pk)
    await frames_of(generation.pk)
    _, text = await answered(key="d", provider="gpt")
    assert (text, breaker_of("gpt").state) == ("Hello", "closed")
