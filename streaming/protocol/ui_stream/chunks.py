"""The chunks of the UI message stream: one class for each `type`.

Source: `uiMessageChunkSchema` of the npm package `ai`, versions 5 to 7. Only types and fields that all three versions
read, except for those of approvals, which are sent only if a site asks people for approval.

`provider_metadata` has what a restore needs and clients do not show, under the key `streaming`: fields of the part.
Clients of all versions accept it on every chunk.
"""

from __future__ import annotations

from typing import Any

import msgspec


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


class Chunk(msgspec.Struct, gc=False, tag_field="type", rename=_camel, omit_defaults=True):
    """The base of all chunks."""


class Start(Chunk, tag="start"):
    message_id: str


class StartStep(Chunk, tag="start-step"):
    pass


class FinishStep(Chunk, tag="finish-step"):
    pass


class TextStart(Chunk, tag="text-start"):
    id: str
    provider_metadata: dict[str, Any] | None = None


class TextDelta(Chunk, tag="text-delta"):
    id: str
    delta: str


class TextEnd(Chunk, tag="text-end"):
    id: str
    provider_metadata: dict[str, Any] | None = None


class ReasoningStart(Chunk, tag="reasoning-start"):
    id: str


class ReasoningDelta(Chunk, tag="reasoning-delta"):
    id: str
    delta: str


class ReasoningEnd(Chunk, tag="reasoning-end"):
    id: str
    provider_metadata: dict[str, Any] | None = None


class ToolInputStart(Chunk, tag="tool-input-start"):
    tool_call_id: str
    tool_name: str
    provider_executed: bool = False
    provider_metadata: dict[str, Any] | None = None


class ToolInputDelta(Chunk, tag="tool-input-delta"):
    tool_call_id: str
    input_text_delta: str


class ToolInputAvailable(Chunk, tag="tool-input-available"):
    tool_call_id: str
    tool_name: str
    input: Any
    provider_executed: bool = False
    provider_metadata: dict[str, Any] | None = None


class ToolInputError(Chunk, tag="tool-input-error"):
    tool_call_id: str
    tool_name: str
    input: Any
    error_text: str
    provider_executed: bool = False
    provider_metadata: dict[str, Any] | None = None


class ToolOutputAvailable(Chunk, tag="tool-output-available"):
    tool_call_id: str
    output: Any
    provider_executed: bool = False
    provider_metadata: dict[str, Any] | None = None


class ToolOutputError(Chunk, tag="tool-output-error"):
    tool_call_id: str
    error_text: str
    provider_executed: bool = False
    provider_metadata: dict[str, Any] | None = None


class ToolApprovalRequest(Chunk, tag="tool-approval-request"):
    """Version 5 of `ai` does not know this chunk."""

    approval_id: str
    tool_call_id: str


class ToolOutputDenied(Chunk, tag="tool-output-denied"):
    """Version 5 of `ai` does not know this chunk."""

    tool_call_id: str


class ToolField(Chunk, tag="data-tool-field"):
    """One text argument of a call grew. `data` has `toolCallId`, `field` and `delta`. Clients do not keep it."""

    data: dict[str, str]
    transient: bool


class KeptPart(Chunk, tag="data-kept-part"):
    """A part, or a citation of one, that has nothing to show. Clients do not keep it; it is there for a restore.

    `data` has `id`, and either `part` (as `dump_parts` writes it) or `citation`.
    """

    data: dict[str, Any]
    transient: bool


class SourceUrl(Chunk, tag="source-url"):
    source_id: str
    url: str
    title: str | None = None


class File(Chunk, tag="file"):
    url: str
    media_type: str
    provider_metadata: dict[str, Any] | None = None


class MessageMetadata(Chunk, tag="message-metadata"):
    message_metadata: dict[str, Any]


class Error(Chunk, tag="error"):
    error_text: str


class Abort(Chunk, tag="abort"):
    reason: str | None = None


class Finish(Chunk, tag="finish"):
    finish_reason: str | None = None
    message_metadata: dict[str, Any] | None = None


AnyChunk = (
    Start
    | StartStep
    | FinishStep
    | TextStart
    | TextDelta
    | TextEnd
    | ReasoningStart
    | ReasoningDelta
    | ReasoningEnd
    | ToolInputStart
    | ToolInputDelta
    | ToolInputAvailable
    | ToolInputError
    | ToolOutputAvailable
    | ToolOutputError
    | ToolApprovalRequest
    | ToolOutputDenied
    | ToolField
    | KeptPart
    | SourceUrl
    | File
    | MessageMetadata
    | Error
    | Abort
    | Finish
)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AnyChunk).decode
