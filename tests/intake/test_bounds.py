"""Bounds: no text of a client is kept or sent without one. The tests walk all texts of all requests."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import msgspec
import pytest
from django.apps import apps
from django.db.models import Model

from streaming import consumers
from streaming.conf import MAX_ALIAS_CHARS
from streaming.database import in_database
from streaming.intake import Opinion, Submission
from streaming.intake.bounds import (
    BOUNDS,
    MAX_COMMENT_CHARS,
    MAX_REASON_CHARS,
    MAX_TOOL_DESCRIPTION_CHARS,
    MAX_TOOL_NAME_CHARS,
)
from streaming.models import MAX_ID_CHARS
from streaming.protocol import FilePart, ToolApproval, ToolResult, ToolSpec
from tests.asked import FRAMES, REQUESTS, Asker, at, places, put
from tests.sent_files import post_file
from tests.stepwise import requests

pytestmark = pytest.mark.usefixtures("engine", "site_tools", "stored")

LONG = "x" * 900_000
# More than all bounds of one message together, much less than `LONG`.
MOST_KEPT = 10_000
# Fields whose texts are not the client's: kinds of request, the two thumbs, a call's own id, what only providers make.
NOT_FREE = {"thumb", "trigger", "call_id", "media_type", "raw", "origin"}


@pytest.fixture
async def asker(settings: Any) -> AsyncGenerator[Asker]:
    settings.STREAMING_SHARES = True
    settings.STREAMING_MAX_PROMPT_CHARS = 1000
    settings.STREAMING_MAX_TOOL_OUTPUT_CHARS = 1000
    one = Asker(settings)
    yield one
    await one.close()


def _with_long_texts(body: Any) -> Iterator[Any]:
    """Yields the body once for each text in it, with a long one in its place."""
    for path in places(body):
        if isinstance(at(body, path), str):
            yield put(body, path, LONG)


def _longest_kept() -> int:
    kept: list[str] = []
    models: list[type[Model]] = list(apps.get_app_config("streaming").get_models())
    for model in models:
        kept += [str(value) for row in model._default_manager.values_list() for value in row]
    return max(map(len, kept))


async def _assert_bounded(asker: Asker) -> None:
    assert await in_database(_longest_kept) < MOST_KEPT
    assert max(len(str(request.turns)) for request in requests()) < MOST_KEPT


@pytest.mark.parametrize("name", REQUESTS)
async def test_long_text_is_refused_cut_or_ignored(asker: Asker, name: str) -> None:
    for body in _with_long_texts(REQUESTS[name].body):
        response = await asker.post(REQUESTS[name], body)
        assert response.status in (200, 201, 400, 404, 413, 415), response.content[:200]
        assert len(response.content) < MOST_KEPT
    await _assert_bounded(asker)


@pytest.mark.parametrize("name", FRAMES)
async def test_long_text_in_a_frame_is_refused_cut_or_ignored(
    asker: Asker, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "BURST_COMMANDS", 10**9)
    for frame in _with_long_texts(FRAMES[name].body):
        for reply in await asker.tell(FRAMES[name], frame):
            assert len(json.dumps(reply)) < MOST_KEPT
    await _assert_bounded(asker)


async def test_long_name_of_a_file_is_cut(asker: Asker) -> None:
    await asker.prepare(None)
    response = await post_file(asker.client, b"Notes", LONG + ".txt", "text/plain; " + LONG)
    assert response.status_code in (201, 400)
    await _assert_bounded(asker)


@pytest.mark.parametrize("kind", [Submission, FilePart, ToolResult, ToolApproval, Opinion, ToolSpec])
def test_every_text_of_a_submission_has_a_bound(kind: type[msgspec.Struct]) -> None:
    numbers_and_parts = {"files", "answers", "is_error", "is_provider_executed", "is_approved", "duration_ms"}
    assert set(kind.__struct_fields__) - NOT_FREE - numbers_and_parts == set(BOUNDS[kind])


# A text -> the request and the place that has it, and its bound.
AT_THE_BOUND = {
    "id": ("prompt", ("id",), MAX_ID_CHARS, 400),
    "clientId": ("prompt", ("clientId",), MAX_ID_CHARS, 400),
    "provider": ("prompt", ("provider",), MAX_ALIAS_CHARS, 400),
    "messageId": ("again", ("messageId",), MAX_ID_CHARS, 400),
    "prompt": ("prompt", ("prompt",), 1000, 413),
    "reason of a yes": ("approved", ("messages", 1, "parts", 0, "approval", "reason"), MAX_REASON_CHARS, 413),
    "reason of a no": ("refused", ("messages", 1, "parts", 0, "approval", "reason"), MAX_REASON_CHARS, 413),
    "output": ("output", ("messages", 1, "parts", 0, "output"), 1000 - len('""'), 413),
    "errorText": ("failure", ("messages", 1, "parts", 0, "errorText"), 1000 - len('""'), 413),
    "threadId": ("run", ("threadId",), MAX_ID_CHARS, 400),
    "runId": ("run", ("runId",), MAX_ID_CHARS, 400),
    "tool's name": ("run", ("tools", 0, "name"), MAX_TOOL_NAME_CHARS, 400),
    "tool's description": ("run", ("tools", 0, "description"), MAX_TOOL_DESCRIPTION_CHARS, 413),
    "run's message": ("run", ("messages", 1, "content", 0, "text"), 1000, 413),
    "run's output": ("run on", ("messages", 0, "content"), 1000 - len('""'), 413),
    "run's error": ("run after a failure", ("messages", 0, "error"), 1000 - len('""'), 413),
    "run's reason": ("run decided", ("resume", 0, "payload", "reason"), MAX_REASON_CHARS, 413),
    "comment": ("feedback", ("comment",), MAX_COMMENT_CHARS, 413),
}


@pytest.mark.parametrize("name", AT_THE_BOUND)
async def test_text_at_its_bound_is_accepted_and_a_longer_one_refused(asker: Asker, settings: Any, name: str) -> None:
    request, path, most, status = AT_THE_BOUND[name]
    await asker.prepare(REQUESTS[request].call)
    settings.STREAMING_PROVIDERS |= {"x" * MAX_ALIAS_CHARS: settings.STREAMING_PROVIDERS["default"]}
    longer = await asker.post(REQUESTS[request], put(REQUESTS[request].body, path, "x" * (most + 1)))
    assert longer.status == status, longer.content
    whole = await asker.post(REQUESTS[request], put(REQUESTS[request].body, path, "x" * most))
    assert whole.status == 200, whole.content


async def test_reason_reaches_the_model_whole(asker: Asker) -> None:
    reason = "y" * MAX_REASON_CHARS
    path = AT_THE_BOUND["reason of a no"][1]
    await asker.post(REQUESTS["refused"], put(REQUESTS["refused"].body, path, reason))
    assert reason in str(requests()[-1].turns)


async def test_letters_count_once_whatever_their_bytes(asker: Asker) -> None:
    request, path, most, _ = AT_THE_BOUND["output"]
    await asker.prepare(REQUESTS[request].call)
    whole = await asker.post(REQUESTS[request], put(REQUESTS[request].body, path, "字" * most))
    assert whole.status == 200, whole.content
