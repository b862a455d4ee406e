"""A log restores, after a crash, exactly what would have been stored without the crash, on every recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streaming.protocol import Event, Part, TextRecast
from streaming.protocol.ui_stream import Outcome, UIStreamEncoder, fold_chunks
from tests.protocol.collected import COLLECTED, read_recording
from tests.protocol.wire import chunk, completed, created, fold, item, named, parse

ORIGIN = "openai-chat example.org"


def chunks_of(events: list[Event]) -> list[bytes]:
    encoder = UIStreamEncoder("m1")
    encoder.origin = ORIGIN
    return encoder.start() + [chunk for event in events for chunk in encoder.encode(event)]


def stored(events: list[Event]) -> tuple[Part, ...]:
    return tuple(fold(events, origin=ORIGIN).parts)


@pytest.mark.parametrize("path", COLLECTED)
def test_restored_parts_are_those_that_would_have_been_stored(path: Path) -> None:
    dialect, body = read_recording(path)
    events = parse(dialect, [body])
    end = UIStreamEncoder("m1").finish(Outcome(status="finished"))
    assert fold_chunks(chunks_of(events) + end) == stored(events)


@pytest.mark.parametrize("path", COLLECTED)
def test_restored_parts_of_a_cut_stream_are_those_that_had_arrived(path: Path) -> None:
    dialect, body = read_recording(path)
    events = parse(dialect, [body[: len(body) // 2]])
    assert fold_chunks(chunks_of(events)) == stored(events)


@pytest.mark.parametrize("texts", [("I think", "</think>", "Yes."), ("I think</think>",), ("a</think>b", "c</think>d")])
def test_text_that_turned_out_to_be_reasoning_is_restored_as_reasoning(texts: tuple[str, ...]) -> None:
    body = b"".join(b"data: %b\n\n" % json.dumps(chunk({"content": text})).encode() for text in texts)
    events = parse("openai-chat", [body], split_think_tags=True)
    assert any(isinstance(event, TextRecast) for event in events)
    assert fold_chunks(chunks_of(events)) == stored(events)


@pytest.mark.parametrize("streamed", [['{"x": "a', 'b"}'], ["cipher"], ['{"x": "a"'], ['{"x": "a b"}']])
@pytest.mark.parametrize("whole", ['{"x": "a b"}', '{"x": "a b'])
def test_arguments_that_the_server_replaced_are_restored(streamed: list[str], whole: str) -> None:
    deltas = [{"type": "response.function_call_arguments.delta", "delta": text} for text in streamed]
    wire = {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": ""}
    broken = b'data: {"broken\n\n'
    begun, ended = item(0, wire, *deltas)[:-1], item(0, wire, arguments=whole)[-1:]
    events = parse("openai-responses", [named(created(), *begun) + broken + named(*ended, completed())])
    assert fold_chunks(chunks_of(events)) == stored(events)


def test_free_text_that_the_server_replaced_is_restored() -> None:
    wire = {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "f", "input": ""}
    delta = {"type": "response.custom_tool_call_input.delta", "delta": "rm "}
    begun, ended = item(0, wire, delta)[:-1], item(0, wire, input="rm -i x")[-1:]
    body = named(created(), *begun) + b'data: {"broken\n\n' + named(*ended, completed())
    events = parse("openai-responses", [body], tools=["f"])
    assert stored(events)[0].raw_arguments == "rm -i x"
    assert fold_chunks(chunks_of(events)) == stored(events)
