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

Trigger = Literal["submit-message", "regenerate-message"]
TRIGGERS: dict[Any, Trigger] = {
    None: "submit-message",
    "submit-message": "submit-message",
    "regenerate-message": "regenerate-message",
}
MAX_ID_CHARS = 128


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the conversation's id for its owner, `client_id` the client's id of the new message.

    `message_id` names the user message that this one replaces (an edit), or the answer to generate again. With
    "regenerate-message", `prompt` and `client_id` are the client's last message, if it is the user's: one that never
    arrived is to be sent. Making one raises BadRequest for a key that no address can hold.
    """

    key: str
    prompt: str = ""
    client_id: str | None = None
    provider: str | None = None
    trigger: Trigger = "submit-message"
    message_id: str | None = None

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
    prompt, client_id = READERS[TRIGGERS[trigger]](data)
    return Submission(
        key=_identifier(data, "id") or str(uuid.uuid4()),
        prompt=prompt,
        client_id=client_id,
        provider=_identifier(data, "provider"),
        trigger=TRIGGERS[trigger],
        message_id=_identifier(data, "messageId"),
    )


def _new_message(data: dict[str, Any]) -> tuple[str, str | None]:
    if "prompt" in data:
        return _text(data["prompt"]), _identifier(data, "clientId")
    message = data.get("message") or _last(data.get("messages"))
    if not isinstance(message, dict):
        raise BadRequest('There is no message. Send "prompt", "message" or "messages".')
    if message.get("role", "user") != "user":
        raise BadRequest("The last of 'messages' must be the user's.")
    return _content(message), _identifier(message, "id")


def _asked_last(data: dict[str, Any]) -> tuple[str, str | None]:
    """The user's last message as the client has it; what cannot be read as one is not there."""
    try:
        prompt, client_id = _new_message(data)
    except BadRequest:
        return "", None
    return (prompt, client_id) if client_id and prompt.strip() else ("", None)


READERS: dict[Trigger, Callable[[dict[str, Any]], tuple[str, str | None]]] = {
    "submit-message": _new_message,
    "regenerate-message": _asked_last,
}


def _last(messages: Any) -> Any:
    return messages[-1] if isinstance(messages, list) and messages else None


def _content(message: dict[str, Any]) -> str:
    parts = message.get("parts", message.get("content"))
    if not isinstance(parts, list):
        return _text(parts)
    texts = (part for part in parts if isinstance(part, dict) and part.get("type") == "text")
    return "".join(_text(part.get("text")) for part in texts)


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
