"""The WebSocket endpoint: the protocol of the AI SDK's `WebSocketChatTransport`, over the same log as SSE.

    commands   client → server   send · resume · abort
    replies    server → client   start · chunk (sequence from 0) · end (what was sent in all) · error · no-active

Each answer that a socket follows is sent by a task, so that the socket can be read at the same time. No channel layer
is used: a full layer drops messages silently, and readers are cursors over the log, which need no messages.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing, nullcontext, suppress
from typing import Any, NoReturn

import msgspec
from channels.exceptions import DenyConnection, StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from streaming.access import (
    SessionCheck,
    TokenBucket,
    current_admission,
    handshake_in,
    language_of,
    open_streams,
    owner_in_scope,
    refuse_cross_site_socket,
)
from streaming.conf import settings
from streaming.database import in_database, refusal_of, told
from streaming.errors import PUBLIC_MESSAGES, BadRequest, Forbidden, LoginRequired, RequestError, TooManyRequests
from streaming.intake import read_command, request_id_if_any, request_id_of, submission_of, wants_html
from streaming.intake.bounds import MAX_COMMAND_CHARS
from streaming.models import Generation, Owner
from streaming.protocol.ui_stream import chunk_of
from streaming.subscription import Subscription, follow, subscribe, total_of
from streaming.supervisor import current, stop

logger = logging.getLogger(__name__)

# Close codes from 4000 to 4999 are for applications (RFC 6455, section 7.4.2). These follow HTTP's status codes.
CLOSE_UNAUTHENTICATED = 4401
CLOSE_MOVED = 4307  # the session has got another key: connect again
CLOSE_TOO_MANY = 4429
PARTING_CODES = {False: CLOSE_UNAUTHENTICATED, True: CLOSE_MOVED}
CLOSE_CODES: dict[type[RequestError], int] = {LoginRequired: CLOSE_UNAUTHENTICATED, TooManyRequests: CLOSE_TOO_MANY}
# How many commands a socket may send; a client sends one for each question. Daphne buffers unread ones without limit.
BURST_COMMANDS, COMMANDS_PER_SECOND = 100, 20.0
# A longer command counts as several. Reading a million characters may take 50 ms.
CHARS_PER_COMMAND = 50_000
MAX_FOLLOWED = 8  # answers at once; a page shows one or a few
# What servers raise if the client has gone; `disconnect` comes next then. uvicorn raises a RuntimeError if it closed
# the socket itself, for example because of a malformed frame.
GONE = (OSError, RuntimeError)
BROKE_OFF = gettext_lazy("The connection broke off. Resume to go on.")

Reply = dict[str, Any]


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One socket of one owner. It may follow answers of several conversations, each under a request id of its own."""

    channel_layer_alias = "streaming uses no channel layer"  # Channels finds no layer of this name and opens none

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with ExitStack() as self._cleanup:  # Channels does not always call `disconnect`
            await super().__call__(scope, receive, send)

    async def connect(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: dict[str, uuid.UUID] = {}
        self._is_closed = False
        self._bucket = TokenBucket(BURST_COMMANDS, COMMANDS_PER_SECOND)
        try:
            refuse_cross_site_socket(self.scope)
            handshake = handshake_in(self.scope)
            self._html = wants_html(handshake)
            self._cleanup.enter_context(override(language_of(handshake)))
            self._owner: Owner = await in_database(owner_in_scope, self.scope)
            self._cleanup.enter_context(open_streams().held(self._owner.key))
        except Forbidden as error:
            raise DenyConnection from error
        except (LoginRequired, TooManyRequests) as error:
            # The socket is accepted first, because browsers hide from a page why a handshake was refused.
            await self.accept()
            await self._leave_and_stop(CLOSE_CODES[type(error)])
        current().ensure_sweeping()
        self._session = await in_database(SessionCheck, self._owner, self.scope.get("session"))
        self._cleanup.callback(self._unfollow)
        await self.accept()
        self._cleanup.callback(asyncio.create_task(self._watch()).cancel)

    async def _watch(self) -> None:
        """Closes the socket when the session no longer belongs to the owner, even if the socket is idle."""
        still_holds = True
        while still_holds:
            await asyncio.sleep(settings.RECHECK_SECONDS)
            still_holds = await self._session.holds_as_far_as_known()
        await self._leave(PARTING_CODES[self._session.has_moved])

    def _unfollow(self) -> None:
        """Stops following all answers. The answers continue."""
        for task in self._tasks:
            task.cancel()

    async def _leave(self, code: int) -> None:
        """Closes the socket. Nothing is sent afterwards, because servers fail at that."""
        if not self._is_closed:
            self._is_closed = True
            self._unfollow()
            with suppress(*GONE):
                await self.close(code)

    async def _leave_and_stop(self, code: int) -> NoReturn:
        """Closes the socket and ends the consumer. Commands that have arrived are ignored."""
        await self._leave(code)
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._bucket.take(1 + min(len(text_data or ""), MAX_COMMAND_CHARS) // CHARS_PER_COMMAND):
            await self._leave_and_stop(CLOSE_TOO_MANY)
        try:
            command = read_command(text_data)
            request_id = request_id_of(command)
        except BadRequest as error:
            await self._refuse(request_id_if_any(text_data), error)
        else:
            await self._obey(command, request_id)

    async def _obey(self, command: dict[str, Any], request_id: str) -> None:
        """Does what a command asks. A command that fails does not end the socket, whose answers would stop with it."""
        try:
            with await current_admission().enter() if command.get("type") == "send" else nullcontext():
                if self._is_closed or not await self._session.holds_now():
                    await self._leave_and_stop(PARTING_CODES[self._session.has_moved])
                await self._handler(command)(command, request_id)
        except StopConsumer:
            raise
        except RequestError as error:
            await self._refuse(request_id, error)
        except Exception as error:
            logger.exception("A command could not be handled (%s).", told(error))
            await self._refuse(request_id, refusal_of(error) or RequestError(_(PUBLIC_MESSAGES["internal"])))

    def _handler(self, command: dict[str, Any]) -> Callable[[dict[str, Any], str], Awaitable[None]]:
        handlers = {"send": self._send, "resume": self._resume, "abort": self._abort}
        kind = command.get("type")
        if not isinstance(kind, str) or kind not in handlers:
            raise BadRequest("A frame's 'type' must be one of: abort, resume, send.")
        return handlers[kind]

    async def _send(self, command: dict[str, Any], request_id: str) -> None:
        extra = command["body"] if isinstance(command.get("body"), dict) else {}
        submission = submission_of(extra | command)
        self._check_can_follow(request_id)
        generation = await current().submit(self._owner, submission)
        self._follow(request_id, generation.pk, functools.partial(follow, generation, html=self._html))

    async def _resume(self, command: dict[str, Any], request_id: str) -> None:
        key = command.get("id")
        generation_id = await in_database(_active_generation, self._owner, key if isinstance(key, str) else "")
        if generation_id is None:
            await self._reply(type="no-active", requestId=request_id)
            return
        self._check_can_follow(request_id)
        await self._reply(type="start", requestId=request_id)
        self._follow(request_id, generation_id, functools.partial(subscribe, generation_id, html=self._html))

    async def _abort(self, command: dict[str, Any], request_id: str) -> None:
        generation_id = self._followed.get(request_id)
        if generation_id is not None:
            await stop(generation_id)

    def _check_can_follow(self, request_id: str) -> None:
        if request_id in self._followed:
            raise BadRequest("This requestId is in use. Give each request one of its own.")
        if len(self._followed) >= MAX_FOLLOWED:
            raise BadRequest(f"One socket can follow at most {MAX_FOLLOWED} answers at once.")

    def _follow(
        self, request_id: str, generation_id: uuid.UUID, subscribing: Callable[[], Awaitable[Subscription]]
    ) -> None:
        if self._is_closed:
            return
        self._followed[request_id] = generation_id
        task = asyncio.create_task(self._relay(request_id, subscribing))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, request_id: str, subscribing: Callable[[], Awaitable[Subscription]]) -> None:
        with open_streams().reading():
            try:
                with closing(await subscribing()) as subscription:
                    last = await self._relay_frames(request_id, subscription)
            except RequestError as error:
                last = _error(request_id, error)
            except Exception:
                logger.exception("A socket's stream broke off.")
                last = _broken(request_id)
            self._followed.pop(request_id, None)  # before the client can know that the id is free
            await self._reply(**last)

    async def _relay_frames(self, request_id: str, subscription: Subscription) -> Reply:
        """Sends the log from its start, as chunks that are numbered from 0. Returns the last reply.

        That is the `end`, which says what the chunks add up to. If the log was lost and made anew, it is an error: the
        client must resume, because this transport cannot begin again.
        """
        sent = 0
        prefix = b'{"type":"chunk","requestId":%b,"sequence":' % msgspec.json.encode(request_id)
        while (frames := await subscription.next(settings.HEARTBEAT_SECONDS)) is not None:
            is_closing = not frames and open_streams().is_closing
            if is_closing or subscription.has_begun_again:
                return _broken(request_id)
            for sequence, one in enumerate(frames, sent):
                await self._write(prefix + b'%d,"chunk":%b}' % (sequence, chunk_of(one)))
            sent += len(frames)
        return {"type": "end", "requestId": request_id, **await total_of(self._followed[request_id])}

    async def _refuse(self, request_id: str, error: RequestError) -> None:
        await self._reply(**_error(request_id, error))

    async def _reply(self, **reply: Any) -> None:
        await self._write(msgspec.json.encode(reply))

    async def _write(self, reply: bytes) -> None:
        if not self._is_closed:
            with suppress(*GONE):
                await self.send(text_data=reply.decode())


def _error(request_id: str, error: RequestError) -> Reply:
    wait = {} if error.retry_after is None else {"retryAfter": error.retry_after}  # like HTTP's `Retry-After`
    return {"type": "error", "requestId": request_id, "errorText": str(error), **wait}


def _broken(request_id: str) -> Reply:
    return _error(request_id, RequestError(BROKE_OFF))


def _active_generation(owner: Owner, key: str) -> uuid.UUID | None:
    active = Generation.objects.active().owned_by(owner).filter(conversation__key=key)
    return active.values_list("pk", flat=True).first()
