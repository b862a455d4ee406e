"""The JSON in an answer's text: found in prose, cut anywhere, and read in linear time."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from streaming.outputs import NOTHING, JSONText, ObjectReader, OutputType, Unwrapped, judge
from streaming.protocol import TextPart
from tests.wanted import RECIPE, SOUP, Recipe

ODD = '{"a": [{}, "}\\" {", "\\ud83c\\udf72 \\u00e9 ☃"], "b": -1.5e3, "c": null}'
TEXTS = [ODD, f"Sure {{name}}: ```json\n{ODD}\n``` and {{more}}", f"{{{ODD}}}", '{ "x', "no", "{", f"[1] {ODD}"]


def cuts(text: str, seed: int) -> list[str]:
    """Returns the text in pieces of one to six characters."""
    chance, pieces = random.Random(seed), []
    while text:
        size = chance.randint(1, 6)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@pytest.mark.parametrize("text", TEXTS)
def test_cuts_change_nothing(text: str) -> None:
    whole = JSONText()
    found = whole.feed(text)
    assert found.strip() == (ODD if ODD in text else "")
    for seed in range(200):
        cut = JSONText()
        assert "".join(map(cut.feed, cuts(text, seed))) == found
        assert (cut.is_found, cut.is_complete, cut.has_other_text) == (
            whole.is_found,
            whole.is_complete,
            whole.has_other_text,
        )


REAL = '{"a": 1, "b": [{"c": "}"}]}'
ASTRAY = {
    "a brace in quotes": f'{{"not json}} {REAL}',
    "two of them": f'{{"not {{"json}} {REAL}',
    "a brace in quotes before a line": '{"not json} {\n"a": 1, "b": [{"c": "}"}]}',
    "an open brace": f"{{ {REAL} }}",
    "a set": f'{{"a", "b"}} {REAL}',
    "a placeholder": f"Use {{}} and {{{{}}}}: {REAL} or {{x}}",
    "a sketch": f'{{"a": number, "b": [{{"c": string}}, ...]}} is {REAL}',
    "a sketch with a value": f'Like {{"a": 2, ...}}: {REAL}',
    "an object that broke": f'{{"a": 2, "b": [oops {{"c": 3}}]}} Again: {REAL} {{"a": 4}}',
    "half an object": f'```json\n{{"a": 2, "b": [\n```\nOnce more:\n```json\n{REAL}\n```',
    "half a string": f'{{"a": "half\n\n{REAL}',
    "a wrong escape": f'{{"a": "C:\\dir"}}\n{REAL}',
    "a fence": f"```\n{REAL}\n```\n{{",
}


@pytest.mark.parametrize("text", ASTRAY.values(), ids=ASTRAY)
def test_object_is_found_behind_what_is_none(text: str) -> None:
    wanted = REAL if REAL in text else text[text.rindex("{\n") :]
    whole = JSONText()
    assert whole.feed(text).strip() == wanted
    assert whole.is_complete
    for seed in range(50):
        cut, reader = JSONText(), ObjectReader(OutputType.of(dict[str, Any]))
        for piece in cuts(text, seed):
            cut.feed(piece)
            reader.feed(piece)
        assert (cut.is_complete, cut.has_other_text) == (True, True)
        assert reader.snapshot() == json.loads(wanted)


def test_what_a_text_shows_depends_on_no_cut() -> None:
    """The object so far is the same for each beginning of a text, however it came."""
    chance = random.Random(7)
    tokens = ['{"a"', "{", "}", '"', ": ", "1", ", ", "[", "]", "\n", "x", " ", '{"b": 2}', "\\", '"s"', "{}"]
    for _ in range(2_000):
        text = "".join(chance.choices(tokens, k=chance.randint(1, 30)))
        slow, fast = JSONText(is_list=True), JSONText(is_list=True)
        for piece in text:
            slow.feed(piece)
        for piece in cuts(text, chance.randrange(9)):
            fast.feed(piece)
        assert slow.is_found == fast.is_found, text
        assert slow.scanner.snapshot() == fast.scanner.snapshot(), text
        assert slow.has_other_text == fast.has_other_text, text


BROKEN = ['{"a": oops, "b": [{"n": 1}]}', '{"a": "x = {"b": 1}"}', '{"a": 1, oops "b": [{"n": 1}, {"n": 2}]}']


BROKEN = ['{"a": oops, "b": [{"n": 1}]}', '{"a": "x = {"b": 1}"}', '{"a": 1, oops "b": [{"n": 1}, {"n": 2}]}']


@pytest.mark.parametrize("text", BROKEN)
def test_part_of_a_broken_object_is_no_answer(text: str) -> None:
    assert judge(OutputType.of(dict[str, Any]), [TextPart(text=text)]).fault in ("malformed", "missing")


def test_final_text_is_of_one_object() -> None:
    text = JSONText(is_final=True)
    assert "".join(map(text.feed, ['Here: {"a": 1, oo', 'ps}\n{"a": 2}'])) == '{"a": 1, oo'[:-2]


@pytest.mark.parametrize("value", ['[{"a": {}} , "}}", 3]', "7", '"}"', "{}", "null", '{"value": {}}'])
def test_value_comes_without_its_box_however_it_is_cut(value: str) -> None:
    for seed in range(100):
        unwrap = Unwrapped()
        pieces = [unwrap.feed(piece) for piece in cuts(f'{{ "value" : {value} }}\n', seed)]
        assert "".join(pieces) + unwrap.close(is_complete=True) == value


@pytest.mark.parametrize("text", ['{"values": [1]}', "[1, 2]", '{"a": 1}', "x" * 100])
def test_text_that_is_no_box_stays(text: str) -> None:
    unwrap = Unwrapped()
    assert "".join(map(unwrap.feed, cuts(text, 1))) + unwrap.close(is_complete=True) == text


def test_bare_list_is_taken_for_a_list() -> None:
    kind = OutputType.of(list[int])
    verdict = judge(kind, [TextPart(text="Here [as asked]: [1, 2]")])
    assert (verdict.value, verdict.has_other_text) == ([1, 2], True)


def test_half_a_surrogate_pair_is_replaced() -> None:
    text = '{"title": "\\ud83c", "servings": 1}'
    assert judge(OutputType.of(Recipe), [TextPart(text=text)]).value == Recipe(title="\ufffd", servings=1)


def test_numbers_keep_their_digits() -> None:
    assert judge(OutputType.of(Recipe), [TextPart(text=RECIPE)]).value == SOUP


def test_object_over_several_parts_is_one_text() -> None:
    parts = [TextPart(text=RECIPE[:40]), TextPart(text=RECIPE[40:])]
    assert judge(OutputType.of(Recipe), parts).value == SOUP


@pytest.mark.parametrize("deep", ['{"a":' * 20_000, '{"a":' * 5_000 + "1" + "}" * 5_000])
def test_depth_is_no_exception(deep: str) -> None:
    assert judge(OutputType.of(Recipe), [TextPart(text=deep)]).fault in ("malformed", "mismatch")


def snapshots(text: str, piece: int) -> tuple[int, int]:
    """Returns the number of partial objects, and their size together."""
    reader, count, size = ObjectReader(OutputType.of(dict[str, Any])), 0, 0
    for at in range(0, len(text), piece):
        reader.feed(text[at : at + piece])
        if (partial := reader.partial()) is not NOTHING:
            count, size = count + 1, size + len(partial["s"])
    return count, size


@pytest.mark.parametrize("kind", ["string", "list"])
def test_partial_objects_of_a_megabyte_cost_no_square(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copies together are a bounded multiple of the object: with one for each token, they would be 25,000 times."""
    monkeypatch.setattr("streaming.outputs.reader.TICK_SECONDS", 1e9)  # text alone makes them due
    inner = '"' + "x" * 200_000 + '"' if kind == "string" else "[" + "1234," * 40_000 + "0]"
    text = f'{{"s": {inner}}}'
    count, size = snapshots(text, 4)
    assert 100 < count < 1000
    assert size < 100 * (200_000 if kind == "string" else 40_000)


BEGINS = ["{x", "{", '{"', "[", '{ " : ', '{"{"x', '{"a":x', '{"a":1x\n', "{}", '{"a":{', "[1]x"]


@pytest.mark.parametrize("begin", BEGINS)
def test_braces_that_begin_nothing_are_read_in_linear_time(begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the characters that the scanners are given."""
    read = 0
    text = JSONText(is_list=True)
    original = type(text.scanner).feed

    def counted(scanner: Any, piece: str) -> Any:
        nonlocal read
        read += min(len(piece), 64)  # a scanner stops at its first mistake
        return original(scanner, piece)

    monkeypatch.setattr(type(text.scanner), "feed", counted)
    whole = begin * (100_000 // len(begin))
    for at in range(0, len(whole), 1000):
        text.feed(whole[at : at + 1000])
    assert read < 64 * len(whole)


@pytest.mark.timeout(60)  # it took three minutes, the square of the number of spaces
def test_long_run_of_spaces_costs_no_more_than_its_length() -> None:
    unwrap, value = Unwrapped(), f'"{" " * 250_000}x"'
    shown = unwrap.feed('{"value": ') + unwrap.feed(value) + unwrap.feed("}") + unwrap.close(is_complete=True)
    assert shown == value
