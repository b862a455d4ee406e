"""Writes the body of `POST /responses`.

The body has no `store`, so the vendor keeps each answer and finds its reasoning items by id. A site that wants
nothing kept puts `{"store": False, "include": ["reasoning.encrypted_content"]}` into `extra`. Then reasoning is sent
back only if it came with encrypted content. This is no default, because models without reasoning refuse that
`include`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.protocol.parts import (
    FilePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from streaming.protocol.requests import GenerationRequest, ToolSpec
from streaming.protocol.requests.data_url import base64_of, is_http, text_file_as_text
from streaming.protocol.requests.turns import RoleGroup, arguments_of, group_by_role, output_of

JSONObject = dict[str, Any]


def responses_body(request: GenerationRequest) -> JSONObject:
    """Returns the body, ready for JSON. Fields that the request leaves open are absent."""
    fields = {
        "model": request.model,
        "instructions": request.system or None,
        "input": _input(request),
        "stream": True,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice(request.tool_choice) if request.tools else None,
    }
    return {key: value for key, value in fields.items() if value is not None} | request.extra


def _input(request: GenerationRequest) -> list[JSONObject]:
    items = [item for group in group_by_role(request.turns) for item in _ITEMS[group[0]](group)]
    if request.extra.get("store") is False:
        return [item for item in items if item["type"] != "reasoning" or item.get("encrypted_content")]
    return items


def _said(group: RoleGroup) -> list[JSONObject]:
    content = [piece for part in group[1] if (piece := _content(text_file_as_text(part)))]
    return [{"type": "message", "role": group[0], "content": content}] if content else []


def _assistant(group: RoleGroup) -> list[JSONObject]:
    """Returns the items in order, without reasoning at the end: the API refuses it if nothing follows."""
    items = [item for part in group[1] if (item := _item(part))]
    while items and items[-1]["type"] == "reasoning":
        items.pop()
    return items


def _tool_results(group: RoleGroup) -> list[JSONObject]:
    return [
        {"type": "function_call_output", "call_id": part.call_id, "output": output_of(part)}
        for part in group[1]
        if isinstance(part, ToolResult)
    ]


_ITEMS: dict[str, Callable[[RoleGroup], list[JSONObject]]] = {
    "system": _said,
    "user": _said,
    "assistant": _assistant,
    "tool": _tool_results,
}


def _item(part: Part) -> JSONObject | None:
    if isinstance(part, TextPart | RefusalPart):
        content = [{"type": "output_text", "text": part.text, "annotations": []}]
        return {"type": "message", "role": "assistant", "content": content} if part.text else None
    if isinstance(part, ToolCall):
        return None if part.is_provider_executed else _call(part)
    return _reasoning(part) if isinstance(part, ReasoningPart) else None


def _call(call: ToolCall) -> JSONObject:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments_of(call)}


def _reasoning(part: ReasoningPart) -> JSONObject | None:
    """Returns the API's own reasoning item, unchanged. Reasoning of other vendors means nothing to it."""
    raw = part.raw or {}
    return raw if raw.get("type") == "reasoning" else None


def _content(part: Part) -> JSONObject | None:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text} if part.text else None
    return _file(part) if isinstance(part, FilePart) else None


def _file(part: FilePart) -> JSONObject | None:
    is_data = base64_of(part.url) is not None
    if not (is_data or is_http(part.url)):
        return None
    if part.media_type.startswith("image/"):
        return {"type": "input_image", "image_url": part.url}
    if is_data:
        return {"type": "input_file", "filename": part.filename or "file", "file_data": part.url}
    return {"type": "input_file", "file_url": part.url}


def _tool(tool: ToolSpec) -> JSONObject:
    """Returns a function tool. `strict` is off: it is on by default and refuses most hand-written schemas."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _tool_choice(choice: str | None) -> str | JSONObject | None:
    if choice in (None, "auto", "required", "none"):
        return choice
    return {"type": "function", "name": choice}
