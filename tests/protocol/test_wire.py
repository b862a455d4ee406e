"""Values of many shapes: payloads, errors and images are read as far as possible."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streaming.protocol.dialects.wire import (
    after_done,
    data_url,
    decode_leniently,
    read_error,
    read_image,
    reread,
    shape,
)


class Inner(msgspec.Struct):
    n: int = 0


class Outer(msgspec.Struct):
    name: str = "none"
    count: int | None = None
    inner: Inner | None = None
    items: list[Inner] | None = None


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        ({}, Outer()),
        ({"name": "a", "count": "7"}, Outer("a", 7)),
        ({"name": ["a"], "count": 7}, Outer("none", 7)),
        ({"inner": {"n": "x"}}, Outer(inner=Inner())),
        ({"inner": [{"n": 1}]}, Outer()),
        ({"items": [{"n": 1}, None, {"n": []}, "x"]}, Outer(items=[Inner(1), Inner()])),
        ({"items": {"n": 1}}, Outer(items=[Inner(1)])),
        ({"items": 5, "what": 1}, Outer(items=[])),
    ],
)
def test_field_that_does_not_fit_does_not_take_others_with_it(wire: dict[str, Any], read: Outer) -> None:
    assert shape(wire, Outer) == read


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"[1]", [1]),
        (b"[NaN]", [None]),
        (b'"a\xff"', "a\ufffd"),
        (b'"a\tb\0"', "a\tb\0"),
        (b'"\\ud83d"', "\ufffd"),
        (b'"\\ud83d\\ude00"', "😀"),
    ],
)
def test_json_with_small_mistakes_is_read(data: bytes, value: Any) -> None:
    assert decode_leniently(data) == reread(data) == value


@pytest.mark.parametrize("data", [b"", b"{", b"oops", b"[" * 100_000])
def test_what_is_no_json_is_refused_or_taken_as_text(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode_leniently(data)
    assert reread(data) == data.decode()


@pytest.mark.parametrize(
    ("wire", "code", "type_", "message"),
    [
        ("boom", None, None, "boom"),
        ({"error": "boom"}, None, None, "boom"),
        ({"message": "boom"}, None, None, "boom"),
        ([{"error": {"code": 7, "message": "boom"}}], "7", None, "boom"),
        ({"type": "error", "error": {"type": "t", "message": "boom"}}, None, "t", "boom"),
        ({"code": "outer", "error": {"message": "boom"}}, "outer", None, "boom"),
        ({"code": "outer", "error": {"code": "inner", "message": "boom"}}, "inner", None, "boom"),
        ({"base_resp": {"status_code": 1004, "status_msg": "boom"}}, "1004", None, "boom"),
        ({"code": True, "detail": "boom"}, None, None, "boom"),
        (None, None, None, "null"),
        ([], None, None, "[]"),
        ({"a": 1}, None, None, '{"a":1}'),
    ],
)
def test_error_of_any_shape_is_read(wire: Any, code: str | None, type_: str | None, message: str) -> None:
    error = read_error(wire)
    assert (error.code, error.type, error.message) == (code, type_, message)


def test_message_of_an_error_is_bounded() -> None:
    assert len(read_error("x" * 10_000).message) == 4096


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        ({"image_url": {"url": "data:image/png;base64,AA"}}, ("image/png", "data:image/png;base64,AA")),
        ({"image_url": "https://example.org/a"}, ("image/*", "https://example.org/a")),
        ({"image_url": {"url": "data:,A"}}, ("application/octet-stream", "data:,A")),
        ({"image_url": {"url": ""}}, None),
        ({"image_url": 7}, None),
        ("https://example.org/a", None),
    ],
)
def test_image_is_read_as_media_type_and_url(wire: Any, found: tuple[str, str] | None) -> None:
    assert read_image(wire) == found


def test_data_url_is_read_back() -> None:
    assert read_image({"image_url": data_url("image/png", "AA")}) == ("image/png", "data:image/png;base64,AA")


@pytest.mark.parametrize("text", ["[DONE]", ' "[DONE]" ', "'[DONE]'", "[DONE][DONE]", "[DONE]\n data: [DONE]\n"])
def test_mark_of_the_end(text: str) -> None:
    assert after_done(text) == ""


@pytest.mark.parametrize("wire", ["", "DONE", "[DONE]x", "x[DONE]", ["[DONE]"], None, "[DONE]" + " " * 100_000 + "x"])
def test_what_is_no_mark_of_the_end(wire: Any) -> None:
    assert after_done(wire) is None
