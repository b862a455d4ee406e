"""Each recording means the same if another server had sent it: in other frames, or with other numbers and ids."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.protocol.golden import STREAMS
from tests.protocol.wire import fold, parse

Wire = dict[str, Any]
CHAT, MESSAGES, RESPONSES = "openai-chat", "anthropic-messages", "openai-responses"


def events_of(body: bytes) -> list[Wire]:
    lines = [line[6:] for line in body.splitlines() if line.startswith(b"data: {")]
    return [json.loads(line) for line in lines]


def framed(events: list[Wire]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def named(events: list[Wire]) -> bytes:
    bare = (event | {"type": ""} for event in events)
    data = zip((event["type"] for event in events), bare, strict=True)
    return b"".join(f"event: {type_}\ndata: {json.dumps(event)}\n\n".encode() for type_, event in data)


def glued(events: list[Wire]) -> bytes:
    return b"data: " + b"".join(json.dumps(event).encode() for event in events) + b"\n\n"


def fragments(events: list[Wire]) -> Iterator[Wire]:
    for event in events:
        for choice in event.get("choices") or []:
            yield from (choice.get("delta") or {}).get("tool_calls") or []


def repeating(events: list[Wire], *keys: str) -> list[Wire]:
    """Returns the events with the id or the name of each call on all its fragments."""
    seen: dict[Any, Wire] = {}
    for fragment in fragments(events):
        first = seen.setdefault(fragment.get("index"), fragment)
        if "id" in keys:
            fragment["id"] = first.get("id")
        if "name" in keys:
            fragment.setdefault("function", {})["name"] = first["function"].get("name")
    return events


def without(events: list[Wire], key: str, end: str = "") -> list[Wire]:
    """Returns the events without a key, or without those whose type ends with `end`."""
    for event in events:
        event.pop(key, None)
    for fragment in fragments(events):
        fragment.pop(key, None)
    return [event for event in events if not (end and event.get("type", "").endswith(end))]


def twice(events: list[Wire], *ends: str) -> list[Wire]:
    return [event for each in events for event in ([each] * (1 + each.get("type", "").endswith(ends)))]


Variant = Callable[[list[Wire]], bytes]
FRAMES: dict[str, Variant] = {
    "data only": framed,
    "CR": lambda events: framed(events).replace(b"\n", b"\r"),
    "no space": lambda events: framed(events).replace(b"data: ", b"data:"),
    "no blank lines": lambda events: framed(events).replace(b"\n\n", b"\n"),
    "one line": glued,
    "quoted": lambda events: b"".join(b"data: " + json.dumps(json.dumps(each)).encode() + b"\n\n" for each in events),
}
OWN: dict[str, dict[str, Variant]] = {
    CHAT: {
        "no index": lambda events: framed(without(repeating(events, "id"), "index")),
        "no id": lambda events: framed(without(events, "id")),
        "the id on each fragment": lambda events: framed(repeating(events, "id")),
        "the name on each fragment": lambda events: framed(repeating(events, "name")),
        "both on each fragment": lambda events: framed(repeating(events, "id", "name")),
    },
    MESSAGES: {
        "names only": named,
        "starts twice": lambda events: framed(twice(events, "message_start", "block_start")),
        "stops twice": lambda events: framed(twice(events, "block_stop")),
        "no stops of blocks": lambda events: framed(without(events, "", "block_stop")),
        "no index": lambda events: framed(without(events, "index")),
    },
    RESPONSES: {
        "names only": named,
        "no item ids": lambda events: framed(without(events, "item_id")),
        "no numbers": lambda events: framed(without(events, "sequence_number")),
        "twice done": lambda events: framed(twice(events, ".done")),
        "no deltas": lambda events: framed(without(events, "", ".delta")),
    },
}
RECORDINGS = [path for path in sorted(STREAMS.glob("*/*.sse")) if path.stem != "cut"]


def meaning(dialect: str, body: bytes) -> Any:
    transcript = fold(parse(dialect, [body]))
    calls = [(each.name, each.arguments, each.is_complete) for each in transcript.tool_calls]
    return transcript.outcome, transcript.text, transcript.reasoning, calls, transcript.usage, transcript.finish_reason


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_recording_means_the_same_in_every_variant(path):
    dialect, events = path.parent.name, events_of(path.read_bytes())
    wanted = meaning(dialect, framed(events))
    for name, variant in (FRAMES | OWN[dialect]).items():
        assert meaning(dialect, variant(copy.deepcopy(events))) == wanted, name
