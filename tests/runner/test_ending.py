"""The endings of runs whose provider fails, is silent or is misconfigured."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from streaming.models import Generation
from streaming.subscription import subscribe
from streaming.supervisor import current
from streaming.testing import chunks_of, drain, frames_of, text_of
from tests.engine import Script, lose_table, submit

pytestmark = pytest.mark.usefixtures("engine")


ERROR_EVENT = 'data: {"error":{"message":"sk-SECRETSECRETSECRET","code":"boom"}}\n\n'


async def test_failure_is_logged_with_its_code_and_no_words_of_the_provider(
    scripted: Script, caplog: pytest.LogCaptureFixture
) -> None:
    scripted(chunks=[ERROR_EVENT])
    generation = await submit()
    await frames_of(generation.pk)
    await current().idle()
    told = f"Generation {generation.pk} failed (provider_error, provider 'default'). The admin has the details."
    assert [record.getMessage() for record in caplog.records] == [told]


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"error": "authentication", "fail_after": 0}, "failed", "authentication"),
        ({"error": "overloaded", "fail_after": 3}, "failed", "overloaded"),
        ({"fail_after": 3}, "truncated", "connection_lost"),
        ({"chunks": ['data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n']}, "truncated", "truncated"),
        ({"chunks": ["<html>Bad gateway</html>"]}, "failed", "not_a_stream"),
        ({"chunks": [ERROR_EVENT]}, "failed", "provider_error"),
        ({"chunks": []}, "truncated", "truncated"),
    ],
)
async def test_failure_has_a_plain_text_and_what_arrived_is_kept(
    scripted: Script, options: dict[str, Any], status: str, code: str
) -> None:
    scripted(text="one two three four five", **options)
    chunks = chunks_of(frames := await frames_of((await submit()).pk))
    row = await Generation.objects.select_related("message").aget()
    assert (row.status, row.error_code) == (status, code)
    assert chunks[-1] == {"type": "error", "errorText": row.error_text}
    assert chunks[-2]["messageMetadata"]["status"] == status
    assert row.message.text == text_of(frames)
    assert b"SECRET" not in b"".join(frames)
    assert "SECRET" not in row.error_detail


async def test_misconfigured_provider_fails_the_generation_and_not_the_process(settings: Any) -> None:
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": "nowhere.Nothing"}}
    chunks = chunks_of(await frames_of((await submit()).pk))
    row = await Generation.objects.aget()
    assert (row.status, row.error_code, row.error_detail) == ("failed", "internal", "ImproperlyConfigured")
    assert chunks[-1]["type"] == "error"


async def test_answer_whose_table_is_missing_ends_and_is_not_tried_for_ever(
    scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["streaming.runner.run"], "SETTLE_RETRIES", (0.01,) * 3)
    scripted(text="one two", delay=0.01)
    generation = await submit()
    subscription = await subscribe(generation.pk)
    await subscription.next(5)
    with monkeypatch.context() as patch:
        lose_table(patch, Generation)
        chunks = chunks_of(await drain(subscription))
        await current().idle()
    assert chunks[-1]["type"] == "error"


@pytest.mark.parametrize(
    ("setting", "hang_after", "code"),
    [
        ("STREAMING_FIRST_DELTA_SECONDS", 0, "timeout_first_delta"),
        ("STREAMING_STALL_SECONDS", 5, "timeout_stall"),
        ("STREAMING_TOTAL_SECONDS", 5, "timeout_total"),
    ],
)
async def test_silent_provider_is_given_up_when_a_time_limit_has_passed(
    scripted: Script, settings: Any, setting: str, hang_after: int, code: str
) -> None:
    settings.STREAMING_TICK_SECONDS = 0.02
    setattr(settings, setting, 0.2)
    scripted(text="one two three four five six seven", hang_after=hang_after)
    began = time.monotonic()
    frames = await frames_of((await submit()).pk)
    row = await Generation.objects.select_related("message").aget()
    assert time.monotonic() - began < 20
    assert (row.status, row.error_code) == ("failed", code)
    assert row.message.text == text_of(frames)
    assert bool(row.message.text) == (hang_after > 0)
