"""Parsing: the `RunAgentInput` of AG-UI becomes a submission.

Source: https://docs.ag-ui.com/sdk/js/core/types, version 1.0. Of `messages` only the end is read, because the server
has the history: a new message of the user's, or the outputs of tools that the client executed. `resume` has decisions.
`context` is for the model. There is no `state` that client and server share, so it is not read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec

from streaming.agui import own_id
from streaming.conf import settings
from streaming.errors import BadRequest
from streaming.intake.bounds import MAX_TOOL_NAME_CHARS, check_tools
from streaming.intake.client_context import read_context
from streaming.intake.client_json import read_any
from streaming.intake.parsing import identifier, submission_of
from streaming.intake.submission import Submission
from streaming.protocol import ToolSpec

JSONObject = dict[str, Any]
WRONG_LAST = (
    "The last of 'messages' must be the user's, or a tool's, or 'resume' must have decisions. "
    "To go on with an answer that is being written, ask with GET."
)
FORWARDED = ("provider", "trigger", "messageId")
"""The keys of `forwardedProps` that are read. They mean what they mean in the body of `POST api/chat`."""


class RunInput(NamedTuple):
    """A request to run.

    `run_id` is the client's name for the run. The client executes `tools`. `context` is a text for the model.
    """

    submission: Submission
    run_id: str | None
    tools: tuple[ToolSpec, ...]
    context: str


def read_run_input(body: bytes) -> RunInput:
    """Reads the body that a client of AG-UI sends.

    Raises:
        BadRequest: the text says what is wrong, and does not repeat the content.
        TooLarge: the schema of a tool, or the context, is longer than its bound.
    """
    data = read_any(body)
    if not isinstance(data, dict) or not (key := identifier(data, "threadId")):
        raise BadRequest('The body must be a JSON object such as {"threadId": "…", "runId": "…", "messages": […]}.')
    props = data.get("forwardedProps")
    forwarded = {name: props.get(name) for name in FORWARDED} if isinstance(props, dict) else {}
    read = _question if forwarded.get("trigger") == "regenerate-message" else _message
    submission = submission_of({**forwarded, "id": key, "message": read(data)})
    return RunInput(submission, identifier(data, "runId"), _tools(data.get("tools")), read_context(data.get("context")))


def _message(data: JSONObject) -> JSONObject:
    """The new message in the AI SDK's form: the user's, or one with the answers to tool calls.

    Raises:
        BadRequest: there is none, or it cannot be read.
    """
    outputs = list(itertools.takewhile(lambda one: _role(one) == "tool", reversed(_messages(data))))[::-1]
    decisions = data.get("resume") or []
    if outputs or decisions:
        return _answers([_output(one) for one in outputs] + [_decision(one) for one in _objects(decisions, "resume")])
    message = _question(data)
    if not message:
        raise BadRequest(WRONG_LAST)
    return message


def _question(data: JSONObject) -> JSONObject:
    """The last message, if it is the user's; else an empty dict."""
    last: Any = next(reversed(_messages(data)), None)
    return {"id": last.get("id"), "role": "user", "parts": _parts(last.get("content"))} if _role(last) == "user" else {}


def _messages(data: JSONObject) -> list[Any]:
    messages = data.get("messages")
    return messages if isinstance(messages, list) else []


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _objects(values: Any, name: str) -> list[JSONObject]:
    if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
        raise BadRequest(f"'{name}' must be a list of objects.")
    return values


def _answers(parts: list[JSONObject]) -> JSONObject:
    """The message that answers calls. The ids of the calls in AG-UI say of which answer they are."""
    answers = {part.pop("answer") for part in parts} - {None}
    if len(answers) > 1:
        raise BadRequest("All outputs and decisions must be for the calls of one answer.")
    return {"id": next(iter(answers), None), "role": "assistant", "parts": parts}


def _output(message: JSONObject) -> JSONObject:
    parts = _parts(message.get("content"))
    text = "".join(part["text"] for part in parts if part["type"] == "text" and isinstance(part["text"], str))
    call = _call(message, "toolCallId")
    if error := message.get("error"):
        return call | {"state": "output-error", "errorText": error if isinstance(error, str) else text}
    return call | {"state": "output-available", "output": text}


def _decision(entry: JSONObject) -> JSONObject:
    """Reads an entry of `resume`. Only a resolved one with a plain `approved: true` is a yes."""
    payload = entry.get("payload")
    given = payload if isinstance(payload, dict) else {}
    if "editedArgs" in given:
        raise BadRequest("The arguments of a call cannot be edited. Approve the call, or refuse it.")
    approved = entry.get("status") == "resolved" and given.get("approved") is True
    approval = {"approved": approved, "reason": given.get("reason")}
    return _call(entry, "interruptId") | {"state": "approval-responded", "approval": approval}


def _call(given: JSONObject, name: str) -> JSONObject:
    id = given.get(name)
    if not isinstance(id, str):
        raise BadRequest(f"'{name}' must be a string.")
    answer, call_id = own_id(id)
    return {"answer": answer, "toolCallId": call_id}


def _parts(content: Any) -> list[JSONObject]:
    """Returns the parts of a message's content in the AI SDK's form. Parts of unknown types are left out."""
    if not isinstance(content, list):
        return [{"type": "text", "text": content}]
    known = (part for part in content if isinstance(part, dict))
    return [PARTS[part["type"]](part) for part in known if part.get("type") in TYPES]


def _text(part: JSONObject) -> JSONObject:
    return {"type": "text", "text": part.get("text")}


def _file(part: JSONObject) -> JSONObject:
    source = part.get("source")
    given = source if isinstance(source, dict) else {}
    kind, value, mime = given.get("type"), given.get("value"), given.get("mimeType")
    if kind not in ("data", "url"):
        raise BadRequest("The source of a file must have the type 'data' or 'url'.")
    url = f"data:{mime};base64,{value}" if kind == "data" else value
    return {"type": "file", "url": url, "mediaType": mime or ""}


TYPES = ("text", "image", "audio", "video", "document")
PARTS: dict[str, Callable[[JSONObject], JSONObject]] = {**dict.fromkeys(TYPES, _file), "text": _text}


class _ClientTool(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(pattern=rf"\A[A-Za-z0-9_-]{{1,{MAX_TOOL_NAME_CHARS}}}\Z")]
    description: str = ""
    parameters: JSONObject | None = None


def _tools(given: Any) -> tuple[ToolSpec, ...]:
    """Reads the tools that the client executes. None are read if the site takes none.

    Raises:
        BadRequest: one cannot be read, two have the same name, or there are too many.
        TooLarge: one is longer than its bound.
    """
    most = settings.MAX_CLIENT_TOOLS
    if not given or not most:
        return ()
    try:
        tools = msgspec.convert(given, Annotated[list[_ClientTool], msgspec.Meta(max_length=most)])
    except msgspec.ValidationError as error:
        raise BadRequest(f"'tools' must be a list of at most {most} tools, each with a name.") from error
    if len({tool.name for tool in tools}) < len(tools):
        raise BadRequest("Two of 'tools' have the same name.")
    specs = tuple(ToolSpec(name=one.name, description=one.description, parameters=_schema(one)) for one in tools)
    check_tools(specs)
    return specs


def _schema(tool: _ClientTool) -> JSONObject:
    return {"type": "object", "properties": {}} | (tool.parameters or {})
