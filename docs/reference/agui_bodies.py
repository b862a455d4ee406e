"""The JSON of AG-UI, as far as this app reads and writes it. Source: https://docs.ag-ui.com/sdk/js/core/types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from docs.reference.bodies import Taken


class AgentMessage(Taken):
    """A message of AG-UI. Only the last ones are read: a person's, or those of the tools that the client executed."""

    role: str
    id: str | UnsetType = UNSET
    content: Any = None
    toolCallId: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class AgentTool(Taken):
    """A tool that the client executes. `parameters` is a JSON schema."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = {}


class RunAgentInput(Taken):
    """What `HttpAgent` sends. `state` and `context` are not used."""

    threadId: Annotated[str, Meta(description="The conversation. A new id begins one.")]
    runId: Annotated[str | None, Meta(description="The client's name for the run, which the events repeat.")] = None
    messages: list[AgentMessage] | UnsetType = UNSET
    tools: Annotated[list[AgentTool] | None, Meta(description="Tools that the client executes.")] = None
    resume: Annotated[list[dict[str, Any]] | None, Meta(description="Decisions about calls that wait.")] = None
    forwardedProps: Annotated[
        dict[str, Any] | None, Meta(description="`provider`, `trigger`, `messageId`, as in `POST api/chat`.")
    ] = None


class AgentEvent(Taken):
    """The `data:` of one event of AG-UI. [AG-UI](ag-ui.md) says what each type has."""

    type: Literal[
        "ACTIVITY_SNAPSHOT",
        "MESSAGES_SNAPSHOT",
        "REASONING_END",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_END",
        "REASONING_MESSAGE_START",
        "REASONING_START",
        "RUN_ERROR",
        "RUN_FINISHED",
        "RUN_STARTED",
        "STEP_FINISHED",
        "STEP_STARTED",
        "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END",
        "TEXT_MESSAGE_START",
        "TOOL_CALL_ARGS",
        "TOOL_CALL_END",
        "TOOL_CALL_RESULT",
        "TOOL_CALL_START",
    ]
    rawEvent: Annotated[str | UnsetType, Meta(description="The cursor of the event, as its `id`.")] = UNSET
