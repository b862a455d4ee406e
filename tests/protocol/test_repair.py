"""Repair: the turns that providers accept."""

from __future__ import annotations

from streaming.protocol import Part, ReasoningPart, TextPart, ToolCall, ToolResult, Turn
from streaming.protocol.parts import Role
from streaming.protocol.requests import repair
from streaming.protocol.requests.repair import NOT_EXECUTED

WHOLE = ToolCall(id="c1", name="f", raw_arguments="{}", arguments={}, is_complete=True)
HALF = ToolCall(id="c2", name="f", raw_arguments='{"a": ', error="truncated")


def turn(role: Role, *parts: Part) -> Turn:
    return Turn(role=role, parts=parts)


def test_repair_leaves_a_sound_conversation_alone() -> None:
    sound = (turn("user", TextPart(text="Hi")), turn("assistant", ReasoningPart(text="hm"), TextPart(text="Hello")))
    assert repair(sound) == sound


def test_repair_drops_half_written_calls() -> None:
    assert repair([turn("assistant", TextPart(text="Let me see."), HALF)]) == (
        turn("assistant", TextPart(text="Let me see.")),
    )


def test_repair_answers_complete_calls_that_nobody_answered() -> None:
    assert repair([turn("assistant", WHOLE, HALF)]) == (
        turn("assistant", WHOLE),
        turn("tool", ToolResult(call_id="c1", output=NOT_EXECUTED, is_error=True)),
    )


def test_repair_does_not_answer_twice() -> None:
    answered = turn("assistant", WHOLE, ToolResult(call_id="c1", output="sunny"))
    assert repair([answered]) == (answered,)


def test_repair_leaves_one_result_of_each_call() -> None:
    first, second = (ToolResult(call_id="c1", output=told) for told in ("sunny", "rainy"))
    answered = [turn("assistant", WHOLE, first, second), turn("assistant", second, HALF, ToolResult(call_id="c2"))]
    assert repair(answered) == (turn("assistant", WHOLE, first),)


def test_repair_does_not_answer_what_the_provider_executed() -> None:
    searched = turn("assistant", ToolCall(id="s", name="web_search", is_complete=True, is_provider_executed=True))
    assert repair([searched]) == (searched,)


def test_repair_drops_turns_that_have_become_empty() -> None:
    assert repair([turn("user", TextPart(text="Hi")), turn("assistant", TextPart(text="")), turn("assistant")]) == (
        turn("user", TextPart(text="Hi")),
    )
