"""Errors inside a stream. Servers send them nested, flat, as a string or as a list."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.errors import RETRYABLE
from streaming.protocol.dialects.wire.decoding import reread
from streaming.protocol.error_codes import code_of_error
from streaming.protocol.events import StreamError

# Enough for every message. A gateway's HTML page may be longer, and is no message.
MAX_MESSAGE_CHARS = 4096

CODE_KEYS = (
    *("code", "error_code", "status_code", "status"),
    *("http_code", "statusCode", "raw_status_code", "originalStatusCode"),
)
TYPE_KEYS = ("type", "error_type", "__type")
ERROR_MESSAGE_KEYS = (
    *("message", "msg", "error_message", "error_msg", "detail", "details"),
    *("error_description", "Message", "faultstring"),
)
MESSAGE_KEYS = (*ERROR_MESSAGE_KEYS, "status_msg", "description", "title", "content", "text")
"""The keys of an error's message, best first. An object with one of `ERROR_MESSAGE_KEYS` is an error by itself."""

ERROR_INNER_KEYS = ("errors", "err", "fault", "copilot_errors")
INNER_KEYS = ("error", *ERROR_INNER_KEYS, "detail", "base_resp")
"""The keys of an error within an error. An object with one of `ERROR_INNER_KEYS` is an error by itself."""


def read_error(wire: Any) -> StreamError:
    """Reads an error of any shape. Fields of inner objects win; the outer objects give those that are missing."""
    layers = list(_layers(wire))
    code = _code(layers)
    types = (_text(layer.get(key)) for layer in layers for key in TYPE_KEYS)
    type_ = next((text for text in types if text and text != "error"), None)
    message = _first(layers, MESSAGE_KEYS) or _message(layers[0] if layers else wire)
    return stream_error(code, type_, message[:MAX_MESSAGE_CHARS])


SUCCESS = (0, 200, "0", "200", "success", "ok", "succeeded")
"""The codes and messages of an envelope that is no error."""


def is_error(wire: Any) -> bool:
    """Returns True for an error without an `error` object around it (vLLM, FastAPI, Baidu, MiniMax, Cloudflare)."""
    if not isinstance(wire, dict) or wire.get("code") in SUCCESS or str(wire.get("message")).lower() in SUCCESS:
        return False
    is_named = wire.get("object") == "error" or _named_by_its_key(wire) is not None
    return is_named or has_failed_status(wire) or any(wire.get(key) for key in (*ERROR_MESSAGE_KEYS, *ERROR_INNER_KEYS))


def has_failed_status(wire: Any) -> bool:
    """Returns True for a payload with the status of a failure (MiniMax)."""
    base = wire.get("base_resp") if isinstance(wire, dict) else None
    return isinstance(base, dict) and bool(base.get("status_code"))


def is_certain_error(wire: Any) -> bool:
    """Returns True for a flat error beside choices. Only the names of its fields, or a known code, make that sure."""
    if not is_error(wire):
        return False
    error = read_error(wire)
    is_named = wire.get("object") == "error" or any(wire[key] for key in wire if key.startswith("error"))
    return is_named or has_failed_status(wire) or code_of_error(error.code, error.type, error.message) is not None


def reports_error(wire: Any) -> bool:
    """Returns True if a field named `error` has one. Some servers send an object without values with each event."""
    return any(wire.values()) if isinstance(wire, dict) else bool(wire)


def stream_error(code: str | None, type: str | None, message: str) -> StreamError:
    """Returns the error with its verdict: `retryable` is False if its words are unknown, None if it has no words."""
    has_words = code is not None or type is not None
    return StreamError(code, type, message, code_of_error(code, type, message) in RETRYABLE if has_words else None)


def _layers(wire: Any, depth: int = 3) -> list[dict[str, Any]]:
    """Returns the error's objects, the innermost first."""
    if isinstance(wire, list) and wire:
        return _layers({"message": wire[0]} if isinstance(wire[0], str) else wire[0], depth)
    if not isinstance(wire, dict):
        return []
    wire = _named_by_its_key(wire) or wire
    inner: list[dict[str, Any]] = []
    for value in map(_inner_of, map(wire.get, (*INNER_KEYS, "message"))):
        if depth and isinstance(value, dict | list):
            inner += _layers(value, depth - 1)
    return [*inner, wire]


def _named_by_its_key(wire: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the error of an object such as `{"throttlingException": {…}}` (Bedrock), with the key as its type."""
    key, value = next(iter(wire.items()), ("", None))
    is_named = len(wire) == 1 and isinstance(value, dict) and key.lower().endswith(("exception", "error"))
    return {"type": key, **value} if is_named and key != "error" and isinstance(value, dict) else None


def _inner_of(message: Any) -> Any:
    """Returns the error that a gateway put into an error or a message, perhaps as JSON text."""
    if isinstance(message, dict | list):
        return message
    is_json = isinstance(message, str) and message.lstrip().startswith(("{", "[{"))
    return reread(message.encode("utf-8", "replace")) if is_json else None


def _code(layers: list[dict[str, Any]]) -> str | None:
    """Returns the first code that is known, or else the first one: a vendor's own number may stand beside a status."""
    codes = [code for layer in layers for key in CODE_KEYS if (code := _text(layer.get(key)))]
    return next((code for code in codes if code_of_error(code, None, "")), next(iter(codes), None))


def _first(layers: list[dict[str, Any]], keys: tuple[str, ...]) -> str | None:
    return next((text for layer in layers for key in keys if (text := _text(layer.get(key)))), None)


def _text(value: Any) -> str | None:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value) or None
    return None


def _message(wire: Any) -> str:
    """Returns the text of an error, or its JSON without the choices of a chunk: they have words of the answer."""
    if isinstance(wire, str):
        return wire
    if isinstance(wire, dict):
        text = next((wire[key] for key in INNER_KEYS if isinstance(wire.get(key), str)), "")
        wire = text or {key: value for key, value in wire.items() if key != "choices"}
    return wire if isinstance(wire, str) else msgspec.json.encode(wire).decode("utf-8", "replace")
