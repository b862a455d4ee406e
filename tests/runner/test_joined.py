"""Deltas that arrive together: one frame has the words of all."""

from __future__ import annotations

import random

import msgspec

from streaming.journal import LiveLog, Opening
from streaming.protocol import (
    Event,
    PartEnded,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Transcript,
)
from streaming.protocol.ui_stream import chunk_of
from streaming.runner.draft import Draft
from streaming.runner.joined import joined


def test_deltas_of_one_part_become_one() -> None:
    events = [
        ReasoningDelta(0, "Hm"),
        ReasoningDelta(0, "m."),
        PartEnded(0),
        TextDelta(1, "Let "),
        TextDelta(1, "me "),
        TextDelta(1, "look."),
        PartEnded(1),
        ToolCallStarted(2, "one", "search"),
        ToolCallDelta(2, "{"),
        ToolCallDelta(2, "}"),
        ToolCallDelta(3, "{"),
        RefusalDelta(4, "N"),
        RefusalDelta(4, "o"),
    ]
    assert joined(events) == [
        ReasoningDelta(0, "Hmm."),
        PartEnded(0),
        TextDelta(1, "Let me look."),
        PartEnded(1),
        ToolCallStarted(2, "one", "search"),
        ToolCallDelta(2, "{}"),
        ToolCallDelta(3, "{"),
        RefusalDelta(4, "No"),
    ]


def test_nothing_of_another_part_class_or_choice_is_joined() -> None:
    events = [
        TextDelta(0, "a"),
        ReasoningDelta(0, "b"),
        TextDelta(0, "c"),
        TextDelta(1, "d"),
        TextDelta(1, "e", choice=1),
    ]
    assert joined(events) == events
    assert joined(events[:1]) == events[:1]
    assert joined([]) == []


def test_joined_deltas_tell_the_same() -> None:
    draw = random.Random(1)  # a seed makes the test repeatable
    parts: list[list[Event]] = [
        [draw.choice((TextDelta, ReasoningDelta))(part, draw.choice(("a", "é", "")))] * draw.randint(1, 4)
        for part in range(200)
    ]
    events = [event for part in parts for event in part]
    apart, together = Transcript(), Transcript()
    for event in events:
        apart.apply(event)
    for event in joined(events):
        together.apply(event)
    assert together.parts == apart.parts
    assert len(joined(events)) <= len(parts) < len(events)


def test_words_of_one_read_are_one_frame() -> None:
    log = LiveLog()
    draft = Draft(Opening("m"), log)
    opened = log.last_seq
    draft.apply([TextDelta(0, "word ")] * 100)
    chunks = [msgspec.json.decode(chunk_of(frame)) for frame in log.since(opened)]
    assert [chunk["type"] for chunk in chunks] == ["text-start", "text-delta"]
    assert chunks[1]["delta"] == "word " * 100
    assert draft.transcript.text == "word " * 100
