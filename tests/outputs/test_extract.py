"""The JSON in an answer's text: found in prose, cut anywhere, and read in linear time."""

from __future__ import annotations

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


@pytest.mark.parametrize("begin", ["{x", "{", '{"', "[", '{ " : '])
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
