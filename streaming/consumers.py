"""The WebSocket edge: the frames of the AI SDK's `WebSocketChatTransport`, over the same log as SSE.

    client → server   send · resume · abort
    server → client   start · chunk (sequence from 0) · end · error · no-active

Each followed answer is a task, so that the socket is read while it streams. No channel layer is used: layers drop
messages silently at capacity, and readers here are cursors that need no messages at all.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing, suppress
from typing import Any, NoReturn

import msgspec
from channels.exceptions import DenyConnection, StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from streaming.access import SessionCheck, TokenBucket, open_streams, owner_in_scope, refuse_cross_site_socket
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import PUBLIC_MESSAGES, BadRequest, Forbidden, LoginRequired, RequestError, TooManyRequests
from streaming.intake import submission_of
from streaming.models import Generation, Owner
from streaming.protocol.ui_stream import chunk_of
from streaming.subscription import Subscription, follow, subscribe
from streaming.supervisor import current, stop

logger = logging.getLogger(__name__)

# Close codes of the 4000s are the application's own; these follow HTTP's numbers.
CLOSE_UNAUTHENTICATED = 4401
CLOSE_TOO_MANY = 4429
CLOSE_CODES: dict[type[RequestError], int] = {
    LoginRequired: CLOSE_UNAUTHENTICATED,
    TooManyRequests: CLOSE_TOO_MANY,
}
# A frame carries the client's whole history, which is not used; twice the longest prompt in UTF-8, and then some.
MAX_FRAME_BYTES = 1_000_000
MAX_REQUEST_ID_CHARS = 128
# Frames a socket may send: a client sends one for each question. Daphne keeps what waits without bound.
BURST_FRAMES, FRAMES_PER_SECOND = 100, 20.0
# Answers one socket may follow at once: more tabs than a person has on one page.
MAX_FOLLOWED = 8
BROKE_OFF = "The connection broke off. Resume to go on."


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """One socket of one owner; any number of conversations, one request id per answer."""

    channel_layer_alias = "streaming uses no channel layer"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with ExitStack() as self._leaving:  # `disconnect` is not called on every way out
            await super().__call__(scope, receive, send)

    async def connect(self) -> None:
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, uuid.UUID] = {}
        self._bucket = TokenBucket(BURST_FRAMES, FRAMES_PER_SECOND)
        try:
            refuse_cross_site_socket(self.scope)
            self._owner: Owner = await in_database(owner_in_scope, self.scope)
            self._leaving.enter_context(open_streams().held(self._owner.key))
        except Forbidden as error:
            raise DenyConnection from error
        except (LoginRequired, TooManyRequests) as error:
            # Accepted first: a refused handshake is a bare 403, and browsers do not tell pages the code of one.
            await self.accept()
            await self._turn_away(CLOSE_CODES[type(error)])
        current().ensure_sweeping()
        self._session = await in_database(SessionCheck, self._owner, self.scope.get("session"))
        self._leaving.callback(self._unfollow)
        await self.accept()
        self._leaving.callback(asyncio.create_task(self._watch()).cancel)

    async def _watch(self) -> None:
        """Close when the session does not vouch for the owner any more, whether the socket is used or not."""
        still_holds = True
        while still_holds:
            await asyncio.sleep(settings.RECHECK_SECONDS)
            still_holds = await self._session.holds_as_far_as_known()
        self._unfollow()  # nothing may be sent once it is closed
        with suppress(OSError):
            await self.close(CLOSE_UNAUTHENTICATED)

    def _unfollow(self) -> None:
        """The reader has gone; what it followed goes on."""
        for task in self._followed.values():
            task.cancel()

    async def _turn_away(self, code: int) -> NoReturn:
        """Close, and look at nothing that has come besides."""
        await self.close(code)
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._bucket.take():
            await self._turn_away(CLOSE_TOO_MANY)
        try:
            frame = _decode(text_data)
            request_id = _request_id(frame)
            if not await self._session.holds_now():
                await self._turn_away(CLOSE_UNAUTHENTICATED)
            await self._handler(frame)(frame, request_id)
        except StopConsumer:
            raise
        except RequestError as error:
            await self._tell_error(_addressee(text_data), str(error))
        except Exception:
            # Raised any further it would close the socket, with all that it follows.
            logger.exception("A frame could not be handled.")
            await self._tell_error(_addressee(text_data), PUBLIC_MESSAGES["internal"])

    def _handler(self, frame: dict[str, Any]) -> Callable[[dict[str, Any], str], Awaitable[None]]:
        handlers = {"send": self._send, "resume": self._resume, "abort": self._abort}
        kind = frame.get("type")
        if not isinstance(kind, str) or kind not in handlers:
            raise BadRequest("A frame's 'type' must be one of: abort, resume, send.")
        return handlers[kind]

    async def _send(self, frame: dict[str, Any], request_id: str) -> None:
        extra = frame.get("body")
        submission = submission_of((extra if isinstance(extra, dict) else {}) | frame)
        self._check_room(request_id)
        generation = await current().submit(self._owner, submission)
        self._follow(request_id, generation.pk, functools.partial(follow, generation))

    async def _resume(self, frame: dict[str, Any], request_id: str) -> None:
        key = frame.get("id")
        generation_id = await in_database(_active_generation, self._owner, key if isinstance(key, str) else "")
        if generation_id is None:
            await self._tell(type="no-active", requestId=request_id)
            return
        self._check_room(request_id)
        await self._tell(type="start", requestId=request_id)
        self._follow(request_id, generation_id, functools.partial(subscribe, generation_id))

    async def _abort(self, frame: dict[str, Any], request_id: str) -> None:
        generation_id = self._running.get(request_id)
        if generation_id is not None:
            await stop(generation_id)

    def _check_room(self, request_id: str) -> None:
        if request_id in self._followed:
            raise BadRequest("This requestId is in use. Give each request one of its own.")
        if len(self._followed) >= MAX_FOLLOWED:
            raise BadRequest(f"One socket can follow at most {MAX_FOLLOWED} answers at once.")

    def _follow(
        self, request_id: str, generation_id: uuid.UUID, subscribing: Callable[[], Awaitable[Subscription]]
    ) -> None:
        self._running[request_id] = generation_id
        task = asyncio.create_task(self._relay(request_id, subscribing))
        self._followed[request_id] = task
        task.add_done_callback(functools.partial(self._forget, request_id))

    def _forget(self, request_id: str, task: asyncio.Task[None]) -> None:
        self._followed.pop(request_id, None)
        self._running.pop(request_id, None)

    async def _relay(self, request_id: str, subscribing: Callable[[], Awaitable[Subscription]]) -> None:
        try:
            with open_streams().reading(), closing(await subscribing()) as subscription:
                await self._relay_frames(request_id, subscription)
        except Exception:
            logger.exception("A socket's stream broke off.")
            await self._tell_error(request_id, BROKE_OFF)

    async def _relay_frames(self, request_id: str, subscription: Subscription) -> None:
        """Send the log from its start, numbered from 0.

        One made anew from the row is another one, and this transport has no way to begin again: the client has to.
        """
        sent = 0
        prefix = b'{"type":"chunk","requestId":%b,"sequence":' % msgspec.json.encode(request_id)
        while (frames := await subscription.next(settings.HEARTBEAT_SECONDS)) is not None:
            if not frames and open_streams().is_closing:
                await self._tell_error(request_id, BROKE_OFF)
                return
            if subscription.has_begun_again:
                await self._tell_error(request_id, BROKE_OFF)
                return
            for sequence, one in enumerate(frames, sent):
                chunk = prefix + b'%d,"chunk":%b}' % (sequence, chunk_of(one))
                await self._write(chunk)
            sent += len(frames)
        await self._tell(type="end", requestId=request_id)

    async def _tell_error(self, request_id: str, text: str) -> None:
        await self._tell(type="error", requestId=request_id, errorText=text)

    async def _tell(self, **frame: str) -> None:
        await self._write(msgspec.json.encode(frame))

    async def _write(self, frame: bytes) -> None:
        """Some servers raise when the client has gone; `disconnect` is about to be called then."""
        with suppress(OSError):
            await self.send(text_data=frame.decode())


def _decode(text: str | None) -> dict[str, Any]:
    if text is None:
        raise BadRequest("Frames must be text.")
    if len(text) > MAX_FRAME_BYTES:
        raise BadRequest(
            f"A frame may have at most {MAX_FRAME_BYTES} characters. "
            "Send only the last message, and send files to api/files first."
        )
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("A frame must be valid JSON.") from error
    if not isinstance(frame, dict):
        raise BadRequest("A frame must be a JSON object.")
    return frame


def _request_id(frame: dict[str, Any]) -> str:
    request_id = frame.get("requestId")
    if not isinstance(request_id, str) or not 1 <= len(request_id) <= MAX_REQUEST_ID_CHARS:
        raise BadRequest(f"A frame's 'requestId' must be a string of 1 to {MAX_REQUEST_ID_CHARS} characters.")
    return request_id


class _Address(msgspec.Struct):
    requestId: str = ""


def _addressee(text: str | None) -> str:
    """Whom a refusal is for: a client waits for ever for one that names no request. Empty if nobody can be read."""
    try:
        request_id = msgspec.json.decode(text or "", type=_Address).requestId
    except (msgspec.DecodeError, RecursionError):
        return ""
    return request_id if len(request_id) <= MAX_REQUEST_ID_CHARS else ""


def _active_generation(owner: Owner, key: str) -> uuid.UUID | None:
    active = Generation.objects.active().owned_by(owner).filter(conversation__key=key)
    return active.values_list("pk", flat=True).first()
