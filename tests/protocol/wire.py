"""Wire bytes for tests. They are read whole, byte by byte and cut in two, and must always give the same events."""

from __future__ import annotations

import json
from typing import Any

from streaming.protocol import Event, Failed, Finished, StreamParser, Transcript, Truncated

TERMINAL = (Finished, Failed, Truncated)
MAX_TWO_CUTS = 100


def parse(dialect: str, chunks: list[bytes], **options: Any) -> list[Event]:
    parser = StreamParser(dialect, **options)
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    events += parser.close()
    assert parser.close() == []
    assert parser.feed(b'data: {"late": true}\n\n') == []
    return events


def read(dialect: str, body: bytes, **options: Any) -> list[Event]:
    """Returns the events of `body`, after checking that every way of cutting it gives the same ones."""
    events = parse(dialect, [body], **options)
    assert parse(dialect, [body[i : i + 1] for i in range(len(body))], **options) == events
    for at in range(0, len(body), max(1, len(body) // MAX_TWO_CUTS)):
        assert parse(dialect, [body[:at], body[at:]], **options) == events, f"cut at {at}"
    assert [event for event in events if isinstance(event, TERMINAL)] == events[-1:]
    return events


def fold(events: list[Event], *, choice: int = 0, origin: str | None = None) -> Transcript:
    transcript = Transcript(choice=choice, origin=origin)
    for event in events:
        transcript.apply(event)
    return transcript


def outcome(body: bytes, **options: Any) -> tuple[str | None, str]:
    """Returns the outcome and the text of an OpenAI Chat body."""
    transcript = fold(read("openai-chat", body, **options))
    return transcript.outcome, transcript.text


def assert_says(dialect: str, body: bytes, wanted: dict[str, Any]) -> None:
    """Asserts the attributes of the transcript of `body`, by name (`error.code` is the code of its error).

    `calls` is a list of the name and arguments of each tool call; the arguments are None if they are not handed out.
    It is empty by default.
    """
    transcript = fold(read(dialect, body))
    calls = [(each.name, each.arguments) for each in transcript.tool_calls]
    for name, value in ({"calls": []} | wanted).items():
        outer, _, inner = name.partition(".")
        found = calls if name == "calls" else getattr(transcript, outer)
        assert (getattr(found, inner) if inner else found) == value, name


def sse(*payloads: Any) -> bytes:
    """Returns `data:` events. A dict becomes JSON; text and bytes stay as they are."""
    return b"".join(b"data: " + _bytes(payload) + b"\n\n" for payload in payloads)


def named(*payloads: dict[str, Any]) -> bytes:
    """Returns events with an `event:` line of their type, as Anthropic and the Responses API send them."""
    return b"".join(f"event: {p['type']}\ndata: {json.dumps(p)}\n\n".encode() for p in payloads)


def _bytes(payload: Any) -> bytes:
    if isinstance(payload, bytes):
        return payload
    return (payload if isinstance(payload, str) else json.dumps(payload)).encode()


# OpenAI Chat Completions


def chunk(delta: Any = None, finish: str | None = None, **rest: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]} | rest


def tool(**fragment: Any) -> dict[str, Any]:
    """Returns a chunk with one fragment of a tool call. `name` and `arguments` go into `function`."""
    function = {key: fragment.pop(key) for key in ("name", "arguments") if key in fragment}
    return chunk({"tool_calls": [fragment | {"function": function}]})


def chat(*payloads: Any, **options: Any) -> Transcript:
    return fold(read("openai-chat", sse(*payloads), **options))


# Anthropic Messages


def message(*blocks: dict[str, Any], stop: str | None = "end_turn", usage: Any = None) -> list[dict[str, Any]]:
    start = {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 10, "output_tokens": 1}}
    end = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage or {"output_tokens": 5}}
    return [{"type": "message_start", "message": start}, *blocks, end, {"type": "message_stop"}]


def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def anthropic(*payloads: dict[str, Any], **options: Any) -> Transcript:
    return fold(read("anthropic-messages", named(*payloads), **options))


# OpenAI Responses


def created() -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": "resp_1", "model": "gpt"}}


def completed(**response: Any) -> dict[str, Any]:
    usage = {"input_tokens": 7, "output_tokens": 3}
    return {"type": "response.completed", "response": {"status": "completed", "usage": usage} | response}


def item(index: int, wire: dict[str, Any], *events: dict[str, Any], **done: Any) -> list[dict[str, Any]]:
    """Returns the events of one item: added, `events`, done. `done` has the other fields of the finished item."""
    return [
        {"type": "response.output_item.added", "output_index": index, "item": wire},
        *({"output_index": index} | event for event in events),
        {"type": "response.output_item.done", "output_index": index, "item": wire | done},
    ]


def responses(*payloads: dict[str, Any], **options: Any) -> Transcript:
    return fold(read("openai-responses", named(*payloads), **options))
