"""A settled answer, as code reads it."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from django.utils.translation import gettext as _

from streaming.errors import PUBLIC_MESSAGES, GenerationError, NotFound, OutputInvalid
from streaming.models import COUNTS, Generation, Status
from streaming.outputs import OutputType, Verdict, judge
from streaming.protocol import Part, ReasoningPart, ToolApproval, ToolCall, ToolResult, Usage


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A settled answer, as it is stored.

    `status` is a value of `Status`; it is "finished" if the answer is complete. `error` is the text that people see, or
    empty. Unknown counts in `usage` are None. They are estimates if `is_usage_estimated`, because the answer broke off.
    `verdict` judges an answer that was asked to be an object.
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
    verdict: Verdict | None = None

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

    @property
    def output(self) -> Any:
        """The object that the answer was asked to be; None if there is none. `verdict` says why."""
        return self.verdict.value if self.verdict else None

    def checked(self) -> Result:
        """Returns this result.

        Raises:
            OutputInvalid: the answer is not the object that was asked for.
            GenerationError: the answer did not finish.
        """
        if self.status != Status.FINISHED:
            raise GenerationError(self.error or f"The answer was {self.status}.", self)
        if self.verdict and self.verdict.fault:
            raise OutputInvalid(self.verdict.fault, self.verdict.path, self.verdict.reason, self)
        return self


def load_result(generation_id: uuid.UUID, wanted: OutputType | None) -> Result:
    """Reads a settled answer, and judges it if it was asked to be an object."""
    generation = Generation.objects.select_related("message", "conversation").filter(pk=generation_id).first()
    if generation is None:
        raise NotFound(_(PUBLIC_MESSAGES["deleted"]))
    parts = generation.message.typed_parts
    return Result(
        status=generation.status,
        text=generation.message.text,
        parts=parts,
        finish_reason=generation.finish_reason,
        error=generation.error_text,
        usage=Usage(**{name: getattr(generation, name) for name in COUNTS}),
        is_usage_estimated=generation.is_usage_estimated,
        conversation_key=generation.conversation.key,
        generation_id=generation.pk,
        message_id=generation.message_id,
        first_delta_ms=generation.first_delta_ms,
        duration_ms=generation.duration_ms,
        verdict=judge(wanted, parts, generation.finish_reason) if wanted else None,
    )
