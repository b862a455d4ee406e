"""Writes the wire bytes of an answer in each dialect, as the vendors do: each chunk is one server-sent event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

Json = dict[str, Any]


class ScriptedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call to stream. `arguments` may be a string, which is sent as it is, even if it is not valid JSON."""

    name: str
    arguments: dict[str, Any] | str
    id: str = ""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in pieces. Each piece becomes one delta. Tool calls come after the text."""

    model: str
    text: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    calls: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    """The calls, each as `(id, name, pieces of the arguments)`."""
    input_tokens: int = 0

    @property
    def output_tokens(self) -> int:
        """The number of output tokens, one for each delta."""
        return len(self.text) + len(self.reasoning) + sum(len(pieces) for _, _, pieces in self.calls)


def wire(dialect: str, answer: Script) -> Iterator[bytes]:
    """Yields the events of `answer` in `dialect`, each with its blank line."""
    return WRITERS[dialect](answer)


def _data(payload: Json) -> bytes:
    return b"data: " + msgspec.json.encode(payload) + b"\n\n"


def _named(payload: Json) -> bytes:
    return f"event: {payload['type']}\n".encode() + _data(payload)


def _chat(answer: Script) -> Iterator[bytes]:
    def chunk(choices: list[Json], **more: Any) -> bytes:
        head = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 0, "model": answer.model}
        return _data({**head, "choices": choices, **more})

    def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
        return chunk([{"index": 0, "delta": fields, "finish_reason": finish_reason}])

    yield delta(role="assistant", content=None)
    yield from (delta(reasoning_content=piece) for piece in answer.reasoning)
    yield from (delta(content=piece) for piece in answer.text)
    yield from (delta(tool_calls=[call]) for call in _chat_calls(answer))
    yield delta("tool_calls" if answer.calls else "stop")
    counts = {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens}
    yield chunk([], usage={**counts, "total_tokens": sum(counts.values())})
    yield b"data: [DONE]\n\n"


def _chat_calls(answer: Script) -> Iterator[Json]:
    for index, (call_id, name, pieces) in enumerate(answer.calls):
        yield {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield from ({"index": index, "function": {"arguments": piece}} for piece in pieces)


def _responses(answer: Script) -> Iterator[bytes]:
    """Yields the events. `output_index` numbers the items; `sequence_number` numbers the events."""
    head: Json = {"id": "resp_scripted", "object": "response", "model": answer.model}
    events: list[Json] = [{"type": "response.created", "response": {**head, "status": "in_progress", "output": []}}]
    items = list(_response_items(answer))
    for index, (item, deltas) in enumerate(items):
        events += ({**event, "output_index": index, "item_id": item["id"]} for event in _item_events(item, deltas))
    usage = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
    usage["total_tokens"] = sum(usage.values())
    output = [item for item, _ in items]
    done = {**head, "status": "completed", "output": output, "usage": usage}
    events.append({"type": "response.completed", "response": done})
    yield from (_named({**event, "sequence_number": number}) for number, event in enumerate(events))


def _item_events(item: Json, deltas: list[Json]) -> Iterator[Json]:
    yield {"type": "response.output_item.added", "item": {**item, "status": "in_progress", **_EMPTY[item["type"]]}}
    yield from deltas
    yield {"type": "response.output_item.done", "item": item}


_EMPTY: dict[str, Json] = {
    "reasoning": {"summary": []},
    "message": {"content": []},
    "function_call": {"arguments": ""},
}


def _response_items(answer: Script) -> Iterator[tuple[Json, list[Json]]]:
    """Yields each item as it is at its end, with the deltas that stream it."""
    if answer.reasoning:
        summary = [{"type": "summary_text", "text": "".join(answer.reasoning)}]
        deltas = _deltas("response.reasoning_summary_text", "text", answer.reasoning, summary_index=0)
        yield {"id": "rs_scripted", "type": "reasoning", "summary": summary}, deltas
    if answer.text:
        content = [{"type": "output_text", "text": "".join(answer.text), "annotations": []}]
        item = {"id": "msg_scripted", "type": "message", "role": "assistant", "content": content}
        deltas = _deltas("response.output_text", "text", answer.text, content_index=0)
        yield {**item, "status": "completed"}, deltas
    for index, (call_id, name, pieces) in enumerate(answer.calls):
        item = {"id": f"fc_scripted_{index}", "type": "function_call", "call_id": call_id, "name": name}
        deltas = _deltas("response.function_call_arguments", "arguments", pieces)
        yield {**item, "arguments": "".join(pieces), "status": "completed"}, deltas


def _deltas(kind: str, whole: str, pieces: Iterable[str], **more: Any) -> list[Json]:
    deltas = [{"type": f"{kind}.delta", "delta": piece, **more} for piece in pieces]
    return [*deltas, {"type": f"{kind}.done", whole: "".join(pieces), **more}]


def _anthropic(answer: Script) -> Iterator[bytes]:
    head = {"id": "msg_scripted", "type": "message", "role": "assistant", "model": answer.model, "content": []}
    usage = {"input_tokens": answer.input_tokens, "output_tokens": 0}
    yield _named({"type": "message_start", "message": {**head, "stop_reason": None, "usage": usage}})
    for index, (block, deltas) in enumerate(_anthropic_blocks(answer)):
        yield _named({"type": "content_block_start", "index": index, "content_block": block})
        for delta in deltas:
            yield _named({"type": "content_block_delta", "index": index, "delta": delta})
        yield _named({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": "tool_use" if answer.calls else "end_turn", "stop_sequence": None}
    yield _named({"type": "message_delta", "delta": stop, "usage": {"output_tokens": answer.output_tokens}})
    yield _named({"type": "message_stop"})


def _anthropic_blocks(answer: Script) -> Iterator[tuple[Json, list[Json]]]:
    """Yields each block as it is at its start, with the deltas that fill it."""
    if answer.reasoning:
        thinking = [{"type": "thinking_delta", "thinking": piece} for piece in answer.reasoning]
        signed = {"type": "signature_delta", "signature": "scripted"}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*thinking, signed]
    if answer.text:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in answer.text]
    for call_id, name, pieces in answer.calls:
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield {"type": "tool_use", "id": call_id, "name": name, "input": {}}, deltas


WRITERS: dict[str, Callable[[Script], Iterator[bytes]]] = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _anthropic,
}
