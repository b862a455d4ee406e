"""Measures how a stream is read: StreamParser and Transcript against the vendors' SDKs, on the same bytes.

    python -m benchmarks.parse [EVENTS]

Each reader reads the same pieces of a text answer from memory. The answer has EVENTS deltas (default 2000) in the
vendor's format. The readers take turns. Times are CPU times, medians of RUNS, in microseconds per event on the wire.
The SDKs read through their own HTTP client, with a transport that serves the bytes, so their figures include the
client. `floor` is only msgspec's typed decoding of the JSON payloads, with the parser's structs: no framing, no events,
no transcript.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import msgspec
import openai

from streaming.protocol import StreamParser, Transcript
from streaming.protocol.dialects import DIALECTS

RUNS = 9
EVENTS = 2000
READ_BYTES = 8192
WORDS = (" the", " stream", "s", " are", " read", ",", " and", " kept", ".", " — Zürich")

Reader = Callable[[list[bytes]], object]


def words(count: int) -> list[str]:
    return [WORDS[i % len(WORDS)] for i in range(count)]


def chat_body(count: int) -> list[dict[str, Any]]:
    frame = {
        "id": "chatcmpl-CniDYHf0wtRlwtHHDVaoIT5HgZb3L",
        "object": "chat.completion.chunk",
        "created": 1766084448,
        "model": "gpt-4o-2024-08-06",
        "service_tier": "default",
        "system_fingerprint": "fp_37d212baff",
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return frame | {"choices": [choice], "usage": None, "obfuscation": "VNnjaeIH5xHKPt"}

    usage = {"prompt_tokens": 20, "completion_tokens": count, "total_tokens": count + 20}
    deltas = [chunk({"content": text}) for text in words(count)]
    first = chunk({"role": "assistant", "content": "", "refusal": None})
    return [first, *deltas, chunk({}, "stop"), frame | {"choices": [], "usage": usage}]


def messages_body(count: int) -> list[dict[str, Any]]:
    message = {"id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 20, "output_tokens": 1}}

    def delta(text: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}

    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *map(delta, words(count)),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": count}},
        {"type": "message_stop"},
    ]


def responses_body(count: int) -> list[dict[str, Any]]:
    id = "msg_0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e52"
    at = {"content_index": 0, "item_id": id, "output_index": 0}
    response = {"id": "resp_01", "object": "response", "created_at": 1766084448, "model": "gpt-5-mini", "output": []}
    response |= {"status": "in_progress", "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    item = {"id": id, "type": "message", "status": "in_progress", "content": [], "role": "assistant"}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    whole = part | {"text": "".join(words(count))}
    done = item | {"status": "completed", "content": [whole]}
    usage = {"input_tokens": 20, "output_tokens": count, "total_tokens": count + 20}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    rest = {"logprobs": [], "obfuscation": "J4mkASepgs2g"}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", "part": part} | at,
        *({"type": "response.output_text.delta", "delta": text} | at | rest for text in words(count)),
        {"type": "response.output_text.done", "text": whole["text"], "logprobs": []} | at,
        {"type": "response.content_part.done", "part": whole} | at,
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {
            "type": "response.completed",
            "response": response | {"status": "completed", "output": [done], "usage": usage},
        },
    ]
    return [event | {"sequence_number": n} for n, event in enumerate(events)]


def sse(payloads: list[dict[str, Any]]) -> bytes:
    """The stream in the vendors' form: with an `event:` line if the payload has a type, otherwise with `[DONE]`."""
    lines = []
    for payload in payloads:
        name = f"event: {payload['type']}\n" if "type" in payload else ""
        lines.append(f"{name}data: {json.dumps(payload, separators=(',', ':'), ensure_ascii=False)}\n\n")
    return "".join([*lines, "" if "type" in payloads[0] else "data: [DONE]\n\n"]).encode()


def ours(dialect: str) -> Reader:
    def read(pieces: list[bytes]) -> object:
        parser, transcript = StreamParser(dialect), Transcript()
        apply = transcript.apply
        for piece in pieces:
            for event in parser.feed(piece):
                apply(event)
        for event in parser.close():
            apply(event)
        assert transcript.outcome == "finished"
        return transcript.text

    return read


def floor(dialect: str, payloads: list[dict[str, Any]]) -> Reader:
    encoded = [json.dumps(p, separators=(",", ":"), ensure_ascii=False).encode() for p in payloads]
    decode = msgspec.json.Decoder(DIALECTS[dialect].stream.payload).decode

    def read(_pieces: list[bytes]) -> object:
        for payload in encoded:
            decode(payload)
        return None

    return read


class Pieces(httpx2.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def http(pieces: list[bytes]) -> httpx2.Client:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces(pieces))

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def openai_client(pieces: list[bytes]) -> openai.OpenAI:
    return openai.OpenAI(api_key="none", http_client=http(pieces))


def anthropic_client(pieces: list[bytes]) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="none", http_client=http(pieces))


SAID: Any = [{"role": "user", "content": "Hi"}]


def openai_chunks(pieces: list[bytes]) -> object:
    stream = openai_client(pieces).chat.completions.create(model="m", messages=SAID, stream=True)
    return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)


def openai_helper(pieces: list[bytes]) -> object:
    with openai_client(pieces).chat.completions.stream(model="m", messages=SAID) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion().choices[0].message.content


def responses_events(pieces: list[bytes]) -> object:
    stream = openai_client(pieces).responses.create(model="m", input="Hi", stream=True)
    return "".join(event.delta for event in stream if event.type == "response.output_text.delta")


def responses_helper(pieces: list[bytes]) -> object:
    with openai_client(pieces).responses.stream(model="m", input="Hi") as stream:
        for _ in stream:
            pass
        return stream.get_final_response().output_text


def anthropic_events(pieces: list[bytes]) -> object:
    stream = anthropic_client(pieces).messages.create(model="m", max_tokens=9, messages=SAID, stream=True)
    deltas: Iterator[Any] = (event.delta for event in stream if event.type == "content_block_delta")
    return "".join(delta.text for delta in deltas)


def anthropic_helper(pieces: list[bytes]) -> object:
    with anthropic_client(pieces).messages.stream(model="m", max_tokens=9, messages=SAID) as stream:
        for _ in stream:
            pass
        return stream.get_final_text()


CONTESTS: dict[str, tuple[Callable[[int], list[dict[str, Any]]], dict[str, Reader]]] = {
    "openai-chat": (chat_body, {"SDK chunks": openai_chunks, "SDK .stream()": openai_helper}),
    "openai-responses": (responses_body, {"SDK events": responses_events, "SDK .stream()": responses_helper}),
    "anthropic-messages": (messages_body, {"SDK events": anthropic_events, "SDK .stream()": anthropic_helper}),
}


def seconds(read: Reader, pieces: list[bytes]) -> float:
    gc.collect()
    start = time.process_time()
    read(pieces)
    return time.process_time() - start


def contest(dialect: str, count: int) -> None:
    body_of, readers = CONTESTS[dialect]
    payloads = body_of(count)
    body = sse(payloads)
    large = [body[i : i + READ_BYTES] for i in range(0, len(body), READ_BYTES)]
    single = [part + b"\n\n" for part in body.split(b"\n\n")[:-1]]
    field = {"floor": floor(dialect, payloads), "ours": ours(dialect)} | readers
    answers = {name: read(large) for name, read in field.items() if name != "floor"}
    assert set(answers.values()) == {"".join(words(count))}, dialect
    for title, pieces in ((f"{READ_BYTES // 1024} KB a read", large), ("one event a read", single)):
        runs = [{name: seconds(read, pieces) for name, read in field.items()} for _ in range(RUNS)]
        medians = {name: statistics.median(run[name] for run in runs) / len(payloads) * 1e6 for name in field}
        for name, cost in medians.items():
            print(f"{dialect:19} {title:17} {name:14} {cost:9.2f} {cost / medians['ours']:9.2f}x")
        print(f"{dialect:19} {title:17} {'ours to floor':14} {medians['ours'] / medians['floor']:20.2f}x")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    print(f"{'dialect':19} {'bytes come':17} {'reader':14} {'µs/event':>9} {'to ours':>10}")
    for dialect in CONTESTS:
        contest(dialect, count)


if __name__ == "__main__":
    main()
