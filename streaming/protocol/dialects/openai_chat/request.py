"""Writes the body of `POST /chat/completions`.

Reasoning goes back only in the fields in which the provider sent it. `reasoning_content` goes back within turns that
call tools: DeepSeek and Moonshot refuse such a turn without it, and DeepSeek has no use for it elsewhere.
Details with signatures or encrypted pieces always go back (OpenRouter, LiteLLM, Copilot).

`extra` is merged last. It is the place for `max_tokens`, which some servers know instead of `max_completion_tokens`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from streaming.protocol.dialects.openai_chat.words import RETURNED_TEXT
from streaming.protocol.parts import FilePart, Part, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolResult, Turn
from streaming.protocol.requests import GenerationRequest, ToolSpec, named_schema, with_extra
from streaming.protocol.requests.data_url import base64_of, is_http, text_file_as_text
from streaming.protocol.requests.turns import RoleGroup, arguments_of, group_by_role, output_of, own_calls

JSONObject = dict[str, Any]


def chat_body(request: GenerationRequest) -> JSONObject:
    """Returns the body, ready for JSON. Fields that the request leaves open are absent."""
    schema = named_schema(request)
    fields = {
        "model": request.model,
        "messages": _messages(request),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _tool_choice(request.tool_choice) if request.tools else None,
        "prompt_cache_key": request.cache_key if request.uses_cache else None,
        "response_format": schema and {"type": "json_schema", "json_schema": schema},
    }
    return with_extra(fields, request.extra)


def _messages(request: GenerationRequest) -> list[JSONObject]:
    messages = [{"role": "system", "content": request.system}] if request.system else []
    for exchange in _exchanges(request.turns):
        has_called = any(own_calls(parts) for role, parts in exchange if role == "assistant")
        for group in exchange:
            is_answer = group[0] == "assistant"
            messages += _assistant(group, has_called=has_called) if is_answer else _OTHERS[group[0]](group)
    if any("reasoning_content" in message for message in messages):
        # In thinking mode a call needs the field even if the model did not think before it.
        return [{"reasoning_content": ""} | each if "tool_calls" in each else each for each in messages]
    return messages


def _exchanges(turns: Iterable[Turn]) -> Iterator[list[RoleGroup]]:
    """Yields what belongs together: what a person said, and all that followed until they spoke again."""
    exchange: list[RoleGroup] = []
    for group in group_by_role(turns):
        if group[0] == "user" and exchange:
            yield exchange
            exchange = []
        exchange.append(group)
    yield exchange


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


def _assistant(group: RoleGroup, *, has_called: bool) -> list[JSONObject]:
    """Returns an assistant message. `has_called` says that its turn has tool calls."""
    text = _text(group[1])
    calls = [_call(call) for call in own_calls(group[1])]
    if not (text or calls):
        return []
    message: JSONObject = {"role": "assistant", "content": text or None}
    for part in group[1]:
        if isinstance(part, ReasoningPart) and part.raw:
            for name, value in _reasoning(part, part.raw, has_called=has_called):
                message[name] = message[name] + value if name in message and name not in WHOLE else value
    return [message | ({"tool_calls": calls} if calls else {})]


def _reasoning(part: ReasoningPart, raw: JSONObject, *, has_called: bool) -> Iterator[tuple[str, Any]]:
    """Yields fields of the message that this API's own reasoning has."""
    field = raw.get("field")
    if field in RETURNED_TEXT and (has_called or raw.get("reasoning_opaque")):
        yield field, part.text
    yield from ((name, raw[name]) for name in RETURNED if raw.get(name))
    if str(raw.get("type")).startswith("reasoning."):
        yield "reasoning_details", [raw]  # stored before details were collected


RETURNED = ("reasoning_details", "thinking_blocks", "reasoning_opaque", "extra_content")
"""The fields of a message that only their provider understands."""

WHOLE = frozenset({"extra_content"})
"""Fields of which the last one counts. The values of other fields are joined."""


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


_OTHERS: dict[str, Callable[[RoleGroup], list[JSONObject]]] = {
    "system": _system,
    "user": _user,
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
