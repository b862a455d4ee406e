"""AG-UI over HTTP: a client of that protocol asks, takes up a running answer, or loads a conversation."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path

from streaming.access import SessionCheck, open_streams
from streaming.agui import messages_snapshot, run_error, run_started, sse, with_ids
from streaming.database import in_database
from streaming.errors import BadRequest
from streaming.files.addresses import client_url
from streaming.intake import read_run_input
from streaming.models import Conversation, Owner
from streaming.protocol.ui_stream import HEADERS
from streaming.subscription import AgentRun, Thread, follow_run, tag_of, thread_of
from streaming.supervisor import current
from streaming.views.chat import generation_to_resume
from streaming.views.cursors import UNKNOWN_CURSOR, cursor_in
from streaming.views.endpoint import body_of, endpoint
from streaming.views.sse import EVENT_STREAM, Style, stream_response

AGUI = Style(
    headers={name: value for name, value in HEADERS.items() if not name.startswith("x-vercel")},
    done=b": done\n\n",
    error=lambda text, code: sse(run_error(text, code)),
)


@endpoint("POST")
async def run(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Accepts a message, tool outputs or decisions, and streams the run.

    A run that continues an answer begins with all messages. The client's own message of a tool's output is among them.
    """
    asked = read_run_input(body_of(request))
    submission = asked.submission
    open_streams().check(owner.key)
    generation = await current().submit(owner, submission, client_tools=asked.tools, context=asked.context)
    reload = functools.partial(_messages, owner, submission.key)
    history = (await _thread(owner, submission.key, generation.pk)).messages if submission.answers else None
    agent_run = AgentRun(submission.key, asked.run_id or str(generation.pk), reload, history, head=generation.head_seq)
    subscription = await follow_run(generation, agent_run)
    return stream_response(subscription, SessionCheck(owner, request.session), style=AGUI)


@endpoint("GET")
async def take_up(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Streams what comes after the client's last event, or else all messages and what comes after them.

    A cursor counts only while its answer is being written. It is ignored for another one, and after the end.
    """
    cursor = cursor_in(request)
    if cursor and not cursor.tag:
        raise BadRequest(UNKNOWN_CURSOR)
    generation = await in_database(generation_to_resume, owner, key)
    run_id = str(generation.pk) if generation else key
    after = cursor.seq if cursor and generation and tag_of(generation.pk) == cursor.tag else 0
    if generation is None or not generation.is_active:
        return _settled(await _thread(owner, key), key, run_id, is_followed=after > 0)
    open_streams().check(owner.key)
    reload = functools.partial(_messages, owner, key)
    history = None if after else (await _thread(owner, key, generation.pk)).messages
    agent_run = AgentRun(key, run_id, reload, history, after, generation.head_seq)
    subscription = await follow_run(generation, agent_run)
    return stream_response(subscription, SessionCheck(owner, request.session), style=AGUI)


def _settled(thread: Thread, key: str, run_id: str, *, is_followed: bool) -> HttpResponse:
    """Returns a run that is over: all messages, and its end, also if it is an error.

    A client that has not followed it gets the open questions of a run whose process died, so that a person can answer.
    """
    end = (thread.end if is_followed else thread.state) or {"type": "RUN_FINISHED"}
    events = [run_started(key, run_id), messages_snapshot(thread.messages), with_ids(end, key, run_id)]
    return HttpResponse(b"".join(map(sse, events)) + AGUI.done, content_type=EVENT_STREAM, headers=AGUI.headers)


async def _messages(owner: Owner, key: str) -> list[dict[str, Any]]:
    return (await _thread(owner, key)).messages


async def _thread(owner: Owner, key: str, without: uuid.UUID | None = None) -> Thread:
    """Returns the owner's thread. It is empty for a key that the owner has not used, also if somebody else uses it."""
    thread = await in_database(_read, owner, key, without)
    for message in thread.messages:
        if message["role"] == "user" and isinstance(message["content"], list):
            _address_files(message["content"])
    return thread


def _read(owner: Owner, key: str, without: uuid.UUID | None) -> Thread:
    conversation = Conversation.objects.find(owner, key)
    return thread_of(conversation, without) if conversation else Thread([])


def _address_files(parts: list[dict[str, Any]]) -> None:
    for part in parts:
        if "source" in part:
            part["source"]["value"] = client_url(part["source"]["value"])


agui_patterns = [
    path("api/agui", run, name="api_agui"),
    path("api/agui/<str:key>", take_up, name="api_agui_thread"),
]
