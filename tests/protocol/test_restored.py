"""A log restores, after a crash, exactly what would have been stored without the crash, on every recording."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streaming.protocol import Event, Part, TextRecast
from streaming.protocol.ui_stream import Outcome, UIStreamEncoder, fold_chunks
from tests.protocol.collected import COLLECTED, read_recording
from tests.protocol.wire import chunk, fold, parse

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
