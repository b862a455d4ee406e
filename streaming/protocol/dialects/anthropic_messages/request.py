"""Writes the body of `POST /v1/messages`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec

from streaming.protocol.dialects.anthropic_messages.caching import has_breakpoints, with_breakpoints
from streaming.protocol.parts import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
    text_of,
)
from streaming.protocol.requests import GenerationRequest, ToolSpec, named_schema, with_extra
from streaming.protocol.requests.data_url import base64_of, is_http, text_in
from streaming.protocol.requests.turns import arguments_of, group_by_role, output_of

JSONObject = dict[str, Any]

DEFAULT_MAX_TOKENS = 8192
"""The API requires a limit and refuses one above the model's own. Every current model accepts this one."""

THINKING = frozenset({"thinking", "redacted_thinking"})
IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
SERVER_CALLS = frozenset({"server_tool_use", "mcp_tool_use"})
CALL_KEYS = ("caller", "toolset_name")
"""Keys that the API adds to a call, and wants back with it."""
BLOCKS_KEPT = frozenset({"compaction", "container_upload", "fallback", "mcp_tool_listing"})
FAILED = "The tool failed."
UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


def messages_body(request: GenerationRequest) -> JSONObject:
    """Returns the body, ready for JSON. Fields that the request leaves open are absent."""
    schema = named_schema(request)
    fields = {
        "model": request.model,
        "system": _system(request) or None,
        "messages": list(_messages(request)),
        "stream": True,
        "max_tokens": request.max_output_tokens or DEFAULT_MAX_TOKENS,
        "temperature": request.temperature,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice(request.tool_choice) if request.tools else None,
        "container": _container(request),
        "output_config": schema and {"format": {"type": "json_schema", "schema": schema["schema"]}},
    }
    is_marked = request.uses_cache and not has_breakpoints(request.extra)
    return with_extra(with_breakpoints(fields) if is_marked else fields, request.extra)


def _container(request: GenerationRequest) -> str | None:
    """Returns the id of the container in which the API ran code last. There its files are."""
    parts = (part for turn in request.turns for part in turn.parts if isinstance(part, OpaquePart))
    ids = [part.raw.get("id") for part in parts if part.raw.get("type") == "container"]
    return next((id for id in reversed(ids) if isinstance(id, str)), None)


def _system(request: GenerationRequest) -> str:
    """Returns all system texts as one: the API takes no system messages among the turns."""
    told = [text_of(turn.parts) for turn in request.turns if turn.role == "system"]
    return "\n\n".join(text for text in [request.system, *told] if text)


def _messages(request: GenerationRequest) -> Iterator[JSONObject]:
    """Yields messages with alternating roles. Tool results are the user's; neighbours of one role are one message."""
    blocks = [
        (_ROLES[role], block)
        for role, parts in group_by_role(turn for turn in request.turns if turn.role != "system")
        for part in parts
        if (block := _block(role, part))
    ]
    for role, group in groupby(_without_last_thoughts(_paired(blocks)), key=lambda pair: pair[0]):
        yield {"role": role, "content": [block for _, block in group]}


def _paired(blocks: list[tuple[str, JSONObject]]) -> list[tuple[str, JSONObject]]:
    """Drops results of the API's own tools without their calls, and calls without results unless they still run."""
    called = {block["id"] for _, block in blocks if block["type"] in SERVER_CALLS}
    answered = {block["tool_use_id"] for role, block in blocks if _is_server_result(role, block)}
    last_word = max((at for at, (role, block) in enumerate(blocks) if _is_word(role, block)), default=-1)
    return [
        (role, block)
        for at, (role, block) in enumerate(blocks)
        if not (block["type"] in SERVER_CALLS and block["id"] not in answered and at < last_word)
        and not (_is_server_result(role, block) and block["tool_use_id"] not in called)
    ]


def _is_word(role: str, block: JSONObject) -> bool:
    """Returns True for what a person said. A paused tool of the API runs on only until then."""
    return role == "user" and block["type"] != "tool_result"


def _is_server_result(role: str, block: JSONObject) -> bool:
    return role == "assistant" and str(block["type"]).endswith("_tool_result")


def _without_last_thoughts(blocks: list[tuple[str, JSONObject]]) -> Iterator[tuple[str, JSONObject]]:
    """Drops thinking at the end of a message (the answer was stopped while the model thought): the API refuses it."""
    kept: list[tuple[str, JSONObject]] = []
    for role, block in reversed(blocks):
        is_last = not kept or kept[-1][0] != role
        if not (is_last and block["type"] in THINKING):
            kept.append((role, block))
    return reversed(kept)


_ROLES: dict[Role, str] = {"user": "user", "tool": "user", "assistant": "assistant"}


def _block(role: Role, part: Part) -> JSONObject | None:
    """Returns the part as a content block; None if the API would refuse it, for example empty text."""
    writer = _BLOCKS.get((_ROLES[role], type(part)))
    return writer(part) if writer else None


def _text(part: TextPart | RefusalPart) -> JSONObject | None:
    return {"type": "text", "text": part.text} if part.text.strip() else None


def _reasoning(part: ReasoningPart) -> JSONObject | None:
    """Returns thinking that this API signed. It refuses unsigned thinking, and that of other vendors."""
    if part.raw is not None:
        return part.raw if part.raw.get("type") in THINKING else None
    if part.signature is None:
        return None
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _call(call: ToolCall) -> JSONObject | None:
    raw = call.raw or {}
    if call.is_provider_executed:
        block = raw | {"id": call.id, "name": call.name, "input": _input(call) or {}}
        return block if raw.get("type") in SERVER_CALLS else None
    given = _input(call) if call.is_json else {"input": call.raw_arguments}
    own = {key: raw[key] for key in CALL_KEYS if raw.get(key)}
    return own | {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": given or {}}


def _input(call: ToolCall) -> JSONObject | None:
    """Returns the arguments in the order in which the model wrote them. PostgreSQL and MySQL do not keep that order."""
    if call.arguments is None:
        return None
    written: JSONObject = msgspec.json.decode(arguments_of(call))
    return written


def _server_result(result: ToolResult) -> JSONObject | None:
    """Returns the result of one of the API's own tools. The results of other tools are the user's."""
    raw = result.raw or {}
    if not str(raw.get("type")).endswith("_tool_result"):
        return None
    return raw | {"tool_use_id": result.call_id, "content": result.output}


def _opaque(part: OpaquePart) -> JSONObject | None:
    """Returns a block of this API as it came. OpenAI's compaction has an id."""
    is_other = part.raw.get("type") == "compaction" and "id" in part.raw
    return part.raw if part.raw.get("type") in BLOCKS_KEPT and not is_other else None


def _id(call_id: str) -> str:
    """Returns the id with only letters, digits, `_` and `-`: the API refuses other vendors' ids with more."""
    fit = UNFIT.sub("_", call_id)
    return call_id if fit == call_id else f"{fit}_{sha256(call_id.encode()).hexdigest()[:8]}"


def _result(result: ToolResult) -> JSONObject | None:
    if result.is_provider_executed:
        return None
    content = output_of(result)
    block: JSONObject = {"type": "tool_result", "tool_use_id": _id(result.call_id), "content": content}
    # The API refuses an error with empty content.
    return block | {"is_error": True, "content": content or FAILED} if result.is_error else block


def _file(part: FilePart) -> JSONObject | None:
    if part.media_type in IMAGES:
        return _sourced("image", part)
    if part.media_type == "application/pdf":
        return _sourced("document", part)
    return _plain_text(part)


def _sourced(kind: str, part: FilePart) -> JSONObject | None:
    data = base64_of(part.url)
    if data is not None:
        source = {"type": "base64", "media_type": part.media_type, "data": data}
        return {"type": kind, "source": source}
    return {"type": kind, "source": {"type": "url", "url": part.url}} if is_http(part.url) else None


def _plain_text(part: FilePart) -> JSONObject | None:
    """Returns a text file as a document that holds its text."""
    text = text_in(part)
    source = {"type": "text", "media_type": "text/plain", "data": text}
    titled = {"title": part.filename} if part.filename else {}
    return {"type": "document", "source": source} | titled if text else None


_BLOCKS: dict[tuple[str, type], Any] = {
    ("user", TextPart): _text,
    ("user", FilePart): _file,
    ("user", ToolResult): _result,
    ("assistant", TextPart): _text,
    ("assistant", RefusalPart): _text,
    ("assistant", ReasoningPart): _reasoning,
    ("assistant", ToolCall): _call,
    ("assistant", ToolResult): _server_result,
    ("assistant", OpaquePart): _opaque,
}


def _tool(tool: ToolSpec) -> JSONObject:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _tool_choice(choice: str | None) -> JSONObject | None:
    if choice is None:
        return None
    return _CHOICES.get(choice) or {"type": "tool", "name": choice}


_CHOICES: dict[str, JSONObject] = {"auto": {"type": "auto"}, "required": {"type": "any"}, "none": {"type": "none"}}
