"""The WebSocket as an AsyncAPI 3.0 document: docs/asyncapi.json."""

from __future__ import annotations

from typing import Any

import msgspec

from docs.reference.bodies import (
    AbortCommand,
    ChunkReply,
    EndReply,
    ErrorReply,
    NoActiveReply,
    ResumeCommand,
    SendCommand,
    StartReply,
)
from docs.reference.endpoints import HTML_TOO
from docs.reference.openapi import PROJECT, stream_errors
from docs.reference.schemas import components
from streaming import consumers
from streaming.intake.bounds import MAX_COMMAND_CHARS
from streaming.routing import websocket_urlpatterns

Document = dict[str, Any]
Kinds = tuple[type[msgspec.Struct], ...]

COMMANDS: Kinds = (SendCommand, ResumeCommand, AbortCommand)
QUERIES = (HTML_TOO,)
REPLIES: Kinds = (StartReply, ChunkReply, EndReply, ErrorReply, NoActiveReply)

CLOSE_CODES = {
    consumers.CLOSE_UNAUTHENTICATED: "Sign in.",
    consumers.CLOSE_MOVED: "The session has another key: the person signed in or changed the password. Connect again.",
    consumers.CLOSE_TOO_MANY: "There are too many sockets, or too many commands in a short time. "
    f"A command counts once for each {consumers.CHARS_PER_COMMAND:,} characters.",
}
ABOUT = (
    "The socket has the protocol of `WebSocketChatTransport` of the npm package `ai`, version 7. "
    f"A frame is one JSON object with at most {MAX_COMMAND_CHARS:,} characters. "
    f"A socket follows at most {consumers.MAX_FOLLOWED} answers at once, each under a `requestId` of its own."
)


def document() -> Document:
    """The whole document."""
    [route] = websocket_urlpatterns
    return {
        "asyncapi": "3.0.0",
        "info": {"title": PROJECT["name"], "version": PROJECT["version"], "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {"chat": _channel(str(route.pattern))},
        "operations": {"take": _operation("receive", COMMANDS), "give": _operation("send", REPLIES)},
        "components": {
            "messages": {type_of(kind): _message(kind) for kind in (*COMMANDS, *REPLIES)},
            "schemas": components((*COMMANDS, *REPLIES)),
        },
        "x-close-codes": {str(code): meaning for code, meaning in sorted(CLOSE_CODES.items())},
        "x-stream-errors": stream_errors(),
    }


def type_of(kind: type[msgspec.Struct]) -> str:
    """The `type` of a command or a reply."""
    [tag] = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]["type"]["enum"]
    return str(tag)


def _channel(address: str) -> Document:
    names = [type_of(kind) for kind in (*COMMANDS, *REPLIES)]
    return {
        "address": f"/{address}",
        "description": "One socket of one owner. The session cookie says who it is.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}},
    }


def _query() -> Document:
    """The parameters of the address."""
    schemas = {one.name: one.schema | {"description": one.meaning} for one in QUERIES}
    return {"type": "object", "properties": schemas}


def _operation(action: str, kinds: Kinds) -> Document:
    messages = [{"$ref": f"#/channels/chat/messages/{type_of(kind)}"} for kind in kinds]
    return {"action": action, "channel": {"$ref": "#/channels/chat"}, "messages": messages}


def _message(kind: type[msgspec.Struct]) -> Document:
    return {
        "name": type_of(kind),
        "summary": " ".join((kind.__doc__ or "").split()),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }
