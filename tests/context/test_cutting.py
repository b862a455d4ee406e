"""Where a conversation is cut: between questions, never inside a tool exchange, and in large strides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.context import ContextOptions, Load, cuts, next_cut, tokens_allowed
from streaming.protocol import ToolCall, ToolResult, Turn
from streaming.protocol.requests import repair, tokens_in
from tests.context.histories import answer, exchange, histories, question


def sizes(turns: list[Turn]) -> list[int]:
    return [tokens_in(turn.parts) for turn in turns]


def calls_and_results(turns: list[Turn]) -> tuple[set[str], set[str]]:
    parts = [part for turn in turns for part in turn.parts]
    called = {part.id for part in parts if isinstance(part, ToolCall)}
    return called, {part.call_id for part in parts if isinstance(part, ToolResult)}


@given(histories())
def test_no_cut_parts_a_call_from_its_result(turns: list[Turn]) -> None:
    for place in cuts(turns):
        before, after = calls_and_results(turns[:place]), calls_and_results(turns[place:])
        assert not before[0] & after[1]
        assert not after[0] & before[1]


@given(histories())
def test_what_is_left_after_a_cut_begins_with_a_question_and_needs_no_repair_that_the_whole_does_not(
    turns: list[Turn],
) -> None:
    whole = repair(turns)
    for place in cuts(turns):
        left = repair(turns[place:])
        assert left[0].role == "user"
        assert left == whole[len(whole) - len(left) :]


@given(histories())
def test_newest_question_is_the_last_place_of_a_cut(turns: list[Turn]) -> None:
    assert (cuts(turns) or [0])[-1] == len(turns) - 1


def test_a_person_who_asks_while_a_tool_works_is_no_place_for_a_cut() -> None:
    turns = [*exchange(1, "text", 1), *exchange(2, "late", 1), question("now")]
    assert cuts(turns) == [2, 6]


@given(histories(), st.integers(0, 200), st.integers(10, 400), st.sampled_from([0.3, 0.6, 1.0]))
def test_cut_fits_or_leaves_the_newest_question_alone(turns: list[Turn], fixed: int, most: int, keep: float) -> None:
    load, places = Load(sizes(turns), fixed), cuts(turns)
    cut = next_cut(load, places, 0, most, keep)
    assert cut in (0, *places)
    if cut == 0:
        assert load.whole(0) <= most or not places
    else:
        assert load.whole(cut) <= most or cut == places[-1]
        assert load.whole(0) > most


@given(histories(), st.integers(0, 50), st.integers(50, 400))
def test_a_cut_moves_forward_only_and_stays_while_the_request_fits(turns: list[Turn], fixed: int, most: int) -> None:
    places = cuts(turns)
    now = next_cut(Load(sizes(turns), fixed), places, 0, most, 0.6)
    longer = [*turns, answer("more"), question("and then?")]
    load = Load(sizes(longer), fixed)
    later = next_cut(load, cuts(longer), now, most, 0.6)
    assert later >= now
    assert later == now or load.whole(now) > most


def test_conversation_is_cut_in_strides_and_not_at_each_turn() -> None:
    turns: list[Turn] = []
    cut, moves = 0, 0
    for number in range(200):
        turns += exchange(number, "text", 40)
        before = cut
        cut = next_cut(Load(sizes(turns), 100), cuts(turns), cut, 3_000, 0.6)
        moves += cut != before
        assert Load(sizes(turns), 100).whole(cut) <= 3_000
    assert 8 <= moves <= 20  # 200 turns of 100 tokens, and each cut makes room for some 1,200 tokens


def test_a_long_newest_exchange_takes_more_than_its_share_if_it_must() -> None:
    turns = [*exchange(1, "text", 10), *exchange(2, "text", 10), *exchange(3, "text", 30)]
    load = Load(sizes(turns), 0)
    most = load.turns(4) + 1
    assert next_cut(load, cuts(turns), 0, most, 0.5) == 4


@pytest.mark.parametrize(
    ("options", "longest", "allowed"),
    [
        (ContextOptions(), 100, None),
        (ContextOptions(window=100_000), None, 91_808),
        (ContextOptions(window=100_000), 1_000, 99_000),
        (ContextOptions(window=4_000), None, 3_000),
        (ContextOptions(window=4_000, reserve=0), 2_000, 4_000),
    ],
)
def test_answer_gets_a_part_of_the_window(options: ContextOptions, longest: int | None, allowed: int | None) -> None:
    assert tokens_allowed(options, longest) == allowed
