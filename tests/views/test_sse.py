"""`stream_answer`: an answer streamed by a site's own view."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, StreamingHttpResponse
from django.test import RequestFactory
from django.utils import translation

from streaming.access import SessionCheck
from streaming.errors import NotFound, OverBudget, RequestError
from streaming.intake import Submission
from streaming.models import Generation
from streaming.protocol.ui_stream import DONE, HEARTBEAT
from streaming.subscription import subscribe
from streaming.supervisor import current
from streaming.testing import frames_of
from streaming.views import stream_answer
from streaming.views.agui import AGUI
from streaming.views.sse import UI, Style, stream_response
from tests.engine import ALICE

pytestmark = pytest.mark.usefixtures("engine")
Script = Callable[..., None]
Encode = Callable[[dict[str, Any]], bytes]


def text_event(chunk: dict[str, Any]) -> bytes:
    """Encodes text only; all other chunks are left out."""
    return f"event: text\ndata: {chunk['delta']}\n\n".encode() if chunk["type"] == "text-delta" else b""


def nothing(chunk: dict[str, Any]) -> bytes:
    return b""


async def submit() -> Generation:
    return await current().submit(ALICE, Submission(key="c1", prompt="Hi"))


async def finished() -> Generation:
    generation = await submit()
    await current().idle()
    return generation


async def stream(generation: Generation, encode: Encode | None = None, *, comes_back: bool = False) -> Any:
    request: HttpRequest = RequestFactory().get("/")
    request.session = SessionStore()
    return await stream_answer(request, ALICE, generation, encode=encode, comes_back=comes_back)


def pieces_of(response: StreamingHttpResponse) -> AsyncIterator[bytes]:
    return aiter(cast(AsyncIterator[bytes], response))


async def body_of(response: StreamingHttpResponse) -> bytes:
    return b"".join([piece async for piece in pieces_of(response)])


@pytest.mark.parametrize("begin", [submit, finished], ids=["running", "over"])
async def test_without_encode_the_stream_has_the_frames_of_the_answer(scripted: Script, begin: Any) -> None:
    scripted(text="one two three", delay=0.01)
    generation = await begin()
    response = await stream(generation)
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert await body_of(response) == b"".join(await frames_of(generation.pk)) + DONE


@pytest.mark.parametrize("begin", [submit, finished], ids=["running", "over"])
async def test_with_encode_the_stream_has_its_events_and_no_others(scripted: Script, begin: Any) -> None:
    scripted(text="one two three", reasoning="Left out.", delay=0.01)
    body = await body_of(await stream(await begin(), text_event))
    assert body.endswith(b"\n\n" + DONE)
    events = body.removesuffix(DONE).split(b"\n\n")[:-1]
    assert all(event.startswith(b"event: text\ndata: ") for event in events)
    assert b"".join(event.partition(b"data: ")[2] for event in events) == b"one two three"


async def test_each_connection_gets_the_answer_from_its_first_frame(scripted: Script) -> None:
    scripted(text="one two three")
    generation = await submit()
    first = await body_of(await stream(generation, text_event))
    assert await body_of(await stream(generation, text_event)) == first


async def test_encode_that_leaves_everything_out_still_ends_the_stream(scripted: Script) -> None:
    scripted(text="word " * 2000)
    assert await body_of(await stream(await submit(), nothing)) == DONE


async def test_frames_that_are_left_out_are_silence_with_heartbeats(scripted: Script, settings: Any) -> None:
    settings.STREAMING_HEARTBEAT_SECONDS = 0.05
    scripted(text="word " * 100, delay=0.01)
    body = await body_of(await stream(await submit(), nothing))
    assert body.count(HEARTBEAT) > 3
    assert body == HEARTBEAT * body.count(HEARTBEAT) + DONE


async def test_events_arrive_while_the_answer_is_being_written(scripted: Script) -> None:
    scripted(text="one two three four", hang_after=4)
    generation = await submit()
    pieces = pieces_of(await stream(generation, text_event))
    assert b"data: one" in await anext(pieces)
    await generation.arefresh_from_db()
    assert generation.is_active
    await pieces.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("comes_back", "starts"), [(True, True), (False, False)])
async def test_only_a_client_that_comes_back_is_told_when_to_reconnect(
    scripted: Script, comes_back: bool, starts: bool
) -> None:
    scripted(text="one")
    body = await body_of(await stream(await finished(), text_event, comes_back=comes_back))
    assert body.startswith(b"retry: ") is starts


async def test_too_many_open_streams_are_refused_without_encode(scripted: Script, settings: Any) -> None:
    settings.STREAMING_MAX_STREAMS_PER_OWNER = 1
    scripted(text="one two three four", hang_after=2)
    generation = await submit()
    open_one = pieces_of(await stream(generation))
    await anext(open_one)
    assert b"open in too many places" in await body_of(await stream(generation, nothing))
    await open_one.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("style", [UI, AGUI], ids=["ui", "agui"])
async def test_stream_that_must_end_says_why_in_its_readers_language(settings: Any, style: Style) -> None:
    """Other code of the process speaks another language when the stream ends."""
    settings.STREAMING_MAX_STREAMS_PER_OWNER = 0
    check = SessionCheck(ALICE, SessionStore())
    with translation.override("de"):
        response = stream_response(await subscribe(uuid.uuid4()), check, style=style)
    with translation.override("fr"):
        body = (await body_of(response)).decode()
    assert "Das ist an zu vielen Stellen geöffnet. Schließen Sie eine davon." in body
    assert (style is UI) or '"code":"too_many_requests"' in body


class Gone(NotFound):
    """A site's own kind of this refusal."""


class Refused:
    """A subscription that cannot be read."""

    seq = 0
    has_begun_again = False

    def __init__(self, refusal: RequestError) -> None:
        self._refusal = refusal
        self.is_closed = False

    async def next(self, seconds: float) -> list[bytes] | None:
        raise self._refusal

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("refusal", "told"), [(OverBudget("Spent."), b"open in too many places"), (Gone("Gone."), b"has been deleted")]
)
async def test_subclass_of_a_refusal_ends_a_stream_with_its_notice(refusal: RequestError, told: bytes) -> None:
    subscription = Refused(refusal)
    body = await body_of(stream_response(subscription, SessionCheck(ALICE, None)))
    assert told in body
    assert subscription.is_closed


async def test_parts_are_passed_on_without_djangos_wrappers(scripted: Script) -> None:
    """Django keeps a response's content in `_iterator`, which it does not document."""
    scripted(text="Hello")
    response = await stream(await submit())
    assert inspect.isasyncgen(aiter(response))
    assert aiter(response).__qualname__ == "_body", "a token costs more: see EventStream"
    assert DONE in await body_of(response)


async def test_middleware_may_replace_the_content(scripted: Script) -> None:
    scripted(text="Hello")
    response = await stream(await submit())

    async def louder(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for part in parts:
            yield part.upper()

    response.streaming_content = louder(response.streaming_content)
    assert b"HELLO" in await body_of(response)
