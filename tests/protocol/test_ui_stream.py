"""The UI message stream: events to chunks, chunks to parts, parts to UIMessage parts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import (
    FilePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
)
from streaming.protocol import events as ev
from streaming.protocol.ui_stream import (
    Outcome,
    UIStreamEncoder,
    chunk_of,
    events_of,
    fold_chunks,
    frame,
    split_frames,
    ui_parts,
)

WHOLE = ToolCall(id="c1", name="f", raw_arguments='{"a":1}', arguments={"a": 1}, is_complete=True)
HALF = ToolCall(id="c2", name="g", raw_arguments='{"a":', error="truncated")
FREE = ToolCall(id="c3", name="shell", raw_arguments="ls -l", is_complete=True, is_json=False)
SEARCH = ToolCall(id="s", name="search", raw_arguments="{}", arguments={}, is_complete=True, is_provider_executed=True)
MESSAGE: tuple[Part, ...] = (
    ReasoningPart(text="hm", signature="sig"),
    TextPart(text="Grüße\n\n世界 🎈"),
    WHOLE,
    HALF,
    FREE,
    SEARCH,
    ToolResult(call_id="s", output=["found"], is_provider_executed=True),
    ToolResult(call_id=WHOLE.id, output={"sky": "clear"}),
    ToolApproval(call_id=FREE.id, is_approved=False),
    FilePart(media_type="image/png", url="https://example.org/a.png"),
    TextPart(text="end", citations=({"url": "https://example.org", "title": "An example"},)),
)


def encoded(*given: ev.Event, outcome: Outcome | None = None) -> list[dict[str, Any]]:
    encoder = UIStreamEncoder("m1")
    chunks = encoder.start()
    for event in given:
        chunks += encoder.encode(event)
    return [json.loads(chunk) for chunk in chunks + encoder.finish(outcome or Outcome(status="finished"))]


def types(chunks: list[dict[str, Any]]) -> list[str]:
    return [chunk["type"] for chunk in chunks]


def test_parts_survive_events_and_chunks() -> None:
    encoder = UIStreamEncoder("m1")
    chunks = encoder.start()
    for event in events_of(MESSAGE):
        chunks += encoder.encode(event)
    assert fold_chunks(chunks + encoder.finish(Outcome(status="finished"))) == MESSAGE


def test_step_starts_where_the_model_was_told_something() -> None:
    chunks = encoded(*events_of(MESSAGE))
    assert types(chunks).count("start-step") == 2
    shown = [part["type"] for part in ui_parts(MESSAGE)]
    assert shown.index("step-start") == shown.index("file") - 1
    assert shown.count("step-start") == 1


def test_fold_of_a_log_cut_anywhere_is_a_prefix() -> None:
    encoder = UIStreamEncoder("m1")
    chunks = encoder.start()
    for event in events_of(MESSAGE):
        chunks += encoder.encode(event)
    for cut in range(len(chunks) + 1):
        parts = fold_chunks(chunks[:cut])
        assert [type(part) for part in parts] == [type(part) for part in MESSAGE[: len(parts)]]
        assert all(not call.is_complete or call.arguments is not None or not call.is_json for call in calls(parts))


def calls(parts: tuple[Part, ...]) -> list[ToolCall]:
    return [part for part in parts if isinstance(part, ToolCall)]


def test_open_parts_are_closed_before_the_end() -> None:
    chunks = encoded(ev.ReasoningDelta(0, "hm"), ev.TextDelta(1, "Hi"))
    assert types(chunks)[-4:] == ["reasoning-end", "text-end", "finish-step", "finish"]


def test_refusal_is_shown_as_text() -> None:
    assert types(encoded(ev.RefusalDelta(0, "No."), ev.PartEnded(0)))[2:5] == ["text-start", "text-delta", "text-end"]


def test_other_choices_are_not_shown() -> None:
    chunks = encoded(
        ev.TextDelta(0, "a"), ev.TextDelta(1, "b", 1), ev.PartEnded(1), ev.ToolCallStarted(2, "c", "f", choice=1)
    )
    assert [chunk.get("delta") for chunk in chunks if chunk["type"] == "text-delta"] == ["a"]
    assert "tool-input-start" not in types(chunks)


def test_what_readers_need_not_see_adds_nothing() -> None:
    silent = [ev.Started("id", "m"), ev.Heartbeat(), ev.Warning("w"), ev.Unknown("{}"), ev.UsageReported(ev.Usage())]
    assert types(encoded(*silent)) == ["start", "start-step", "finish-step", "finish"]


@pytest.mark.parametrize(
    ("parts", "steps"),
    [
        ((HALF,), 2),
        ((WHOLE, ToolResult(call_id=WHOLE.id, output=1)), 2),
        ((WHOLE, HALF, ToolResult(call_id=WHOLE.id, output="no", is_error=True)), 2),
        ((WHOLE,), 1),
        ((WHOLE, HALF), 1),
        ((SEARCH, ToolResult(call_id=SEARCH.id, is_provider_executed=True)), 1),
        ((WHOLE, ToolResult(call_id=WHOLE.id, output=1), TextPart(text="So.")), 2),
        ((TextPart(text="So."),), 1),
    ],
)
def test_last_step_is_never_one_that_clients_would_go_on_from(parts: tuple[Part, ...], steps: int) -> None:
    """Clients go on by themselves if the last step has calls and each has an output or an error."""
    assert types(encoded(*events_of(parts))).count("start-step") == steps


def test_finish_can_be_asked_for_again() -> None:
    encoder = UIStreamEncoder("m1")
    encoder.start()
    encoder.encode(ev.TextDelta(0, "Hi"))
    outcome = Outcome(status="finished", finish_reason="stop")
    assert encoder.finish(outcome) == encoder.finish(outcome)


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        (Outcome(status="finished", finish_reason="tool_calls"), [("finish", "tool-calls")]),
        (Outcome(status="finished", finish_reason="refusal"), [("finish", "content-filter")]),
        (Outcome(status="cancelled"), [("abort", None), ("finish", "other")]),
        (Outcome(status="failed", error_text="Busy."), [("message-metadata", None), ("error", None)]),
    ],
)
def test_end_tells_how_it_went(outcome: Outcome, end: list[tuple[str, str | None]]) -> None:
    chunks = encoded(outcome=outcome)
    assert [(chunk["type"], chunk.get("finishReason")) for chunk in chunks[3:]] == end


@pytest.mark.parametrize(
    "citation",
    [
        {"type": "url_citation", "url": "https://example.org", "title": "T"},
        {"type": "url_citation", "url_citation": {"url": "https://example.org", "title": "T"}},
        {"type": "web_search_result_location", "url": "https://example.org", "title": "T"},
    ],
)
def test_citations_with_an_address_are_sources(citation: dict[str, Any]) -> None:
    source = encoded(ev.TextDelta(0, "x"), ev.Cited(0, citation))[4]
    assert source == {"type": "source-url", "sourceId": "1", "url": "https://example.org", "title": "T"}


@pytest.mark.parametrize("citation", [{}, {"url": 7}, {"url_citation": "x"}, {"type": "page_location", "page": 1}])
def test_citations_without_one_are_not(citation: dict[str, Any]) -> None:
    assert "source-url" not in types(encoded(ev.TextDelta(0, "x"), ev.Cited(0, citation)))


def test_frames_can_be_joined_and_taken_apart() -> None:
    frames = [frame(seq, chunk) for seq, chunk in enumerate([b'{"a":"\\n\\n"}', b"{}", b'{"b":"id: 9"}'], 1)]
    assert split_frames(b"".join(frames)) == frames
    assert [chunk_of(one) for one in frames] == [b'{"a":"\\n\\n"}', b"{}", b'{"b":"id: 9"}']


def test_ui_parts_put_a_call_and_its_result_together() -> None:
    shown = {part.get("toolCallId", part["type"]): part for part in ui_parts(MESSAGE)}
    assert (shown["c1"]["state"], shown["c1"]["output"]) == ("output-available", {"sky": "clear"})
    assert shown["c1"]["input"] == {"a": 1}
    assert shown["c2"]["state"] == "output-error"
    assert shown["c2"]["errorText"] == "The arguments were cut off."
    assert shown["c3"]["input"] == "ls -l"
    assert (shown["c3"]["state"], shown["c3"]["approval"]) == ("output-denied", {"id": "c3", "approved": False})
    assert shown["s"]["state"] == "output-available"
    assert shown["s"]["output"] == ["found"]


@pytest.mark.parametrize(
    ("decision", "state"),
    [((), "input-available"), ((None,), "approval-requested"), ((None, True), "approval-responded")],
)
def test_ui_parts_show_what_a_call_waits_for(decision: tuple[bool | None, ...], state: str) -> None:
    approvals = [ToolApproval(call_id="c1", is_approved=said) for said in decision]
    (shown,) = ui_parts((WHOLE, *approvals))
    assert shown["state"] == state


def test_live_and_reloaded_tool_errors_are_worded_alike() -> None:
    live = next(chunk for chunk in encoded(*events_of((HALF,))) if chunk["type"] == "tool-input-error")
    assert live["errorText"] == ui_parts((HALF,))[0]["errorText"]


def test_result_of_a_call_that_was_not_told_is_not_shown() -> None:
    results = [ev.ToolResulted(0, "elsewhere", "found"), ev.ToolResulted(1, "elsewhere", "lost", is_error=True)]
    kept = ["data-kept-part"] * 2
    assert types(encoded(*results)) == ["start", "start-step", *kept, "finish-step", "finish"]


def test_failure_of_a_providers_tool_is_worded_the_same_live_and_reloaded() -> None:
    failed = ToolResult(call_id="s", output={"error_code": "unavailable"}, is_error=True, is_provider_executed=True)
    (live,) = [chunk for chunk in encoded(*events_of((SEARCH, failed))) if chunk["type"] == "tool-output-error"]
    (reloaded,) = ui_parts((SEARCH, failed))
    assert live["errorText"] == reloaded["errorText"] == "The provider's tool failed."


def test_sources_are_the_same_live_and_reloaded() -> None:
    citations = ({"url": "https://example.org/1", "title": "T"}, {"page": 1}, {"url": "https://example.org/2"})
    parts = (TextPart(text="x", citations=citations), TextPart(text="y", citations=citations[:1]))
    live = [chunk for chunk in encoded(*events_of(parts)) if chunk["type"] == "source-url"]
    reloaded = [part for part in ui_parts(parts) if part["type"] == "source-url"]
    assert live == reloaded
    assert [source["sourceId"] for source in reloaded] == ["1", "2", "3"]
