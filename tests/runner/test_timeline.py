"""The timeline of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import ReasoningDelta, StepStarted, TextDelta, ToolCallStarted, ToolResulted
from streaming.runner import Timeline
from streaming.runner.timeline import MAX_ENTRIES
from tests.stepwise import WEATHER, run, says


def test_timeline_has_growth_calls_and_steps() -> None:
    timeline = Timeline()
    for at, event in [
        (100, ReasoningDelta(0, "Hmm.")),
        (200, TextDelta(1, "Let me")),
        (205, TextDelta(1, " look.")),
        (300, ToolCallStarted(2, "call_1", "search")),
        (900, ToolResulted(3, "call_1", "found")),
        (950, StepStarted()),
        (1000, TextDelta(4, "There.")),
    ]:
        timeline.note(at, event)
    assert timeline.entries == [
        (100, "reasoning", 4),
        (200, "text", 12),
        (300, "call", "call_1"),
        (900, "result", "call_1"),
        (950, "step", 2),
        (1000, "text", 6),
    ]


def test_long_timeline_grows_coarser_and_loses_no_character() -> None:
    timeline = Timeline()
    for number in range(100_000):
        timeline.note(number * 25, TextDelta(0, "word "))
    assert len(timeline.entries) <= MAX_ENTRIES
    assert sum(entry[2] for entry in timeline.entries if isinstance(entry[2], int)) == 500_000
    times = [entry[0] for entry in timeline.entries]
    assert times == sorted(times)


def test_timeline_of_calls_alone_is_bounded() -> None:
    timeline = Timeline()
    for number in range(3 * MAX_ENTRIES):
        timeline.note(number, ToolCallStarted(number, f"call_{number}", "search"))
    assert len(timeline.entries) <= MAX_ENTRIES


@pytest.mark.usefixtures("engine", "site_tools")
async def test_settled_row_has_its_timeline_and_the_names_of_its_tools(settings: Any) -> None:
    says(settings, ("Let me look. ", (WEATHER,)), ("It is clear.", ()))
    row, _ = await run()
    kinds = [kind for _, kind, _ in row.timeline]
    assert [kind for kind in kinds if kind not in ("text", "step")] == ["call", "run", "result"]
    began, ended = (next(ms for ms, kind, _ in row.timeline if kind == wanted) for wanted in ("run", "result"))
    assert ended - began >= 40  # the tool sleeps for 50 ms
    assert sum(value for _, kind, value in row.timeline if kind == "text") == len(row.message.text)
    assert row.message.tool_names == "\nget_weather\n"
