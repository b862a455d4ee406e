"""The time for which the model thought is in the stored part and in the log."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from streaming.journal import LiveLog, Opening
from streaming.protocol import PartEnded, ReasoningDelta, ReasoningPart, TextDelta
from streaming.protocol.ui_stream import Outcome, chunk_of, fold_chunks
from streaming.runner import draft as module
from streaming.runner.draft import Draft


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.mark.parametrize(("seconds", "duration_ms"), [(12, 12_000), (0.4, None)])
def test_reasoning_remembers_how_long_it_took(clock: Clock, seconds: float, duration_ms: int | None) -> None:
    log = LiveLog()
    draft = Draft(Opening("m1"), log)
    draft.apply([ReasoningDelta(0, "First "), ReasoningDelta(0, "this.")])
    clock.now += seconds
    draft.apply([PartEnded(0), TextDelta(1, "So."), PartEnded(1)])
    [reasoning, text] = draft.parts
    assert reasoning == ReasoningPart(text="First this.", duration_ms=duration_ms)
    log.append(draft.closing(Outcome(status="finished", finish_reason="stop", error_text="", metadata={})))
    assert list(fold_chunks(map(chunk_of, log.read(0)))) == [reasoning, text]
