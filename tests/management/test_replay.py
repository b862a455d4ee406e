"""`manage.py replay`."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError

from streaming.management.commands.replay import Command
from streaming.management.pacing import paced, pieces_of
from streaming.models import Generation
from streaming.testing import frames_of
from tests import engine
from tests.engine import Script
from tests.management.commands import run
from tests.stepwise import WEATHER, says

TIMELINE = [
    [100, "reasoning", 3],
    [200, "text", 5],
    [210, "call", "c"],
    [300, "run", "c"],
    [900, "result", "c"],
    [950, "text", 9],
]


def test_pieces_have_the_times_of_the_timeline() -> None:
    pieces = [("reasoning", "hmm"), ("text", "Hello"), ("call", "f {}"), ("result", "1"), ("text", " there")]
    told = [tuple(piece) for piece in paced(pieces, TIMELINE, 0, 0)]
    assert told == [
        (100, "reasoning", "hmm"),
        (200, "text", "Hello"),
        (210, "call", "f {}"),
        (900, "result", "1"),
        (950, "text", " there"),
    ]


def test_nothing_is_lost_if_the_timeline_is_too_short() -> None:
    told = list(paced([("text", "Hello there"), ("call", "f")], TIMELINE[:2], 0, 0))
    assert "".join(piece.text for piece in told) == "Hello theref"
    assert [piece.ms for piece in told] == [200, 200, 200]


def test_words_come_evenly_without_a_timeline() -> None:
    told = [tuple(piece) for piece in paced([("text", "aaaa bbbb ")], None, 1000, 2000)]
    assert told == [(1000, "text", "aaaa "), (1500, "text", "bbbb ")]
    assert list(paced([], None, 0, 0)) == []


def test_chunks_that_people_do_not_see_are_no_pieces() -> None:
    chunks = [{"type": "start"}, {"type": "text-delta", "delta": "{x}"}, {"type": "finish"}]
    assert pieces_of(chunks) == [("text", "{x}")]


@pytest.mark.usefixtures("engine", "site_tools")
async def test_replay_shows_text_calls_and_results(settings: Any) -> None:
    says(settings, ("Let me look. ", (WEATHER,)), ("It rains.", ()))
    generation = await engine.submit()
    await frames_of(generation.pk)
    for name in ("c1", str(generation.pk), str(generation.message_id)):
        out, err = await sync_to_async(run)("replay", name, "--speed", "max")
        assert out == "Let me look. \nIt rains.\n"
        assert err.splitlines()[0] == '[get_weather {"city": "Oslo"}]'
        assert err.splitlines()[-1].startswith("[finished after ")
    _, err = await sync_to_async(run)("replay", "c1", "--speed", "max", "--json", "--verbosity", "0")
    assert json.loads(err)["generation"] == str(generation.pk)


@pytest.mark.usefixtures("engine")
async def test_reasoning_is_one_text_above_the_answer(scripted: Script) -> None:
    scripted(text="It rains.", reasoning="Let me think about it.")
    generation = await engine.submit()
    await frames_of(generation.pk)
    _, err = await sync_to_async(run)("replay", "c1", "--speed", "max")
    assert err.splitlines()[0] == "Let me think about it."


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("speed", "seconds"), [("1", 4.0), ("4x", 1.0)])
async def test_replay_takes_its_time(
    scripted: Script, monkeypatch: pytest.MonkeyPatch, speed: str, seconds: float
) -> None:
    scripted(text="one two three four five ")
    generation = await engine.submit()
    await frames_of(generation.pk)
    await Generation.objects.aupdate(first_delta_ms=1000, duration_ms=5000, timeline=None)
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    await sync_to_async(run)("replay", "c1", "--speed", speed)
    assert max(slept) == pytest.approx(seconds + 0.2 / float(speed[0]), abs=0.5)


@pytest.mark.usefixtures("engine")
async def test_interrupt_ends_the_replay_without_a_traceback(
    scripted: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scripted(text="one two three ")
    generation = await engine.submit()
    await frames_of(generation.pk)
    await Generation.objects.aupdate(first_delta_ms=1000, duration_ms=5000, timeline=None)

    def sleep(seconds: float) -> None:
        if sys.stdout.getvalue():  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", sleep)
    command = Command(stdout=sys.stdout, stderr=sys.stderr)
    with pytest.raises(SystemExit) as ended:
        await sync_to_async(command.run_from_argv)(["manage.py", "replay", "c1"])
    assert ended.value.code == 130
    out, err = capsys.readouterr()
    assert (out, err) == ("one \n", "Stopped.\n")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nothing",), "no stored answer 'nothing'"),
        (("c1", "--speed", "quick"), "'quick' is no speed"),
        (("c1", "--speed", "0"), "'0' is no speed; write a number, 0.01 or more, or max"),
        (("c1", "--speed", "nan"), "'nan' is no speed"),
        (("c1", "--speed", "-1"), "'-1' is no speed"),
        (("c1", "--speed", "1e-20"), "'1e-20' is no speed"),
    ],
)
def test_replay_says_what_is_wrong(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        run("replay", *arguments)


@pytest.mark.usefixtures("engine")
async def test_running_answer_cannot_be_replayed(scripted: Script) -> None:
    scripted(text="one two", delay=5)
    await engine.submit()
    with pytest.raises(CommandError, match="still being written"):
        await sync_to_async(run)("replay", "c1")
