"""The calls with which code asks a model."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from streaming.chat.answer import Answer
from streaming.chat.asker import asker_of
from streaming.chat.result import Result
from streaming.database import in_database
from streaming.intake import Submission
from streaming.models import Conversation, Owner
from streaming.outputs import OutputType, spec_for
from streaming.protocol import FilePart, OutputSpec, ToolApproval, ToolResult
from streaming.providers import known_alias
from streaming.supervisor import current
from streaming.tools import AnyTool, Toolbox


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
    output: Any = None,
) -> Answer:
    """Asks, and returns as soon as the answer has begun.

    `user` is a user who has signed in, or None; `conversation_key` continues one of that user's conversations. `tools`
    are offered to the model for this answer, in place of those in the settings. Calls of a `Tool` are executed; calls
    of a `ToolSpec` are only returned in `Result.tool_calls`. `files` have their bytes as data URLs.
    With an `output`, a type, the model is asked for an object of it, and `Result.output` has the object.

    Raises:
        TypeError: `output` has no JSON schema, or the provider's own mode cannot express it, or two tools have the same
            name.
        RequestError: the question was refused, and nothing was stored; for an anonymous user it is `LoginRequired`.
    """
    asker = await asker_of(user, owner)
    key = conversation_key or uuid.uuid4().hex
    submission = Submission(key=key, prompt=prompt, files=tuple(files), provider=provider)
    toolbox = None if tools is None else Toolbox.of(tools)
    wanted, spec = await _wanted(output, asker, submission)
    generation = await current().submit(asker, submission, toolbox=toolbox, tool_choice=tool_choice, output=spec)
    return Answer(generation, wanted)


async def _wanted(
    output: Any, asker: Owner, submission: Submission
) -> tuple[OutputType, OutputSpec] | tuple[None, None]:
    """Returns the wanted type, and what the provider is asked for.

    Raises:
        TypeError: the type has no JSON schema, or the provider's own mode cannot express it.
    """
    if output is None:
        return None, None
    wanted = OutputType.of(output)
    alias = submission.provider
    if alias is None:
        alias = await in_database(_alias_of, asker, submission.key)
    return wanted, spec_for(wanted, alias)


def _alias_of(owner: Owner, key: str) -> str:
    """The provider of the owner's conversation; `default` for a new one."""
    known = Conversation.objects.find(owner, key)
    return known_alias(known.provider) if known else "default"


async def go_on(
    result: Result,
    answers: Sequence[ToolResult | ToolApproval],
    *,
    user: Any = None,
    owner: Owner | None = None,
    tools: Sequence[AnyTool] | None = None,
    output: Any = None,
) -> Answer:
    """Continues an answer whose calls wait, with decisions about `result.asked` and outputs of calls of a `ToolSpec`.

        answer = await go_on(result, [ToolApproval(call_id=call.id, is_approved=True) for call in result.asked])

    Raises:
        RequestError: a call does not wait for this answer, or other calls wait, too.
    """
    asker = await asker_of(user, owner)
    submission = Submission(key=result.conversation_key, answers=tuple(answers))
    toolbox = None if tools is None else Toolbox.of(tools)
    wanted, spec = await _wanted(output, asker, submission)
    return Answer(await current().submit(asker, submission, toolbox=toolbox, output=spec), wanted)


async def chat(
    prompt: str, *, on_text: Callable[[str], Awaitable[object] | None] | None = None, **options: Any
) -> Result:
    """Asks and waits for the whole answer. Calls `on_text` with each piece of text as it arrives.

    `on_text` may be an async function; the next piece waits for it. If it raises an exception, `chat` raises that, and
    the answer continues. `options` are the keyword arguments of `start_chat`.

    Raises:
        RequestError: the question was refused, and nothing was stored.
        OutputInvalid: with `output`, the answer is not the object that was asked for.
        GenerationError: the answer did not finish. The error's `result` has what was stored.
    """
    answer = await start_chat(prompt, **options)
    if on_text is not None:
        await _tell(answer, on_text)
    return (await answer.result()).checked()


async def _tell(answer: Answer, on_text: Callable[[str], Awaitable[object] | None]) -> None:
    async with aclosing(answer.__aiter__()) as texts:
        async for text in texts:
            given = on_text(text)
            if inspect.isawaitable(given):
                await given
