"""Reads the commands that a client sends over a WebSocket: JSON objects with a `type` and a `requestId`."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.errors import BadRequest
from streaming.intake.bounds import MAX_COMMAND_CHARS, MAX_REQUEST_ID_CHARS
from streaming.intake.client_json import UNREADABLE, read_json


def read_command(text: str | None) -> dict[str, Any]:
    """Reads a frame.

    Raises:
        BadRequest: it is no JSON object, or larger than `MAX_COMMAND_CHARS`.
    """
    if text is None:
        raise BadRequest("Frames must be text.")
    if len(text) > MAX_COMMAND_CHARS:
        raise BadRequest(
            f"A frame may have at most {MAX_COMMAND_CHARS} characters. "
            "Send only the last message, and send files to api/files first."
        )
    try:
        command = read_json(text)
    except UNREADABLE as error:
        raise BadRequest("A frame must be valid JSON.") from error
    if not isinstance(command, dict):
        raise BadRequest("A frame must be a JSON object.")
    return command


def request_id_of(command: dict[str, Any]) -> str:
    """Returns the id that the replies to a command have.

    Raises:
        BadRequest: there is none, or it is too long.
    """
    request_id = command.get("requestId")
    if not isinstance(request_id, str) or not 1 <= len(request_id) <= MAX_REQUEST_ID_CHARS:
        raise BadRequest(f"A frame's 'requestId' must be a string of 1 to {MAX_REQUEST_ID_CHARS} characters.")
    return request_id


class _Address(msgspec.Struct):
    requestId: str = ""


_decode_address = msgspec.json.Decoder(_Address).decode


def request_id_if_any(text: str | None) -> str:
    """The id for the reply to a frame that `read_command` refuses; empty if it has none.

    Without the id, a client waits for ever. All else in the frame is skipped: a frame of 16 MB would keep the event
    loop busy for two seconds. Skipping takes 20 ms.
    """
    try:
        request_id = _decode_address(text or "").requestId
    except UNREADABLE:
        return ""
    return request_id if len(request_id) <= MAX_REQUEST_ID_CHARS else ""
