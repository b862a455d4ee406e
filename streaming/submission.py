"""Submissions: what somebody asks for, and how it is read from a client's JSON.

Clients are read leniently: unknown keys and parts pass, because the server's history is the truth and only the new
message is taken from them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from streaming.errors import BadRequest
from streaming.protocol.parts import FilePart

Trigger = Literal["submit-message", "regenerate-message"]
TRIGGERS: dict[Any, Trigger] = {
    None: "submit-message",
    "submit-message": "submit-message",
    "regenerate-message": "regenerate-message",
}
MAX_ID_CHARS = 128
Asked = tuple[str, tuple[FilePart, ...], str | None]
"""Text, files and id of a client's message."""

NOTHING: Asked = ("", (), None)


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the conversation's id for its owner, `client_id` the client's id of the new message.

    `message_id` names the user message that this one replaces (an edit), or the answer to generate again. With
    "regenerate-message", `prompt` and `client_id` are the client's last message, if it is the user's: one that never
    arrived is to be sent. Making one raises BadRequest for a key that no address can hold.

    `files` are the client's, each with a URL that may be anything; `streaming.files.kept` makes attachments of them.
    """

    key: str
    prompt: str = ""
    files: tuple[FilePart, ...] = ()
    client_id: str | None = None
    provider: str | None = None
    trigger: Trigger = "submit-message"
    message_id: str | None = None

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
    prompt, files, client_id = READERS[TRIGGERS[trigger]](data)
    return Submission(
        key=_identifier(data, "id") or str(uuid.uuid4()),
        prompt=prompt,
        files=files,
        client_id=client_id,
        provider=_identifier(data, "provider"),
        trigger=TRIGGERS[trigger],
        message_id=_identifier(data, "messageId"),
    )


def _new_message(data: dict[str, Any]) -> Asked:
    if "prompt" in data:
        return _text(data["prompt"]), _files(data.get("files")), _identifier(data, "clientId")
    message = data.get("message") or _last(data.get("messages"))
    if not isinstance(message, dict):
        raise BadRequest('There is no message. Send "prompt", "message" or "messages".')
    if message.get("role", "user") != "user":
        raise BadRequest("The last of 'messages' must be the user's.")
    return *_content(message), _identifier(message, "id")


def _asked_last(data: dict[str, Any]) -> Asked:
    """The user's last message as the client has it; what cannot be read as one is not there."""
    try:
        prompt, files, client_id = _new_message(data)
    except BadRequest:
        return NOTHING
    return (prompt, files, client_id) if client_id and (prompt.strip() or files) else NOTHING


READERS: dict[Trigger, Callable[[dict[str, Any]], Asked]] = {
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
