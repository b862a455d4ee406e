"""Endpoints that answer with an object, in the form that the AI SDK's `useObject` reads.

    path("api/recipe", object_view(Recipe, prompt="A recipe for {dish}."))

The response is plain text: the JSON of the object, as it is written. Its source is `use-object.ts` of the npm package
`@ai-sdk/react`, version 4.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Coroutine, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from streaming.access import SessionCheck, open_streams
from streaming.conf import settings
from streaming.database import in_database, release_request_thread, told
from streaming.errors import NotFound, SiteFault, TooManyRequests
from streaming.intake import Submission
from streaming.models import Generation, Owner
from streaming.outputs import Asks, ObjectText, OutputType, judge, marked, spec_for
from streaming.protocol import OutputSpec
from streaming.subscription import follow
from streaming.supervisor import current
from streaming.tools import AnyTool, Toolbox
from streaming.views.endpoint import View, body_of, endpoint
from streaming.views.prompts import Prompt, check_input, prompt_of, read_input
from streaming.views.sse import ClosableStream, EventStream

logger = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"
HEADERS = {
    "Cache-Control": "private, no-cache, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Content-Encoding": "identity",  # as in `streaming.protocol.ui_stream.HEADERS`
}
CONVERSATION = "X-Streaming-Conversation"
PATIENCE_SECONDS = 5.0
"""The time for which the status waits for the object's first text. Meanwhile the request keeps its thread and its
connection. An answer that fails at once, and its further attempts, take less."""
BLANK = b"\n"
"""The heartbeat. JSON allows it before the object, and nowhere inside a string."""


def object_view(
    wanted: Any,
    *,
    prompt: Prompt = "{prompt}",
    input: Any = None,
    provider: str | None = None,
    tools: Sequence[AnyTool] = (),
    stops_with_client: bool = False,
) -> View:
    """Returns a view that answers `POST` with an object of the type `wanted`, in a conversation of its own.

    `prompt` is a text with the names of the input's fields in braces, or a function of the input, sync or async.
    `input` is the type of the input, which is then checked and converted. `tools` are offered to the model. With
    `stops_with_client`, a client that leaves stops the answer at once, whatever `STREAMING_ABANDON_AFTER` says.

    Raises:
        TypeError: `wanted` or `input` has no JSON schema, or two tools have the same name.
    """
    kind = OutputType.of(wanted)
    check_input(input)
    toolbox = Toolbox.of(tools)
    asks = Asks(kind, provider or "default")

    @endpoint("POST")
    async def view(request: HttpRequest, owner: Owner) -> HttpResponseBase:
        spec = _spec(asks)
        text = await prompt_of(prompt, read_input(body_of(request), input))
        open_streams().check(owner.key)
        submission = Submission(key=uuid.uuid4().hex, prompt=text, provider=provider)
        submitting = current().submit(owner, submission, toolbox=toolbox, output=spec)
        generation = await _submitted(submitting, stops=stops_with_client)
        reader = _Reader(generation, kind, stops=stops_with_client)
        response = await reader.response(await follow(generation), SessionCheck(owner, request.session))
        response.headers[CONVERSATION] = submission.key
        return response

    return marked(view, asks)


def _spec(asks: Asks) -> OutputSpec:
    """Returns what the provider is asked for.

    Raises:
        SiteFault: it cannot be asked for this type. `manage.py check` says so, too.
    """
    try:
        return spec_for(asks.wanted, asks.alias)
    except TypeError as fault:
        logger.error("%s", fault)  # its traceback says nothing more
        raise SiteFault from fault


async def _submitted(submitting: Coroutine[Any, Any, Generation], *, stops: bool) -> Generation:
    """Returns the generation of a submission, which is completed even if the client leaves meanwhile.

    If such a client `stops` its answer, the answer ends as soon as it has begun.
    """
    task = asyncio.create_task(submitting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if stops:
            task.add_done_callback(_abandon_submitted)
        raise


def _abandon_submitted(task: asyncio.Task[Generation]) -> None:
    if not task.cancelled() and task.exception() is None:
        _abandon(task.result())


def _abandon(generation: Generation) -> None:
    """Stops an answer that runs here, unless the process ends: then it is settled as interrupted."""
    run = current().find(generation.pk)
    if run and not open_streams().is_closing:
        run.cancel("abandoned")


class _Reader:
    """The client of one answer. If it `stops`, the answer ends when it leaves."""

    def __init__(self, generation: Generation, wanted: OutputType, *, stops: bool) -> None:
        self._generation = generation
        self._wanted = wanted
        self._stops = stops

    async def response(self, frames: Any, session: SessionCheck) -> HttpResponse | EventStream:
        """Streams the object. Answers with an error instead if the answer ends before the object has begun.

        The status must be sent before the first text, so this waits for it, but not for long.
        """
        text = ObjectText(frames, self._wanted)
        try:
            first = await text.next(min(PATIENCE_SECONDS, settings.HEARTBEAT_SECONDS))
        except BaseException:
            self._leave(text)
            raise
        if text.is_over and not first:
            text.close()
            return await in_database(self._refused)
        body = self._body(text, first or "", session)
        await anext(body)  # a generator that has not begun would not clean up if the client has left already
        return EventStream(ClosableStream(body), content_type=TEXT, headers=HEADERS)

    def _refused(self) -> HttpResponse:
        """The response to an answer without an object."""
        row = Generation.objects.select_related("message").filter(pk=self._generation.pk).first()
        if row is None:
            raise NotFound(_("This conversation has been deleted."))
        reason = row.error_text or judge(self._wanted, row.message.typed_parts, row.finish_reason).reason
        return HttpResponse(reason, status=502, content_type=TEXT)

    async def _body(self, text: ObjectText, first: str, session: SessionCheck) -> AsyncGenerator[bytes]:
        """Yields the object's text. It never raises: on Daphne an exception hangs the client.

        A body that ends early is half an object, and `useObject` reports that it does not match its schema.
        """
        try:
            yield b""
            with open_streams().reading(), open_streams().held(session.owner.key):
                await release_request_thread()
                yield first.encode() or BLANK
                has_begun = bool(first)
                while (more := await text.next(settings.HEARTBEAT_SECONDS)) is not None:
                    if await _must_end(session, is_silent=not more):
                        return
                    if more or not has_begun:
                        yield more.encode() or BLANK
                    has_begun = has_begun or bool(more)
        except (TooManyRequests, NotFound):
            return  # it cannot be told any more
        except Exception as error:
            logger.exception("A stream broke off. %s", told(error))
        finally:
            self._leave(text)

    def _leave(self, text: ObjectText) -> None:
        text.close()
        if self._stops and not text.is_over:
            _abandon(self._generation)


async def _must_end(session: SessionCheck, *, is_silent: bool) -> bool:
    """True if the reader has signed out, or if the process ends."""
    has_left = session.is_due and not await session.holds() and not session.has_moved
    return has_left or (is_silent and open_streams().is_closing)
