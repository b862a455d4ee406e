"""The JSON that the HTTP API and the socket take and give, as msgspec structs.

Where the code has a struct of its own, the reference takes that one. The others stand here. Tests send and receive them
with the real views, so they cannot drift.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streaming.models import Branch
from streaming.protocol.ui_stream.chunks import AnyChunk


class Taken(msgspec.Struct):
    """The base of what clients send. Other keys are ignored."""


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """The base of what the app answers. It has no other keys."""


class SentFile(Taken):
    """A file of a message: the address of an uploaded file, or a small file as a `data:` URL."""

    url: str
    mediaType: str = ""
    filename: str | None = None


class SentMessage(Taken):
    """A `UIMessage` of the AI SDK. The app reads only the last one: a person's, or an answer with outputs of calls."""

    id: str | None = None
    role: Literal["user", "assistant"] = "user"
    parts: list[dict[str, Any]] | UnsetType = UNSET
    content: str | UnsetType = UNSET


class ChatRequest(Taken):
    """A message, an edit, a regeneration, or answers to tool calls. It needs `prompt`, `message` or `messages`."""

    id: Annotated[
        str | None, Meta(description="The conversation. A new id begins one; without it, the app makes one.")
    ] = None
    prompt: Annotated[str | UnsetType, Meta(description="The text of the message: the short form.")] = UNSET
    files: Annotated[list[SentFile] | None, Meta(description="The files of the short form.")] = None
    clientId: Annotated[
        str | None, Meta(description="The client's id of the message. The same id joins the answer that it began.")
    ] = None
    message: SentMessage | UnsetType = UNSET
    messages: Annotated[
        list[SentMessage] | UnsetType, Meta(description="What `useChat` sends. The last one counts.")
    ] = UNSET
    trigger: Literal["submit-message", "regenerate-message"] | None = None
    messageId: Annotated[
        str | None, Meta(description="The message that this one replaces, or the answer to write again.")
    ] = None
    provider: Annotated[str | None, Meta(description="An `id` of `GET api/providers`.")] = None


class NamedAnswer(Taken):
    id: str | None = None


class StopRequest(Taken):
    """The body may be empty. A body that names an answer stops only that answer."""

    messageId: str | None = None
    assistantMessage: NamedAnswer | None = None


class GivenShare(Given):
    """A shared link. `reasoning`, `tools` and `files` say what it has beside the text."""

    id: str
    title: str
    createdAt: str
    expiresAt: str | None
    reasoning: bool
    tools: bool
    files: bool
    opened: Annotated[int, Meta(description="How often somebody opened it.")]


class MadeShare(GivenShare):
    url: Annotated[str, Meta(description="The address of the link. It is told only here.")]


class Shares(Given):
    shares: list[GivenShare]


class BranchRequest(Taken):
    messageId: Annotated[str, Meta(description="A message of the path to show.")]


class Stopped(Given):
    status: Literal["stopping", "finished", "cancelled", "failed", "truncated", "interrupted", "not_running"]


class Usage(Given):
    """Tokens. `isEstimated` is true if the answer broke off before the provider reported them."""

    inputTokens: int | UnsetType | None = UNSET
    outputTokens: int | UnsetType | None = UNSET
    cachedInputTokens: int | UnsetType | None = UNSET
    reasoningTokens: int | UnsetType | None = UNSET
    isEstimated: bool | UnsetType | None = UNSET


class SentContext(Given):
    """The part of a long conversation that the model was not sent: `dropped` messages, all before `first`."""

    dropped: int
    first: str
    isSummarized: bool


class GivenFeedback(Given):
    thumb: Literal["up", "down"]
    comment: str


class Ended(Taken):
    """The known outcome of an answer. If the answer continued after a tool call, unknown values are null."""

    status: Literal["pending", "running", "finished", "cancelled", "failed", "truncated", "interrupted"] | UnsetType = (
        UNSET
    )
    finishReason: str | UnsetType | None = UNSET
    usage: Usage | UnsetType | None = UNSET
    firstDeltaMs: int | UnsetType | None = UNSET
    durationMs: int | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    error: Annotated[
        str | UnsetType | None, Meta(description="A sentence for people (`x-stream-errors` in openapi.json).")
    ] = UNSET
    errorCode: Annotated[str | UnsetType | None, Meta(description="The same for programs, in every language.")] = UNSET
    context: SentContext | UnsetType = UNSET


class Metadata(Ended):
    """The outcome of an answer, its place among its siblings, and its owner's opinion."""

    branch: Branch | UnsetType = UNSET
    feedback: GivenFeedback | UnsetType = UNSET


class TextOfMessage(Given):
    type: Literal["text"]
    text: str
    state: Literal["done"]


class ReasoningOfMessage(Given):
    type: Literal["reasoning"]
    text: str
    state: Literal["done"]


class SourceOfMessage(Given):
    type: Literal["source-url"]
    sourceId: str
    url: str
    title: str | UnsetType = UNSET


class FileOfMessage(Given):
    type: Literal["file"]
    mediaType: str
    url: str
    filename: str | UnsetType = UNSET


class StepOfMessage(Given):
    type: Literal["step-start"]


class Approval(Given):
    id: str
    approved: bool | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class ToolOfMessage(Given):
    """A tool call with its result. The type is `tool-` and the tool's name."""

    type: Annotated[str, Meta(pattern="^tool-")]
    toolCallId: str
    state: Literal[
        "input-available",
        "approval-requested",
        "approval-responded",
        "output-available",
        "output-error",
        "output-denied",
    ]
    input: Any = None
    rawInput: str | UnsetType = UNSET
    output: Any = None
    errorText: str | UnsetType = UNSET
    approval: Approval | UnsetType = UNSET
    providerExecuted: bool | UnsetType = UNSET


class MessagePart(msgspec.Struct):
    """A part of a message."""  # ONE_OF has its shapes, because msgspec has no union of structs without a tag


class GivenMessage(Given):
    """A `UIMessage` of the AI SDK."""

    id: str
    role: Literal["user", "assistant"]
    parts: list[MessagePart]
    metadata: Metadata | UnsetType = UNSET


class GivenConversation(Given):
    """The path that is shown. While an answer is being written, `active` is true and `messages` lacks that answer."""

    id: str
    active: bool
    messages: list[GivenMessage]


class Exported(GivenConversation, kw_only=True):
    title: str


class Entry(Given):
    """A conversation in the list."""

    id: str
    title: str
    pinned: bool
    active: bool
    createdAt: str
    updatedAt: str


class Listed(Given):
    conversations: list[Entry]
    nextPage: int | None


class DeletedAll(Given):
    deleted: int


class OfferedProvider(Given):
    id: str
    label: str


class Providers(Given):
    providers: list[OfferedProvider]


class Uploaded(Given):
    """The stored file. A message names it by its `url`."""

    id: str
    url: str
    mediaType: str
    filename: str
    size: int


class HtmlChunk(Given):
    """How the HTML of a text changed. Only readers that ask for it with `?html=1` get it."""

    type: Literal["data-html"]
    data: dict[str, Any]
    transient: bool


class AgentTool(Taken):
    """A tool that an AG-UI client executes. `parameters` is the JSON Schema of its arguments."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}


class AgentContext(Taken):
    """A fact that the model should know in addition to the question."""

    description: str
    value: str


class RunRequest(Taken):
    """The `RunAgentInput` of AG-UI. The app reads only the end of `messages`: a question, or outputs of tools."""

    threadId: Annotated[str, Meta(description="The conversation. A new id begins one.")]
    runId: Annotated[str | None, Meta(description="The client's name for the run. The events repeat it.")] = None
    messages: list[dict[str, Any]] = []
    tools: Annotated[list[AgentTool] | None, Meta(description="The tools that the client executes.")] = None
    context: Annotated[
        list[AgentContext] | None,
        Meta(description="What the model should know in addition to the question, in this run."),
    ] = None
    state: Annotated[Any, Meta(description="The app does not read it.")] = None
    resume: Annotated[list[dict[str, Any]] | None, Meta(description="Decisions about calls that wait.")] = None
    forwardedProps: Annotated[
        dict[str, Any] | None, Meta(description="`provider`, `trigger` and `messageId`, as in `POST api/chat`.")
    ] = None


class AgentEvent(msgspec.Struct):
    """An event of AG-UI. https://docs.ag-ui.com/sdk/js/core/events has the keys of each type."""

    type: str


class StreamChunk(msgspec.Struct):
    """The `data:` of one server-sent event."""


ONE_OF: dict[type[msgspec.Struct], tuple[type[msgspec.Struct], ...]] = {
    MessagePart: (TextOfMessage, ReasoningOfMessage, SourceOfMessage, FileOfMessage, StepOfMessage, ToolOfMessage),
    StreamChunk: (*AnyChunk.__args__, HtmlChunk),
}
"""The shapes of a value that can have several shapes."""


class SendCommand(ChatRequest, kw_only=True):
    """Sends a message, as `POST api/chat` does. The replies are `chunk`s, and one `end` or `error`."""

    type: Literal["send"]
    requestId: str
    body: Annotated[
        dict[str, Any] | UnsetType,
        Meta(description="More keys of the request. A key beside `body` wins over one in it."),
    ] = UNSET


class ResumeCommand(Taken):
    """Follows the answer of a conversation that is being written. Replies: `start`, `chunk`s, `end`; or `no-active`."""

    type: Literal["resume"]
    requestId: str
    id: str


class AbortCommand(Taken):
    """Stops the answer that this socket follows under this request id. Its `chunk`s and its `end` follow as usual."""

    type: Literal["abort"]
    requestId: str


class StartReply(Given):
    """The app sends the answer from its first chunk."""

    type: Literal["start"]
    requestId: str


class ChunkReply(Given):
    """One chunk of the answer. `sequence` counts from 0."""

    type: Literal["chunk"]
    requestId: str
    sequence: int
    chunk: StreamChunk


class EndReply(Ended, kw_only=True):
    """The answer has ended. `text` is the whole text of it; the other keys are its metadata."""

    type: Literal["end"]
    requestId: str
    text: str | UnsetType = UNSET


class ErrorReply(Given):
    """The command was refused, or the stream broke off. The text is for people."""

    type: Literal["error"]
    requestId: str
    errorText: str
    retryAfter: Annotated[int | UnsetType, Meta(description="Seconds until the same command may succeed.")] = UNSET


class NoActiveReply(Given):
    """No answer is being written in the conversation."""

    type: Literal["no-active"]
    requestId: str
