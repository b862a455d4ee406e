"""Streams that no server should send: arbitrary bytes, words of the protocols in any order, changed recordings."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

DIALECTS = ("openai-chat", "openai-responses", "anthropic-messages")
SIGNS = {b'"choices"': "openai-chat", b"message_start": "anthropic-messages", b"response.": "openai-responses"}
RECORDINGS = (Path(__file__).parent / "streams", Path(__file__).parents[2] / "shared" / "streams")
LARGEST = 64 * 1024
"""The most bytes of a recording. The rest of a long recording only repeats itself."""

WORDS = [
    *(b"\n", b"\n\n", b"\r", b"\r\n", b"data: ", b"data:", b"event: error\n", b"event: ping\n", b": \n", b"id: 1\n"),
    *(b"retry: 1\n", b"error: ", b"[DONE]", b"null", b"[]", b"{}", b"{", b"}", b'"', b"\xff", b"\xef\xbb\xbf", b"\0"),
    *(b'{"choices":[{"index":0,"delta":', b'{"content":"a"}', b'{"content":null}', b"}]}", b'"finish_reason":"stop"'),
    *(b'{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}', b'{"error":{"message":"no"}}'),
    *(b'{"type":"message_start","message":{"id":"m"}}', b'{"type":"message_stop"}', b'{"type":"error"}'),
    *(
        b'{"type":"content_block_start","index":0,"content_block":',
        b'{"type":"text","text":""}}',
        b'{"type":"tool_use"}',
    ),
    *(b'{"type":"content_block_delta","index":0,"delta":', b'{"type":"text_delta","text":"<think>"}}'),
    *(b'{"type":"response.output_item.added","output_index":0,"item":', b'{"type":"function_call","name":"f"}}'),
    *(b'{"type":"response.output_text.delta","output_index":0,"delta":"x"}', b'{"type":"response.completed"}'),
]
JSON_WORDS: list[Any] = [None, True, 0, -1, 1e300, 2**70, "", "x", "\ud83d", "}{", [], {}, [None], {"": None}, [[]]]


@cache
def recordings() -> list[tuple[str, bytes]]:
    """Recorded streams with their dialects."""
    paths = sorted(path for root in RECORDINGS for path in root.rglob("*.sse"))
    bodies = [path.read_bytes()[:LARGEST] for path in paths]
    return [(dialect_of(body), body) for body in bodies]


def dialect_of(body: bytes) -> str:
    """The dialect of a recording, found by a word that only this dialect has."""
    return next((dialect for word, dialect in SIGNS.items() if word in body), "openai-chat")


def mutate_bytes(body: bytes, rng: random.Random) -> bytes:
    at, end = sorted(rng.randrange(len(body) + 1) for _ in range(2))
    end = min(end, at + rng.choice((1, 4, 300)))
    word = rng.choice([b"", bytes([rng.randrange(256)]), rng.choice(WORDS), body[at:end] * 2])
    return body[:at] + word + body[end:]


def mutate_blocks(body: bytes, rng: random.Random) -> bytes:
    """Drops, repeats or inserts whole events, or ends the stream after one."""
    blocks = body.split(b"\n\n")
    at, other = rng.randrange(len(blocks)), rng.randrange(len(blocks))
    changes: list[Callable[[], object]] = [
        lambda: blocks.pop(at),
        lambda: blocks.insert(other, blocks[at]),
        lambda: blocks.__setitem__(slice(at, None), []),
        lambda: blocks.insert(at, b"data: " + rng.choice(WORDS)),
    ]
    rng.choice(changes)()
    return b"\n\n".join(blocks)


def mutate_values(body: bytes, rng: random.Random) -> bytes:
    """Changes a value or a name somewhere in the JSON of an event."""
    blocks = body.split(b"\n")
    at = rng.randrange(len(blocks))
    try:
        payload = json.loads(blocks[at].removeprefix(b"data:"))
    except ValueError:
        return body
    holders = list(containers(payload))
    holder = rng.choice(holders) if holders else {}
    if isinstance(holder, dict) and holder and rng.random() < 0.3:
        holder[rng.choice(["index", "id", "type", "x"])] = holder.pop(rng.choice(list(holder)))
    elif holder:
        holder[rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))] = rng.choice(JSON_WORDS)
    blocks[at] = b"data: " + json.dumps(payload).encode()
    return b"\n".join(blocks)


def containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in list(value.values() if isinstance(value, dict) else value):
            yield from containers(inner)


def invent(rng: random.Random) -> tuple[str, bytes]:
    """A dialect and a stream for it."""
    kind = rng.random()
    if kind < 0.05 or not recordings():
        return rng.choice(DIALECTS), rng.randbytes(rng.randrange(200))
    if kind < 0.25:
        return rng.choice(DIALECTS), b"".join(rng.choices(WORDS, k=rng.randrange(1, 60)))
    dialect, body = rng.choice(recordings())
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        body = rng.choice((mutate_bytes, mutate_blocks, mutate_values))(body, rng)
    return (rng.choice(DIALECTS) if kind > 0.95 else dialect), body
