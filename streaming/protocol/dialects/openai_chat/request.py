"""Writes the body of `POST /chat/completions`.

`extra` is merged last. It is the place for `max_tokens`, which some servers know instead of `max_completion_tokens`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streaming.protocol.parts import FilePart, Part, RefusalPart, TextPart, ToolCall, ToolResult
from streaming.protocol.requests import GenerationRequest, ToolSpec
from streaming.protocol.requests.data_url import base64_of, is_http, text_file_as_text
from streaming.protocol.requests.turns import RoleGroup, arguments_of, group_by_role, output_of, own_calls

JSONObject = dict[str, Any]


def chat_body(request: GenerationRequest) -> JSONObject:
    """Returns the body, ready for JSON. Fields that the request leaves open are absent."""
    fields = {
        "model": request.model,
        "messages": _messages(request),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice(request.tool_choice) if request.tools else None,
    }
    return {key: value for key, value in fields.items() if value is not None} | request.extra


def _messages(request: GenerationRequest) -> list[JSONObject]:
    system = [{"role": "system", "content": request.system}] if request.system else []
    return system + [message for group in group_by_role(request.turns) for message in _MESSAGES[group[0]](group)]


def _system(group: RoleGroup) -> list[JSONObject]:
    text = _text(group[1])
    return [{"role": "system", "content": text}] if text else []


def _user(group: RoleGroup) -> list[JSONObject]:
    """Returns a user message. Plain text stays a string, because small servers accept only that."""
    parts = [text_file_as_text(part) for part in group[1]]
    if all(isinstance(part, TextPart) for part in parts):
        text = _text(parts)
        return [{"role": "user", "content": text}] if text else []
    content = [piece for part in parts if (piece := _content(part))]
    return [{"role": "user", "content": content}] if content else []


def _assistant(group: RoleGroup) -> list[JSONObject]:
    """Returns an assistant message without reasoning, for which the API has no field."""
    text = _text(group[1])
    calls = [_call(call) for call in own_calls(group[1])]
    if calls:
        return [{"role": "assistant", "content": text or None, "tool_calls": calls}]
    return [{"role": "assistant", "content": text}] if text else []


def _call(call: ToolCall) -> JSONObject:
    """Returns a call with its `extra_content`: Gemini puts a signature there and refuses a conversation without it."""
    function = {"name": call.name, "arguments": arguments_of(call)}
    sent: JSONObject = {"id": call.id, "type": "function", "function": function}
    signed = (call.raw or {}).get("extra_content")
    return sent | {"extra_content": signed} if signed else sent


def _tool_results(group: RoleGroup) -> list[JSONObject]:
    return [
        {"role": "tool", "tool_call_id": part.call_id, "content": output_of(part)}
        for part in group[1]
        if isinstance(part, ToolResult)
    ]


_MESSAGES: dict[str, Callable[[RoleGroup], list[JSONObject]]] = {
    "system": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool_results,
}


def _text(parts: list[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart | RefusalPart))


def _content(part: Part) -> JSONObject | None:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text} if part.text else None
    return _file(part) if isinstance(part, FilePart) else None


def _file(part: FilePart) -> JSONObject | None:
    """Returns a file part. Only images may have an http URL: the API fetches no audio and no documents."""
    kind, _, subtype = part.media_type.partition("/")
    data = base64_of(part.url)
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": part.url}} if data or is_http(part.url) else None
    if data is None:
        return None
    if kind == "audio":
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO.get(subtype, subtype)}}
    return {"type": "file", "file": {"filename": part.filename or "file", "file_data": part.url}}


_AUDIO = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav"}


def _tool(tool: ToolSpec) -> JSONObject:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tool_choice(choice: str | None) -> str | JSONObject | None:
    if choice in (None, "auto", "required", "none"):
        return choice
    return {"type": "function", "function": {"name": choice}}
