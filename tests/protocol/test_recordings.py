"""Recorded streams: our own with golden results, and a larger collection if one is beside the repository."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from tests.protocol.golden import STREAMS, recordings, summary_of
from tests.protocol.wire import fold, parse, read

SHARED = Path(__file__).resolve().parents[3] / "shared" / "streams"
EXPECTED = json.loads((SHARED / "EXPECTED.json").read_text()) if (SHARED / "EXPECTED.json").exists() else {}
MAX_CUTS = 60

SIGNALS = {
    "openai-chat": re.compile(rb'"finish_reason": ?"[^"]|\[DONE\]'),
    "anthropic-messages": re.compile(rb'"stop_reason": ?"[^"]|message_stop'),
    "openai-responses": re.compile(rb"response\.(completed|incomplete)"),
}
ERROR = re.compile(rb'"error": ?[{"]|^error:|event: error|response\.failed', re.M)

OURS = [pytest.param(path, id=str(path.relative_to(STREAMS))) for path in recordings()]
THEIRS = [pytest.param(name, id=name) for name in sorted(EXPECTED)]


@pytest.mark.parametrize("path", OURS)
def test_recording_adds_up_to_its_golden_result(path):
    assert summary_of(path) == json.loads(path.with_suffix(".json").read_text())


@pytest.mark.parametrize("path", OURS)
def test_recording_cut_at_every_byte_is_truncated_until_the_signal(path):
    body = path.read_bytes()
    _assert_cuts(path.parent.name, body, range(len(body)) if len(body) < 4000 else _some(body, MAX_CUTS * 5))


@pytest.mark.parametrize("path", OURS)
def test_recording_is_read_the_same_however_it_is_cut(path):
    read(path.parent.name, path.read_bytes())


@pytest.mark.optional
@pytest.mark.skipif(not EXPECTED, reason="no collection of recordings beside the repository")
@pytest.mark.parametrize("name", THEIRS)
def test_collected_recording_adds_up_to_what_is_expected(name):
    want = EXPECTED[name]
    body = (SHARED / name).read_bytes()
    transcript = fold(parse(want["dialect"], [body]))
    assert (transcript.outcome, transcript.text) == (want["outcome"], want["text"])
    assert [call.is_complete for call in transcript.tool_calls] == [True] * len(transcript.tool_calls)
    names = [(call.name, call.id) for call in transcript.tool_calls]
    assert [call for call in want["tool_calls"] if (call["name"], call["id"]) not in names and call["id"]] == []
    for key, count in (want["usage"] or {}).items():
        assert count is None or getattr(transcript.usage, key) == count


@pytest.mark.optional
@pytest.mark.skipif(not EXPECTED, reason="no collection of recordings beside the repository")
@pytest.mark.parametrize("name", THEIRS)
def test_collected_recording_cut_anywhere_is_truncated_until_the_signal(name):
    body = (SHARED / name).read_bytes()
    _assert_cuts(EXPECTED[name]["dialect"], body, _some(body, MAX_CUTS))


def _some(body: bytes, count: int) -> list[int]:
    """Returns positions to cut at: some anywhere, and all of those in the last line with content."""
    rng = random.Random(len(body))
    return sorted({rng.randrange(len(body)) for _ in range(count)} | set(range(max(0, len(body) - count), len(body))))


def _assert_cuts(dialect: str, body: bytes, places: range | list[int]) -> None:
    for at in places:
        outcome = fold(parse(dialect, [body[:at]])).outcome
        allowed = {"truncated"}
        if SIGNALS[dialect].search(body, 0, at):
            allowed.add("finished")
        if ERROR.search(body, 0, at):
            allowed.add("failed")
        assert outcome in allowed, f"cut at {at}: {outcome}"
