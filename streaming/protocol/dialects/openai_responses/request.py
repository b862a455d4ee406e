"""Writes the body of `POST /responses`.

The provider's own items go back as they came: reasoning with the item that followed it, calls of its own tools,
images that it made, compaction. The API refuses reasoning if another item follows, and finds that item by its id.

The body has no `store`, so the vendor keeps each answer and finds its reasoning items by id. A site that wants
nothing kept puts `{"store": False, "include": ["reasoning.encrypted_content"]}` into `extra`. Then reasoning is sent
back only if it came with encrypted content. This is no default, because models without reasoning refuse that
`include`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streaming.protocol.parts import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from streaming.protocol.requests import GenerationRequest, ToolSpec, named_schema, with_extra
from streaming.protocol.requests.data_url import base64_of, is_http, text_file_as_text
from streaming.protocol.requests.turns import RoleGroup, arguments_of, group_by_role, output_of

JSONObject = dict[str, Any]


def responses_body(request: GenerationRequest) -> JSONObject:
    """Returns the body, ready for JSON. Fields that the request leaves open are absent."""
    schema = named_schema(request)
    fields = {
        "model": request.model,
        "instructions": request.system or None,
        "input": _input(request),
        "stream": True,
        "max_output_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice(request.tool_choice) if request.tools else None,
        "prompt_cache_key": request.cache_key if request.uses_cache else None,
        "text": schema and {"format": {"type": "json_schema"} | schema},
    }
    return with_extra(fields, request.extra)


def _input(request: GenerationRequest) -> list[JSONObject]:
    items = [item for group in group_by_role(request.turns) for item in _ITEMS[group[0]](group)]
    is_stored = request.extra.get("store") is not False
    return list(_with_types_of_outputs(_without_unfit_reasoning(items, is_stored=is_stored)))


def _without_unfit_reasoning(items: list[JSONObject], *, is_stored: bool) -> list[JSONObject]:
    """Returns the items without reasoning that the API would refuse.

    What the vendor stored needs the item that followed it. What it did not store needs its encrypted content, and any
    item of the assistant after it.
    """
    kept: list[JSONObject] = []
    for item in reversed(items):
        follower = kept[-1] if kept else None
        is_fit = _is_own(follower) if is_stored else item.get("encrypted_content") and _is_answer(follower)
        if item["type"] != "reasoning" or is_fit:
            kept.append(item)
    return kept[::-1]


def _with_types_of_outputs(items: list[JSONObject]) -> Iterator[JSONObject]:
    """Yields the items. The output of a call with free text has a type of its own."""
    free = {item["call_id"] for item in items if item["type"] == "custom_tool_call"}
    for item in items:
        is_free = item["type"] == "function_call_output" and item["call_id"] in free
        yield item | {"type": "custom_tool_call_output"} if is_free else item


def _is_answer(item: JSONObject | None) -> bool:
    is_output = item is not None and item["type"] == "function_call_output"
    return item is not None and item.get("role", "assistant") == "assistant" and not is_output


def _is_own(item: JSONObject | None) -> bool:
    """Returns True for an item that the API made, and finds again by its id."""
    return item is not None and "id" in item and _is_answer(item)


def _said(group: RoleGroup) -> list[JSONObject]:
    content = [piece for part in group[1] if (piece := _content(text_file_as_text(part)))]
    return [{"type": "message", "role": group[0], "content": content}] if content else []


def _assistant(group: RoleGroup) -> list[JSONObject]:
    """Returns the items in order. Parts of one message are one item again."""
    items: list[JSONObject] = []
    for item in filter(None, map(_item, group[1])):
        is_continued = items and item["type"] == "message" and item.get("id") and item["id"] == items[-1].get("id")
        if is_continued:
            items[-1]["content"] += item["content"]
        else:
            items.append(item)
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
    writer = _WRITERS.get(type(part))
    return writer(part) if writer else None


def _text(part: TextPart | RefusalPart) -> JSONObject | None:
    """Returns a message: the API's own with its id, status and phase, any other as a plain string."""
    if not part.text:
        return None
    raw = part.raw or {}
    message: JSONObject = {"type": "message", "role": "assistant"}
    if raw.get("type") != "message":
        return message | {"content": part.text}
    content = {"type": "output_text", "text": part.text, "annotations": []}
    if isinstance(part, RefusalPart):
        content = {"type": "refusal", "refusal": part.text}
    return message | {"status": "completed"} | raw | {"content": [content]}


def _call(call: ToolCall) -> JSONObject | None:
    raw = call.raw or {}
    if call.is_provider_executed:
        return _sent(raw) if raw.get("type") in ITEMS_KEPT else None
    if raw.get("type") == "custom_tool_call":
        return raw | {"call_id": call.id, "name": call.name, "input": call.raw_arguments}
    own = _sent(raw) if raw.get("type") == "function_call" else {"type": "function_call"}
    return own | {"call_id": call.id, "name": call.name, "arguments": arguments_of(call)}


def _reasoning(part: ReasoningPart) -> JSONObject | None:
    """Returns the API's own reasoning item. Reasoning of other vendors means nothing to it."""
    raw = part.raw or {}
    return {"summary": []} | _sent(raw) if raw.get("type") == "reasoning" and raw.get("id") else None


def _provider_result(part: ToolResult) -> JSONObject | None:
    raw = part.raw or {}
    return _sent(raw) if raw.get("type") in ITEMS_KEPT else None


def _image(part: FilePart) -> JSONObject | None:
    """Returns an image that the API made."""
    raw, data = part.raw or {}, base64_of(part.url)
    return _sent(raw) | {"result": data} if raw.get("type") == "image_generation_call" and data else None


def _opaque(part: OpaquePart) -> JSONObject | None:
    """Returns any other item of this API. Anthropic's compaction has no id."""
    is_other = part.raw.get("type") == "compaction" and "id" not in part.raw
    return _sent(part.raw) if part.raw.get("type") in ITEMS_KEPT and not is_other else None


def _sent(raw: JSONObject) -> JSONObject:
    """Returns an item as the API takes it: without fields that are null, except for those that it demands."""
    return {key: value for key, value in raw.items() if value is not None or key in DEMANDED}


_WRITERS: dict[type[Part], Callable[[Any], JSONObject | None]] = {
    TextPart: _text,
    RefusalPart: _text,
    ReasoningPart: _reasoning,
    ToolCall: _call,
    ToolResult: _provider_result,
    FilePart: _image,
    OpaquePart: _opaque,
}

DEMANDED = frozenset({"code", "outputs", "result"})
"""Fields that an item must have, even if they are null."""

ITEMS_KEPT = frozenset(
    {
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "file_search_call",
        "image_generation_call",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "program",
        "program_output",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)
"""The items of the API's own tools and mechanisms that it takes back."""


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
