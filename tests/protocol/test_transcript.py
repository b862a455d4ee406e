"""Transcript: the fold of events, read at any time."""

from __future__ import annotations

import pytest

from streaming.protocol import (
    Cited,
    Failed,
    FilePart,
    FileReceived,
    Finished,
    Heartbeat,
    OpaquePart,
    OpaqueReceived,
    PartEnded,
    ReasoningDelta,
    ReasoningPart,
    ReasoningSigned,
    RefusalDelta,
    RefusalPart,
    Started,
    StreamError,
    TextDelta,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
    ToolResult,
    ToolResulted,
    Truncated,
    Unknown,
    Usage,
    UsageReported,
    Warning,
    dump_parts,
    load_parts,
)
from tests.protocol.wire import fold

EVERYTHING = [
    Started("id", "model"),
    ReasoningDelta(0, "wh"),
    ReasoningDelta(0, "y"),
    ReasoningSigned(0, "sig"),
    ReasoningSigned(0, None, {"type": "reasoning"}),
    PartEnded(0),
    TextDelta(1, "Hel"),
    Heartbeat(),
    TextDelta(1, "lo"),
    Cited(1, {"url": "a"}),
    Cited(1, {"url": "b"}),
    ToolCallStarted(2, "c", "f"),
    ToolCallDelta(2, '{"a"'),
    ToolCallDelta(2, ":1}"),
    ToolCallEnded(2, '{"a":1}', {"a": 1}, True, None, {"x": 1}),
    ToolResulted(3, "s", [1], True),
    FileReceived(4, "image/png", "data:image/png;base64,AA"),
    OpaqueReceived(5, {"type": "compaction"}),
    RefusalDelta(6, "No."),
    UsageReported(Usage(1, 2)),
    UsageReported(Usage(1, 3)),
    Warning("odd"),
    Unknown("{}"),
    Finished("stop", "end_turn"),
]


def test_every_event_has_its_place():
    transcript = fold(EVERYTHING)
    assert transcript.parts == [
        ReasoningPart(text="why", signature="sig", raw={"type": "reasoning"}),
        TextPart(text="Hello", citations=({"url": "a"}, {"url": "b"})),
        ToolCall(id="c", name="f", raw_arguments='{"a":1}', arguments={"a": 1}, is_complete=True, raw={"x": 1}),
        ToolResult(call_id="s", output=[1], is_error=True, is_provider_executed=True),
        FilePart(media_type="image/png", url="data:image/png;base64,AA"),
        OpaquePart(raw={"type": "compaction"}),
        RefusalPart(text="No."),
    ]
    assert (transcript.id, transcript.model) == ("id", "model")
    assert (transcript.text, transcript.reasoning, transcript.refusal) == ("Hello", "why", "No.")
    assert transcript.tool_calls == [transcript.parts[2]]
    assert transcript.usage == Usage(1, 3)
    assert (transcript.outcome, transcript.finish_reason, transcript.raw_finish_reason) == (
        "finished",
        "stop",
        "end_turn",
    )
    assert transcript.error is None


def test_parts_of_a_transcript_survive_json():
    parts = fold(EVERYTHING).parts
    assert list(load_parts(dump_parts(parts))) == parts


def test_it_can_be_read_while_it_grows():
    transcript = fold([])
    assert (transcript.text, transcript.parts, transcript.outcome, transcript.usage) == ("", [], None, None)
    texts = []
    for event in EVERYTHING:
        transcript.apply(event)
        texts.append((transcript.text, [call.raw_arguments for call in transcript.tool_calls]))
    assert texts[8:10] == [("Hello", []), ("Hello", [])]
    assert texts[12:14] == [("Hello", ['{"a"']), ("Hello", ['{"a":1}'])]


def test_a_long_one_says_all_of_it_at_any_time():
    pieces = ["a", "é", "世界", "🎉", "\ud83d", "\ude80", "\n", "words " * 9] * 200
    transcript = fold([])
    for said, piece in enumerate(pieces, 1):
        transcript.apply(TextDelta(0, piece))
        if said % 50 == 0:
            assert transcript.text == "".join(pieces[:said])
    assert transcript.parts == [TextPart(text="".join(pieces))]


def test_open_call_is_not_complete():
    (call,) = fold(EVERYTHING[:13]).tool_calls
    assert (call.arguments, call.is_complete) == (None, False)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (Finished("length", "length"), "finished"),
        (Failed(StreamError("c", "t", "m")), "failed"),
        (Truncated(), "truncated"),
    ],
)
def test_terminal_event_decides_the_outcome(event, outcome):
    transcript = fold([TextDelta(0, "a"), event])
    assert (transcript.outcome, transcript.text) == (outcome, "a")
    assert (transcript.error is None) == (outcome != "failed")


def test_one_choice_is_one_transcript():
    events = [TextDelta(0, "a"), TextDelta(0, "x", 1), PartEnded(0, 1), TextDelta(0, "b"), Truncated()]
    assert (fold(events).text, fold(events, choice=1).text, fold(events, choice=2).text) == ("ab", "x", "")
    assert fold(events, choice=1).outcome == "truncated"


def test_signature_is_replaced():
    events = [ReasoningSigned(0, "old"), ReasoningSigned(0, "new")]
    assert fold(events).parts == [ReasoningPart(signature="new")]
