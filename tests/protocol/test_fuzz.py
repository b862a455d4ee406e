"""The promises of the fuzz command, checked briefly; and the memory that endless streams take."""

from __future__ import annotations

import random
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.protocol import Event, StreamParser
from streaming.protocol.events import TERMINAL
from tests import fuzz
from tests.fuzz_streams import DIALECTS, WORDS, invent

dialects = st.sampled_from(DIALECTS)
numbers = st.integers(0, 2**32)
# The same examples on each run, so that a failure means a change of the code. The command tries new ones.
unhurried = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(dialects, st.binary(max_size=200), numbers)
def test_promises_hold_for_arbitrary_bytes(dialect: str, body: bytes, seed: int) -> None:
    fuzz.check(dialect, body, random.Random(seed))


@unhurried
@given(dialects, st.lists(st.sampled_from(WORDS) | st.binary(max_size=4), max_size=40), numbers)
def test_promises_hold_for_words_of_the_protocols_in_any_order(dialect: str, words: list[bytes], seed: int) -> None:
    fuzz.check(dialect, b"".join(words), random.Random(seed))


@unhurried
@given(numbers)
def test_promises_hold_for_mutated_recordings(seed: int) -> None:
    dialect, body = invent(random.Random(seed))
    fuzz.check(dialect, body, random.Random(seed))


def test_the_command_says_what_it_did() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "1", "--seed", "7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "seed 7: all promises held" in run.stdout


def test_a_broken_promise_is_found_and_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dropping(StreamParser):
        def feed(self, chunk: bytes) -> list[Event]:
            events = super().feed(chunk)
            return [event for event in events if not isinstance(event, TERMINAL)]

        def close(self) -> list[Event]:
            return [event for event in super().close() if not isinstance(event, TERMINAL)]

    monkeypatch.setattr(fuzz, "StreamParser", Dropping)
    found = fuzz.fault("openai-chat", b"data: [DONE]\n\n", 1)
    assert found == "Broken: one terminal event, and last; got []"
    assert fuzz.shorten("openai-chat", b"data: [DONE]\n\n", 1, found) == b""


LONG = "x" * 500


def chat(delta: str, index: str = "0") -> tuple[str, str]:
    return "openai-chat", f'data: {{"choices":[{{"index":{index},"delta":{delta}}}]}}\n\n'


def chat_call(call: str) -> tuple[str, str]:
    return chat(f'{{"tool_calls":[{{{call}}}]}}')


def block(event: str, payload: str) -> tuple[str, str]:
    return "anthropic-messages", f'data: {{"type":"content_block_{event}",{payload}}}\n\n'


def item(event: str, payload: str) -> tuple[str, str]:
    return "openai-responses", f'data: {{"type":"response.{event}",{payload}}}\n\n'


# The dialect and the text that an endless stream repeats. `@` stands for the number of the repetition.
ENDLESS = {
    "a line": ("openai-chat", LONG),
    "a data line": ("openai-chat", "data: " + LONG),
    "data of one event": ("openai-chat", f'data: "{LONG}\n'),
    "unknown fields": ("openai-chat", f"what: {LONG}\n"),
    "a page": ("openai-chat", f"<p>{LONG}</p>\n"),
    "event names": ("openai-chat", f"event: {LONG}@\n"),
    "comments": ("openai-chat", f": {LONG}\n\n"),
    "broken events": ("openai-chat", f"data: {LONG}\n\n"),
    "text": chat('{"content":"some words "}'),
    "growing text": chat('{"content":"aaaaaaaa"}'),
    "choices": chat('{"content":"x"}', index="@"),
    "unknown keys": chat(f'{{"what@":"{LONG}"}}'),
    "reasoning objects": chat(f'{{"reasoning_details":[{{"type":"reasoning.encrypted","data":"{LONG}"}}]}}'),
    "annotations": chat(f'{{"annotations":[{{"type":"url_citation","url":"{LONG}"}}]}}'),
    "arguments": chat_call(f'"index":0,"id":"a","function":{{"name":"f","arguments":"{LONG}"}}'),
    "arguments of no call": chat_call(f'"function":{{"arguments":"{LONG}"}}'),
    "arguments of unnamed calls": chat_call(f'"index":@,"function":{{"arguments":"{LONG}"}}'),
    "calls": chat_call('"index":@,"id":"a@","function":{"name":"f"}'),
    "ids of calls": chat_call(f'"index":0,"id":"{LONG}@"'),
    "names of calls": chat_call(f'"index":0,"id":"a","function":{{"name":"{LONG}"}}'),
    "audio": chat(f'{{"audio":{{"id":"a","data":"{LONG}"}}}}'),
    "the old way of calling": chat(f'{{"function_call":{{"name":"f","arguments":"{LONG}"}}}}'),
    "one block": block("start", '"index":0,"content_block":{"type":"text","text":""}'),
    "blocks": block("start", '"index":@,"content_block":{"type":"tool_use","id":"t@","name":"f"}'),
    "empty blocks": block("start", '"index":@,"content_block":{"type":"text","text":""}'),
    "unknown blocks": block("start", f'"index":@,"content_block":{{"type":"what","data":"{LONG}"}}'),
    "results": block("start", f'"index":@,"content_block":{{"type":"web_search_tool_result","content":"{LONG}"}}'),
    "input": block("delta", f'"index":0,"delta":{{"type":"input_json_delta","partial_json":"{LONG}"}}'),
    "signatures": block("delta", f'"index":0,"delta":{{"type":"signature_delta","signature":"{LONG}"}}'),
    "deltas of no block": block("delta", '"index":@,"delta":{"type":"text_delta","text":"x"}'),
    "citations": block("delta", f'"index":0,"delta":{{"type":"citations_delta","citation":{{"x":"{LONG}"}}}}'),
    "pings": ("anthropic-messages", 'event: ping\ndata: {"type":"ping"}\n\n'),
    "output text": item("output_text.delta", '"output_index":0,"content_index":0,"delta":"some words "'),
    "output parts": item("output_text.delta", '"output_index":0,"content_index":@,"delta":"some words "'),
    "items": item("output_item.added", '"output_index":@,"item":{"type":"function_call","name":"f"}'),
    "empty items": item("output_item.added", '"output_index":@,"item":{"type":"message"}'),
    "unknown items": item("output_item.done", f'"output_index":@,"item":{{"type":"what","x":"{LONG}"}}'),
    "annotations of an item": item("output_text.annotation.added", f'"output_index":0,"annotation":{{"x":"{LONG}"}}'),
    "item arguments": item("function_call_arguments.delta", f'"output_index":0,"delta":"{LONG}"'),
    "code": item("code_interpreter_call_code.delta", f'"output_index":0,"delta":"{LONG}"'),
    "images": item("image_generation_call.partial_image", f'"output_index":0,"partial_image_b64":"{LONG}"'),
    "shell commands": item("shell_call_command.delta", f'"output_index":0,"command_index":@,"delta":"{LONG}"'),
    "unknown events": item("what", f'"x":"{LONG}"'),
}


@pytest.mark.parametrize(
    ("dialect", "text"),
    [pair for pair in ENDLESS.values() if "@" in pair[1]],
    ids=[name for name, pair in ENDLESS.items() if "@" in pair[1]],
)
def test_promises_hold_where_an_answer_has_too_many_parts(dialect: str, text: str) -> None:
    events = fuzz.read(dialect, ["".join(text.replace("@", str(at)) for at in range(10_100)).encode()])
    fuzz.check_order(events)
    fuzz.check_transcript(events)
    assert isinstance(events[-1], TERMINAL)


BLOCKS = 20_000
"""Repetitions in each half of an endless stream: more than the bound on parts, and long ones exceed every buffer."""

BOUND = 32 * 1024 * 1024
"""The most bytes that a parser may hold. Its largest buffer is 8 MB and is copied while it is read."""


def endless(text: str, start: int) -> Iterator[bytes]:
    """Yields `text` BLOCKS times, a hundred at once. `@` becomes the number, from `start`."""
    for at in range(start, start + BLOCKS, 100):
        numbers = range(at, at + 100) if "@" in text else [0] * 100
        yield "".join(text.replace("@", str(number)) for number in numbers).encode()


def held_after(parser: StreamParser, chunks: Iterator[bytes]) -> int:
    for chunk in chunks:
        parser.feed(chunk)
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize(("dialect", "text"), ENDLESS.values(), ids=ENDLESS.keys())
def test_memory_is_bounded(dialect: str, text: str) -> None:
    tracemalloc.start()
    try:
        parser = StreamParser(dialect)
        first = held_after(parser, endless(text, 0))
        second = held_after(parser, endless(text, BLOCKS))
    finally:
        tracemalloc.stop()
    assert second < BOUND
    assert second - first < BLOCKS * len(text) / 10, "it goes on growing"
    parser.close()
