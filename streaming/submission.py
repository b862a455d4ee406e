"""Submissions: what somebody asks for, and how it is read from a client's JSON.

Clients are read leniently: unknown keys and parts pass, because the server's history is the truth and only the new
message is taken from them, or what they say of calls that wait for them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from streaming.errors import BadRequest
from streaming.protocol.parts import FilePart, ToolApproval, ToolResult
from streaming.protocol.ui_stream import inbound_parts

Trigger = Literal["submit-message", "regenerate-message"]
TRIGGERS: dict[Any, Trigger] = {
    None: "submit-message",
    "submit-message": "submit-message",
    "regenerate-message": "regenerate-message",
}
MAX_ID_CHARS = 128
Answer = ToolResult | ToolApproval
Fields = dict[str, Any]


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the conversation's id for its owner, `client_id` the client's id of the new message.

    `message_id` names the user message that this one replaces (an edit), or the answer to generate again. With
    "regenerate-message", `prompt` and `client_id` are the client's last message, if it is the user's: one that never
    arrived is to be sent. With `answers`, outputs and approvals for calls, it is no new message: the answer
    `message_id` goes on with them. Making one raises BadRequest for a key that no address can hold.

    `files` are the client's, each with a URL that may be anything; `streaming.files.kept` makes attachments of them.
    """

    key: str
    prompt: str = ""
    files: tuple[FilePart, ...] = ()
    client_id: str | None = None
    provider: str | None = None
    trigger: Trigger = "submit-message"
    message_id: str | None = None
    answers: tuple[Answer, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.prompt.strip() or self.files)

    @property
    def subject(self) -> str:
        """What a new conversation is called after."""
        return self.prompt if self.prompt.strip() or not self.files else self.files[0].filename or ""

    def __post_init__(self) -> None:
        # The key is one piece of the conversation's address.
        if "/" in self.key or self.key in (".", ".."):
            raise BadRequest("'id' must not hold a slash, or be '.' or '..'.")


class Named(msgspec.Struct):
    """A message, of which only the id is looked at."""

    id: str | None = None


class Stop(msgspec.Struct):
    """What clients send with a Stop; whatever else is in it is not looked at."""

    messageId: str | None = None
    assistantMessage: Named | None = None


def read_stop(body: bytes) -> str | None:
    """The id of the answer that a Stop is for, if it names one.

    Raises:
        BadRequest: as `read_submission`.
    """
    try:
        said = msgspec.json.decode(body, type=Stop)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON, or names no message as it should.") from error
    return said.messageId or (said.assistantMessage.id if said.assistantMessage else None)


def read_submission(body: bytes) -> Submission:
    """Read `useChat`'s body, or simply `{"prompt": "…", "id": "…"}`.

    Raises:
        BadRequest: saying what is wrong, without repeating the content.
    """
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error
    return submission_of(data)


def submission_of(data: Any) -> Submission:
    """The same, from decoded JSON.

    Raises:
        BadRequest: as `read_submission`.
    """
    if not isinstance(data, dict):
        raise BadRequest('The body must be a JSON object such as {"prompt": "…"}.')
    trigger = data.get("trigger")
    if not isinstance(trigger, str | None) or trigger not in TRIGGERS:
        raise BadRequest(f"'trigger' must be one of: {', '.join(key for key in TRIGGERS if key)}.")
    fields: Fields = {"message_id": _identifier(data, "messageId")} | READERS[TRIGGERS[trigger]](data)
    return Submission(
        key=_identifier(data, "id") or str(uuid.uuid4()),
        provider=_identifier(data, "provider"),
        trigger=TRIGGERS[trigger],
        **fields,
    )


def _new_message(data: dict[str, Any]) -> Fields:
    if "prompt" in data:
        files = _files(data.get("files"))
        return {"prompt": _text(data["prompt"]), "files": files, "client_id": _identifier(data, "clientId")}
    message = data.get("message") or _last(data.get("messages"))
    if not isinstance(message, dict):
        raise BadRequest('There is no message. Send "prompt", "message" or "messages".')
    reader = _BY_ROLE.get(message.get("role", "user"))
    if reader is None:
        raise BadRequest("The last of 'messages' must be the user's, or an answer whose calls have their outputs.")
    return reader(message)


def _prompt(message: dict[str, Any]) -> Fields:
    prompt, files = _content(message)
    return {"prompt": prompt, "files": files, "client_id": _identifier(message, "id")}


def _answers(message: dict[str, Any]) -> Fields:
    """The client goes on with an answer: with its outputs and approvals."""
    answers = inbound_parts(message.get("parts"))
    if not answers:
        raise BadRequest("The last of 'messages' must be the user's, or an answer whose calls have their outputs.")
    return {"message_id": _identifier(message, "id"), "answers": answers}


_BY_ROLE: dict[Any, Callable[[dict[str, Any]], Fields]] = {"user": _prompt, "assistant": _answers}


def _asked_last(data: dict[str, Any]) -> Fields:
    """The user's last message as the client has it; what cannot be read as one is not there."""
    try:
        fields = _new_message(data)
    except BadRequest:
        return {}
    return fields if fields.get("client_id") and (fields["prompt"].strip() or fields["files"]) else {}


READERS: dict[Trigger, Callable[[dict[str, Any]], Fields]] = {
    "submit-message": _new_message,
    "regenerate-message": _asked_last,
}


def _last(messages: Any) -> Any:
    return messages[-1] if isinstance(messages, list) and messages else None


def _content(message: dict[str, Any]) -> tuple[str, tuple[FilePart, ...]]:
    parts = message.get("parts", message.get("content"))
    if not isinstance(parts, list):
        return _text(parts), ()
    texts = (part for part in parts if isinstance(part, dict) and part.get("type") == "text")
    files = [part for part in parts if isinstance(part, dict) and part.get("type") == "file"]
    return "".join(_text(part.get("text")) for part in texts), _files(files)


def _files(parts: Any) -> tuple[FilePart, ...]:
    """File parts as the AI SDK has them: `mediaType`, `url`, `filename`."""
    if not isinstance(parts, list | None):
        raise BadRequest("'files' must be a list.")
    try:
        files = msgspec.convert(parts or [], list[_ClientFile])
    except msgspec.ValidationError as error:
        raise BadRequest("A file needs a 'url', and may have a 'mediaType' and a 'filename', all strings.") from error
    return tuple(FilePart(media_type=file.mediaType, url=file.url, filename=file.filename) for file in files)


class _ClientFile(msgspec.Struct):
    url: str
    mediaType: str = ""
    filename: str | None = None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadRequest("The message's text must be a string.")
    # PostgreSQL's text cannot hold it, and nobody types it.
    return value.replace("\x00", "")


def _identifier(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > MAX_ID_CHARS or "\x00" in value:
        raise BadRequest(f"'{name}' must be a string of at most {MAX_ID_CHARS} characters.")
    return value
