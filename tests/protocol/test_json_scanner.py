"""JSONScanner: valid and invalid text, cut in every way, and the value so far."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streaming.protocol import JSONError, JSONScanner, StringDelta
from tests.protocol.scanning import every_way, joined, scan

PAIR = "\\ud83d\\ude00"  # U+1F600, escaped as JavaScript does


def strings_of(value: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], str]:
    if isinstance(value, str):
        return {path: value} if value else {}
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {at: text for key, item in items for at, text in strings_of(item, (*path, key)).items()}


def well_paired(text: str) -> str:
    """Joins surrogates to pairs and replaces lone ones. Python's own reader keeps both."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def no_constants(name: str) -> None:
    raise ValueError(name)


def strict(text: str) -> Any:
    return json.loads(text, parse_constant=no_constants)


VALID = {
    "object": '{"a":1,"b":[true,false,null],"c":{}}',
    "top-level string": '"hello"',
    "top-level array": '["a",["b"],[]]',
    "top-level number": "-12.5e+3",
    "top-level literal": "true",
    "white space everywhere": ' {\t"a" :\r\n[ 1 , "x" ] } \n',
    "escapes": r'{"a":"\"\\\/\b\f\n\r\t\u0041"}',
    "escaped key": r'{"a\u0062":"x"}',
    "escaped pair": f'{{"a":"x{PAIR}y"}}',
    "pair in a key": f'{{"{PAIR}":"x"}}',
    "raw astral": '{"a":"😀"}',
    "line separators inside": '{"a":"x\u2028y\u2029z\x85"}',
    "path prefixes": '{"content":"a","content_type":"b","con":"c"}',
    "nested arrays of strings": '[["a","b"],[["c"]],"d"]',
    "empty strings": '{"":"","a":["",""]}',
    "braces inside a string": '{"a":"}{","b":"]["}',
    "same key twice": '{"a":1,"a":[2],"a":{"b":3}}',
    "numbers": "[0,-0,12,1.50,1e3,1E-3,-1.5e+10,123456789012345678901234567890]",
    "delete character": '{"a":"\x7f"}',
}

INVALID = {
    "nothing of JSON": ("Dave", 0, "unexpected_character"),
    "unquoted value": ('{"keywords": Dave}', 13, "unexpected_character"),
    "markdown fence": ('```json\n{"a":1}\n```', 0, "unexpected_character"),
    "raw newline in a string": ('{"a":"x\ny"}', 7, "control_character"),
    "raw tab in a string": ('{"a":"x\ty"}', 7, "control_character"),
    "raw newline in a key": ('{"a\n":1}', 3, "control_character"),
    "invalid escape": (r'{"re":"\d+"}', 7, "invalid_escape"),
    "windows path": (r'{"path":"C:\path"}', 11, "invalid_escape"),
    "bad hexadecimal": (r'{"a":"\u12x4"}', 6, "invalid_escape"),
    "two objects": ('{"a":1}{"b":2}', 7, "trailing_data"),
    "placeholder first": ('{}{"a":1}', 2, "trailing_data"),
    "text after the value": ('{"a":1} x', 8, "trailing_data"),
    "trailing comma in an object": ('{"a":1,}', 7, "unexpected_character"),
    "trailing comma in an array": ("[1,]", 3, "unexpected_character"),
    "no colon": ('{"a" 1}', 5, "unexpected_character"),
    "no comma": ("[1 2]", 3, "unexpected_character"),
    "wrong bracket": ('{"a":[1}', 7, "unexpected_character"),
    "single quotes": ("{'a':1}", 1, "unexpected_character"),
    "leading zero": ("[01]", 2, "unexpected_character"),
    "leading plus": ("[+1]", 1, "unexpected_character"),
    "leading point": ("[.5]", 1, "unexpected_character"),
    "point without digits": ("[1.]", 3, "invalid_number"),
    "exponent after a point": ("[1.e5]", 3, "invalid_number"),
    "exponent without digits": ("[1e+]", 4, "invalid_number"),
    "minus alone": ("[-]", 2, "invalid_number"),
    "wrong literal": ("[trve]", 3, "unexpected_character"),
    "longer literal": ("[nullx]", 5, "unexpected_character"),
    "NaN": ("[NaN]", 1, "unexpected_character"),
    "Infinity": ("[-Infinity]", 2, "invalid_number"),
    "Arabic digits": ("[١]", 1, "unexpected_character"),
    "no-break space": ("\u00a0{}", 0, "unexpected_character"),
    "byte order mark": ("\ufeff{}", 0, "unexpected_character"),
}


@pytest.mark.parametrize("text", VALID.values(), ids=VALID.keys())
def test_valid_however_it_is_cut(text: str) -> None:
    value = json.loads(text)
    for pieces in every_way(text):
        scanner, deltas = scan(*pieces)
        assert scanner.error is None
        assert scanner.is_complete
        assert scanner.snapshot() == value
        assert joined(deltas) == strings_of(value)


@pytest.mark.parametrize(("text", "offset", "reason"), INVALID.values(), ids=INVALID.keys())
def test_invalid_however_it_is_cut(text: str, offset: int, reason: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        strict(text)
    whole = scan(text)
    for pieces in every_way(text):
        scanner, deltas = scan(*pieces)
        assert scanner.error == JSONError(offset, reason)
        assert not scanner.is_complete
        assert scanner.snapshot() == whole[0].snapshot()
        assert joined(deltas) == joined(whole[1])


@pytest.mark.parametrize("text", VALID.values(), ids=VALID.keys())
def test_complete_means_that_the_text_so_far_is_json(text: str) -> None:
    scanner = JSONScanner()
    for at, char in enumerate(text, 1):
        scanner.feed(char)
        try:
            value = strict(text[:at])
        except ValueError:
            assert not scanner.is_complete
        else:
            assert scanner.is_complete
            assert scanner.snapshot() == value


SNAPSHOTS = {
    "": None,
    " \n ": None,
    "{": {},
    '{"a': {},
    '{"a"': {},
    '{"a":': {},
    '{"a":"': {"a": ""},
    '{"a":"x': {"a": "x"},
    '{"a":"x\\': {"a": "x"},
    '{"a":"x\\u12': {"a": "x"},
    '{"a":"x\\ud83d': {"a": "x"},
    '{"a":"x\\ud83d\\': {"a": "x"},
    '{"a":"x\\ud83d\\ude0': {"a": "x"},
    '{"a":12': {},
    '{"a":12,': {"a": 12},
    '{"a":1.': {},
    '{"a":-': {},
    '{"a":1e': {},
    '{"a":tr': {},
    '{"a":true': {"a": True},
    '{"a":[1,{"b":"x': {"a": [1, {"b": "x"}]},
    '{"a":1,"a': {"a": 1},
    '{"a":"old","a":"ne': {"a": "ne"},
    '[["a"],["b","c': [["a"], ["b", "c"]],
    '"x': "x",
    "12": 12,
    "-": None,
    "tru": None,
    '{"content":"line1': {"content": "line1"},
    '{"a":1}{"b":2}': {"a": 1},
    '{"a":"x\ny': {"a": "x"},
    '{"keywords": Dave}': {},
}


@pytest.mark.parametrize(("text", "value"), SNAPSHOTS.items())
def test_snapshot_shows_what_is_certain(text: str, value: Any) -> None:
    for pieces in every_way(text):
        assert scan(*pieces)[0].snapshot() == value


def test_a_snapshot_handed_out_does_not_change() -> None:
    scanner = JSONScanner()
    taken = []
    for char in '{"a":["x",{"b":1}],"c":"yz"}':
        scanner.feed(char)
        value = scanner.snapshot()
        taken.append((value, json.dumps(value)))
    assert all(json.dumps(value) == before for value, before in taken)


LONE = {
    "\\ud83dx": "\ufffdx",
    "\\ud83d\\n": "\ufffd\n",
    "\\ud83d": "\ufffd",
    "\\ud83d\\u0041": "\ufffdA",
    "\\ud83d\\ud83d\\ude00": "\ufffd😀",
    "\\ude00": "\ufffd",
    "\\ude00\\ud83d": "\ufffd\ufffd",
    "\ud83d\ude00": "😀",  # a relay cut the pair into two pieces of JSON, and each half was decoded alone
    "\ud83d": "\ufffd",
    "\ude00x": "\ufffdx",
}


@pytest.mark.parametrize(("inside", "text"), LONE.items(), ids=[ascii(key) for key in LONE])
def test_half_a_surrogate_pair_is_replaced(inside: str, text: str) -> None:
    for pieces in every_way(f'{{"a":"{inside}"}}'):
        scanner, deltas = scan(*pieces)
        assert joined(deltas) == {("a",): text}
        assert scanner.snapshot() == {"a": text}
        assert scanner.is_complete


def test_a_high_half_waits_for_the_low_one() -> None:
    scanner = JSONScanner()
    assert scanner.feed('["x\\ud83d') == [StringDelta((0,), "x")]
    assert scanner.feed("\\ude") == []
    assert scanner.feed("00y") == [StringDelta((0,), "😀y")]


def test_a_string_grows_by_one_delta_a_piece() -> None:
    _, deltas = scan('{"a":"one\\n', 'two","b":"thr', 'ee"}')
    assert deltas == [
        StringDelta(("a",), "one\n"),
        StringDelta(("a",), "two"),
        StringDelta(("b",), "thr"),
        StringDelta(("b",), "ee"),
    ]


def test_deltas_go_to_the_path_of_the_string() -> None:
    _, deltas = scan('{"edits":[{"old":"a","new":"b"},{"old":"c"}],"edit":"d"}')
    assert joined(deltas) == {
        ("edits", 0, "old"): "a",
        ("edits", 0, "new"): "b",
        ("edits", 1, "old"): "c",
        ("edit",): "d",
    }


def test_what_precedes_a_mistake_is_kept_and_what_follows_is_ignored() -> None:
    scanner, deltas = scan('{"a":"x","b":"y\n', '","c":"z"}')
    assert joined(deltas) == {("a",): "x", ("b",): "y"}
    assert scanner.snapshot() == {"a": "x", "b": "y"}
    assert scanner.feed('"more"') == []
    assert scanner.error == JSONError(15, "control_character")


def test_nothing_is_not_a_value() -> None:
    scanner, deltas = scan("", " ", "\n")
    assert (scanner.is_complete, scanner.error, scanner.snapshot(), deltas) == (False, None, None, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)


@st.composite
def cut_up(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> tuple[str, ...]:
    text = draw(texts)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return tuple(text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))


written = st.builds(json.dumps, json_values, ensure_ascii=st.booleans(), indent=st.none() | st.sampled_from([1, "\t"]))


@settings(deadline=None)  # a busy machine is slow
@given(cut_up(written))
def test_any_value_cut_anywhere(pieces: tuple[str, ...]) -> None:
    value = json.loads("".join(pieces))
    scanner, deltas = scan(*pieces)
    assert scanner.is_complete
    assert scanner.snapshot() == value
    assert joined(deltas) == strings_of(value)


nearly_json = st.text(alphabet='{}[]",:\\/ub019dDeE+-.truefalsn \n\t\x00é\ud83d\ude00NaI', max_size=30) | st.builds(
    lambda text, at, junk: text[: at % (len(text) + 1)] + junk + text[at % (len(text) + 1) + len(junk) :],
    written,
    st.integers(0),
    st.text(alphabet='{}[]",:\\ 01x\n', max_size=2),
)


@settings(deadline=None)
@given(cut_up(nearly_json))
@example(("1", "2"))
@example(("[1", ".", "5]"))
@example(("[-", "1e", "+", "3]"))
@example(('"\ud83d', '\ude00"'))
def test_validity_is_that_of_json_loads(pieces: tuple[str, ...]) -> None:
    text = "".join(pieces)
    whole, whole_deltas = scan(text)
    scanner, deltas = scan(*pieces)
    assert scanner.error == whole.error
    assert joined(deltas) == joined(whole_deltas)
    assert repr(scanner.snapshot()) == repr(whole.snapshot())
    try:
        value = strict(text)
    except ValueError:
        assert not scanner.is_complete
    else:
        assert scanner.is_complete
        assert well_paired(json.dumps(scanner.snapshot(), ensure_ascii=False)) == well_paired(
            json.dumps(value, ensure_ascii=False)
        )


@settings(deadline=None)
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=())), max_size=10))
def test_no_text_raises(pieces: list[str]) -> None:
    scanner, _ = scan(*pieces)
    scanner.snapshot()
    assert scanner.is_complete in (True, False)
