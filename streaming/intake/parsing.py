"""Parsing: JSON from clients becomes submissions.

The parser is lenient. Unknown keys and parts are ignored, because the server has the history: it takes from a client
only the new message, or the outputs and decisions for calls that wait for them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from streaming.conf import MAX_ALIAS_CHARS
from streaming.errors import BadRequest
from streaming.intake.client_json import UNREADABLE, read_any, read_json
from streaming.intake.submission import Submission, Trigger
from streaming.models import MAX_ID_CHARS
from streaming.protocol import FilePart
from streaming.protocol.ui_stream import inbound_parts

TRIGGERS: dict[Any, Trigger] = {
    None: "submit-message",
    "submit-message": "submit-message",
    "regenerate-message": "regenerate-message",
}
WRONG_LAST = "The last of 'messages' must be the user's, or an answer whose calls have their outputs."
Fields = dict[str, Any]
"""Keyword arguments of `Submission`."""


class _Named(msgspec.Struct):
    """A message. Only its id is read."""

    id: str | None = None


class _Stop(msgspec.Struct):
    """The body of a stop request. Other keys are ignored."""

    messageId: str | None = None
    assistantMessage: _Named | None = None


def read_stop(body: bytes) -> str | None:
    """Returns the id of the answer that a stop request names; None if it names none.

    Raises:
        BadRequest: the body is not valid JSON of that shape.
    """
    try:
        stop = msgspec.convert(read_json(body), _Stop)
    except UNREADABLE as error:
        raise BadRequest("The body is not valid JSON, or names no message as it should.") from error
    return stop.messageId or (stop.assistantMessage.id if stop.assistantMessage else None)


def read_submission(body: bytes) -> Submission:
    """Reads the body that `useChat` sends, or the short form `{"prompt": "…", "id": "…"}`.

    Raises:
        BadRequest: the text says what is wrong, and does not repeat the content.
    """
    return submission_of(read_any(body))


def submission_of(data: Any) -> Submission:
    """Makes a submission of decoded JSON.

    Raises:
        BadRequest: as `read_submission`.
    """
    if not isinstance(data, dict):
        raise BadRequest('The body must be a JSON object such as {"prompt": "…"}.')
    trigger = data.get("trigger")
    if not isinstance(trigger, str | None) or trigger not in TRIGGERS:
        raise BadRequest(f"'trigger' must be one of: {', '.join(key for key in TRIGGERS if key)}.")
    fields: Fields = {"message_id": identifier(data, "messageId")} | READERS[TRIGGERS[trigger]](data)
    return Submission(
        key=identifier(data, "id") or str(uuid.uuid4()),
        provider=identifier(data, "provider", MAX_ALIAS_CHARS),
        trigger=TRIGGERS[trigger],
        **fields,
    )


def _new_message(data: dict[str, Any]) -> Fields:
    if "prompt" in data:
        files = _files(data.get("files"))
        return {"prompt": _text(data["prompt"]), "files": files, "client_id": identifier(data, "clientId")}
    message = data.get("message") or _last(data.get("messages"))
    if not isinstance(message, dict):
        raise BadRequest('There is no message. Send "prompt", "message" or "messages".')
    role = message.get("role", "user")
    reader = _BY_ROLE.get(role) if isinstance(role, str) else None
    if reader is None:
        raise BadRequest(WRONG_LAST)
    return reader(message)


def _prompt(message: dict[str, Any]) -> Fields:
    prompt, files = _content(message)
    return {"prompt": prompt, "files": files, "client_id": identifier(message, "id")}


def _answers(message: dict[str, Any]) -> Fields:
    """Reads a client's assistant message: the outputs and decisions that continue an answer."""
    answers = inbound_parts(message.get("parts"))
    if not answers:
        raise BadRequest(WRONG_LAST)
    return {"message_id": identifier(message, "id"), "answers": answers}


_BY_ROLE: dict[str, Callable[[dict[str, Any]], Fields]] = {"user": _prompt, "assistant": _answers}


def _message_to_answer(data: dict[str, Any]) -> Fields:
    """Reads the user's last message. Returns an empty dict if there is none, or if it is invalid."""
    try:
        fields = _new_message(data)
    except BadRequest:
        return {}
    return fields if fields.get("client_id") and (fields["prompt"].strip() or fields["files"]) else {}


READERS: dict[Trigger, Callable[[dict[str, Any]], Fields]] = {
    "submit-message": _new_message,
    "regenerate-message": _message_to_answer,
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
    """Reads file parts in the AI SDK's form: `mediaType`, `url`, `filename`."""
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
    return value


def identifier(data: dict[str, Any], name: str, most: int = MAX_ID_CHARS) -> str | None:
    """Returns the text of a key; None if it is missing or empty.

    Raises:
        BadRequest: it is no text, or longer than `most` characters.
    """
    value = data.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"'{name}' must be a string of at most {most} characters.")
    return value
