"""One call for a developer's own code: it asks, streams the text, and returns what was stored.

    result = await chat("Why is the sky blue?", user=request.user, on_text=print)

    answer = await start_chat("Why is the sky blue?", user=request.user)
    async for text in answer:
        print(text, end="")
    result = await answer.result()

The question and the answer are stored as usual, so the page, the admin and other readers see them. If you leave the
loop early, the answer continues; `answer.stop()` stops it. If tool calls wait for an approval or an output, `go_on`
gives it.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from streaming.archive import delete_conversations as delete_stored
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import PUBLIC_MESSAGES, GenerationError, NotFound
from streaming.intake import Submission
from streaming.models import Generation, Owner, Status
from streaming.protocol import FilePart, Part, ReasoningPart, ToolApproval, ToolCall, ToolResult, Usage
from streaming.protocol.ui_stream import chunk_of
from streaming.subscription import follow, subscribe
from streaming.supervisor import StopAnswer, current, stop
from streaming.tools import AnyTool, Toolbox

# The owner of conversations for which the code names no user. No request can have this owner.
NOBODY = Owner("code:")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A settled answer, as it is stored.

    `status` is a value of `Status`; it is "finished" if the answer is complete. `error` is the text that people see, or
    empty. Unknown counts in `usage` are None. They are estimates if `is_usage_estimated`, because the answer broke off.
    """

    status: str
    text: str
    parts: tuple[Part, ...]
    finish_reason: str
    error: str
    usage: Usage
    is_usage_estimated: bool = False
    conversation_key: str
    generation_id: uuid.UUID
    message_id: uuid.UUID
    first_delta_ms: int | None
    duration_ms: int | None

    @property
    def tool_calls(self) -> list[ToolCall]:
        """All tool calls of the answer."""
        return [part for part in self.parts if isinstance(part, ToolCall)]

    @property
    def asked(self) -> list[ToolCall]:
        """The calls that wait for a person's decision. The answer cannot continue without it."""
        asked = {part.call_id for part in self.parts if isinstance(part, ToolApproval) and part.is_approved is None}
        answered = {part.call_id for part in self.parts if isinstance(part, ToolResult)}
        return [call for call in self.tool_calls if call.id in asked - answered]

    @property
    def reasoning(self) -> str:
        """The text of the model's reasoning, as far as the provider shows it."""
        return "".join(part.text for part in self.parts if isinstance(part, ReasoningPart))


class Answer:
    """An answer that is being written. Iterating it gives its text, piece by piece.

    Any number of readers may iterate it, each from the start. After `go_on`, only the new part is given.
    """

    def __init__(self, generation: Generation) -> None:
        self.generation_id = generation.pk
        self._generation = generation

    async def __aiter__(self) -> AsyncGenerator[str]:
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                if chunk["type"] == "text-delta":
                    yield chunk["delta"]

    async def chunks(self) -> AsyncGenerator[dict[str, Any]]:
        """Yields the chunks of the UI message stream, as dicts with a `type`."""
        subscription = await follow(self._generation)
        try:
            while (frames := await subscription.next(settings.HEARTBEAT_SECONDS)) is not None:
                for one in frames:
                    yield msgspec.json.decode(chunk_of(one))
        finally:
            subscription.close()

    async def stop(self) -> StopAnswer:
        """Stops the answer. What arrived is stored."""
        return await stop(self.generation_id)

    async def result(self) -> Result:
        """Waits for the end and returns what was stored, whatever the status."""
        subscription = await subscribe(self.generation_id)
        try:
            while await subscription.next(settings.HEARTBEAT_SECONDS) is not None:
                pass
        finally:
            subscription.close()
        return await in_database(_load_result, self.generation_id)


async def start_chat(
    prompt: str,
    *,
    user: Any = None,
    owner: Owner | None = None,
    conversation_key: str | None = None,
    provider: str | None = None,
    files: Sequence[FilePart] = (),
    tools: Sequence[AnyTool] | None = None,
    tool_choice: str | None = None,
) -> Answer:
    """Asks, and returns as soon as the answer has begun.

    `user` is a user or None; `conversation_key` continues one of that user's conversations. `tools` are offered to the
    model for this answer, in place of those in the settings. Calls of a `Tool` are executed; calls of a `ToolSpec` are
    only returned in `Result.tool_calls`. `files` have their bytes as data URLs.

    Raises:
        RequestError: the question was refused, and nothing was stored.
    """
    asker = owner or (NOBODY if user is None else Owner.of_user(user.pk))
    key = conversation_key or uuid.uuid4().hex
    submission = Submission(key=key, prompt=prompt, files=tuple(files), provider=provider)
    toolbox = None if tools is None else Toolbox.of(tools)
    generation = await current().submit(asker, submission, toolbox=toolbox, tool_choice=tool_choice)
    return Answer(generation)


async def go_on(
    result: Result,
    answers: Sequence[ToolResult | ToolApproval],
    *,
    user: Any = None,
    owner: Owner | None = None,
    tools: Sequence[AnyTool] | None = None,
) -> Answer:
    """Continues an answer whose calls wait, with decisions about `result.asked` and outputs of calls of a `ToolSpec`.

        answer = await go_on(result, [ToolApproval(call_id=call.id, is_approved=True) for call in result.asked])

    Raises:
        RequestError: a call does not wait for this answer, or other calls wait, too.
    """
    asker = owner or (NOBODY if user is None else Owner.of_user(user.pk))
    submission = Submission(key=result.conversation_key, answers=tuple(answers))
    toolbox = None if tools is None else Toolbox.of(tools)
    return Answer(await current().submit(asker, submission, toolbox=toolbox))


async def chat(
    prompt: str, *, on_text: Callable[[str], Awaitable[object] | None] | None = None, **options: Any
) -> Result:
    """Asks and waits for the whole answer. Calls `on_text` with each piece of text as it arrives.

    `on_text` may be an async function; the next piece waits for it. If it raises an exception, `chat` raises that, and
    the answer continues. `options` are the keyword arguments of `start_chat`.

    Raises:
        RequestError: the question was refused, and nothing was stored.
        GenerationError: the answer did not finish. The error's `result` has what was stored.
    """
    answer = await start_chat(prompt, **options)
    if on_text is not None:
        await _tell(answer, on_text)
    result = await answer.result()
    if result.status != Status.FINISHED:
        raise GenerationError(result.error or f"The answer was {result.status}.", result)
    return result


async def _tell(answer: Answer, on_text: Callable[[str], Awaitable[object] | None]) -> None:
    async with aclosing(answer.__aiter__()) as texts:
        async for text in texts:
            given = on_text(text)
            if inspect.isawaitable(given):
                await given


async def delete_conversations(key: str | None = None, *, user: Any = None, owner: Owner | None = None) -> int:
    """Deletes the owner's conversation `key` or, without a key, all that the owner has stored; files included.

    Answers that are being written there are stopped first. Returns the number of deleted conversations.
    """
    asker = owner or (NOBODY if user is None else Owner.of_user(user.pk))
    for generation_id in await in_database(_active_ids, asker, key):
        await stop(generation_id)
    return await in_database(delete_stored, asker, key)


def _active_ids(owner: Owner, key: str | None) -> list[uuid.UUID]:
    active = Generation.objects.active().owned_by(owner)
    chosen = active if key is None else active.filter(conversation__key=key)
    return list(chosen.values_list("pk", flat=True))


def _load_result(generation_id: uuid.UUID) -> Result:
    generation = Generation.objects.select_related("message", "conversation").filter(pk=generation_id).first()
    if generation is None:
        raise NotFound(_(PUBLIC_MESSAGES["deleted"]))
    return Result(
        status=generation.status,
        text=generation.message.text,
        parts=generation.message.typed_parts,
        finish_reason=generation.finish_reason,
        error=generation.error_text,
        usage=Usage(
            input_tokens=generation.input_tokens,
            output_tokens=generation.output_tokens,
            cached_input_tokens=generation.cached_input_tokens,
            reasoning_tokens=generation.reasoning_tokens,
        ),
        is_usage_estimated=generation.is_usage_estimated,
        conversation_key=generation.conversation.key,
        generation_id=generation.pk,
        message_id=generation.message_id,
        first_delta_ms=generation.first_delta_ms,
        duration_ms=generation.duration_ms,
    )
