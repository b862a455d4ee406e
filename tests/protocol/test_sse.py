"""The SSE grammar, with the cases of the WHATWG standard, the web-platform-tests and eventsource-parser."""

from __future__ import annotations

import pytest

from streaming.protocol import ServerSentEvent, SSEDecoder, encode_sse
from streaming.protocol.sse import LineSplitter

BOM = b"\xef\xbb\xbf"


def decode(chunks: list[bytes], **bounds: int) -> list[ServerSentEvent]:
    decoder = SSEDecoder(**bounds)
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def every_way(body: bytes) -> list[ServerSentEvent]:
    """Reads the body whole, byte by byte, and cut in two at every position (some positions of long bodies)."""
    events = decode([body])
    assert decode([body[i : i + 1] for i in range(len(body))]) == events
    for at in range(0, len(body) + 1, max(1, len(body) // 300)):
        assert decode([body[:at], body[at:]]) == events, f"cut at {at}"
    return events


def data_of(body: bytes) -> list[str]:
    return [event.data for event in every_way(body)]


GRAMMAR = {
    # WHATWG, one case for each rule
    "utf8_malformed_is_replaced": (b"data: \xff ok\n\n", ["\ufffd ok"]),
    "utf8_multibyte": ("data: Zürich … 🙂\n\n".encode(), ["Zürich … 🙂"]),
    "bom_is_dropped_once": (BOM + b"data:1\n\n", ["1"]),
    "line_ends_mixed": (b"data: a\r\ndata: b\rdata: c\ndata: d\r\n\r\n", ["a\nb\nc\nd"]),
    "only_cr": (b"data: a\r\rdata: b\r\r", ["a", "b"]),
    "only_crlf": (b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    "lf_then_crlf_ends_the_event": (b"data: a\n\r\ndata: b\r\r\n", ["a", "b"]),
    "other_separators_are_data": (
        "data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1eh\n\n".encode(),
        ["a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1eh"],
    ),
    "comments_are_ignored": (b": hello\n:\ndata: a\n: there\n\n", ["a"]),
    "one_space_is_dropped": (b"data:  x\n\ndata:\tx\n\ndata:x\n\n", [" x", "\tx", "x"]),
    "no_colon_is_an_empty_field": (b"data\n\n", [""]),
    "names_are_literal": (b"Data: a\nDATA: b\n data: c\nda-ta: d\ndata : e\n\n", []),
    "data_lines_are_joined": (b"data\ndata\n\n", ["\n"]),
    "empty_data_dispatches": (b"data:\n\n", [""]),
    "event_alone_does_not": (b"event: ping\n\ndata: a\n\n", ["a"]),
    "retry_alone_does_not": (b"retry: 3000\n\ndata: a\n\n", ["a"]),
    "id_alone_does_not": (b"id: 1\n\n: ping\n\ndata: a\n\n", ["a"]),
    "unfinished_event_is_discarded": (b"data: a\n\ndata: b\n", ["a"]),
    "unfinished_line_is_discarded": (b"data: a\n\ndata: b", ["a"]),
    "blank_lines_are_nothing": (b"\n\n\r\n\ndata: a\n\n\n\n", ["a"]),
    # web-platform-tests, eventsource/format-*
    "wpt_bom": (BOM + b"data:1\n\n" + BOM + b"data:2\n\ndata:3\n\n", ["1", "3"]),
    "wpt_bom_twice": (BOM + BOM + b"data:1\n\ndata:2\n\ndata:3\n\n", ["2", "3"]),
    "wpt_comments": (
        b"data:1\r:\0\n:\r\ndata:2\n:" + b"x" * 2048 + b"\rdata:3\n:data:fail\r:" + b"x" * 2048 + b"\ndata:4\n\n",
        ["1\n2\n3\n4"],
    ),
    "wpt_data_before_final_empty_line": (b"retry:1000\ndata:test1\n\nid:test\ndata:test2\n", ["test1"]),
    "wpt_field_data": (b"data:\n\ndata\ndata\n\ndata:test\n\n", ["", "\n", "test"]),
    "wpt_field_parsing": (
        b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\n"
        b"da-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        ["\0\n 2\n1\n3\n\n4"],
    ),
    "wpt_field_retry_empty": (b"retry\ndata:test\n\n", ["test"]),
    "wpt_field_unknown": (
        b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n",
        ["test\n\ntest"],
    ),
    "wpt_leading_space": (b"data:\ttest\rdata: \ndata:test\n\n", ["\ttest\n\ntest"]),
    "wpt_newlines": (b"data:test\r\ndata\ndata:test\r\n\r\n", ["test\n\ntest"]),
    "wpt_null_character": (b"data:\0\n\n", ["\0"]),
    "wpt_utf8": (b"data:ok\xe2\x80\xa6\n\n", ["ok…"]),
    "wpt_event_data": (
        b"data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n",
        ["msg\nmsg", "", "end"],
    ),
    # eventsource-parser
    "heartbeats": ("".join(f": ♥\n\ndata: {i}\n\n" for i in range(5)).encode(), list("01234")),
    "multi_line": (b"data: YHOO\ndata: +2\ndata: 10\n\n", ["YHOO\n+2\n10"]),
    "cr_between_chunks_of_one_event": (b"data: A\r\ndata: B\r\ndata: C\r\n\r\n", ["A\nB\nC"]),
    "blank_cr_line_dispatches_once": (b"data: one\r\r\ndata: two\n\n", ["one", "two"]),
    "bare_data_cr": (b"data\rdata: x\r\r", ["\nx"]),
    "odd_comments": (":" * 300 + "\n: ünïcode\n\ndata: a\n\n", ["a"]),
    "no_stream_at_all": (b'{"error": {"message": "nope"}}\n', []),
    # the test cases of the vendors' SDKs
    "separator_inside_a_character": (b'data: {"a":"\xe2\x80\xa8"}\n\n', ['{"a":"\u2028"}']),
    "json_over_several_lines": (b'data: {\ndata: "foo":\ndata: \ndata:\ndata: true}\n\n', ['{\n"foo":\n\n\ntrue}']),
}


@pytest.mark.parametrize("case", GRAMMAR)
def test_stream_is_read_as_the_standard_says(case):
    body, expected = GRAMMAR[case]
    assert data_of(body if isinstance(body, bytes) else body.encode()) == expected


def test_event_type_is_for_one_event_only():
    assert [e.event for e in every_way(b"event:test\ndata:x\n\ndata:x\n\n")] == ["test", "message"]


def test_event_type_empty_is_message():
    assert [e.event for e in every_way(b"event: \ndata:data\n\n")] == ["message"]


def test_event_type_is_reset_by_a_block_without_data():
    assert [e.event for e in every_way(b"event: a\n\ndata: x\n\n")] == ["message"]


IDS = {
    "outlives_its_event": (b"id: 1\ndata:a\n\ndata:b\n\n", ["1", "1"]),
    "is_replaced": (b"id: 1\ndata:a\n\nid: 2\ndata:b\n\ndata:c\n\n", ["1", "2", "2"]),
    "is_reset_by_an_empty_one": (b"id: 1\ndata:a\n\nid:\ndata:b\n\ndata:c\n\n", ["1", "", ""]),
    "with_nul_is_ignored": (b"id: \0\0\ndata:a\n\n", [""]),
    "with_nul_keeps_the_valid_one": (b"id: 1\ndata:a\n\nid: 2\0\ndata:b\n\n", ["1", "1"]),
    "is_any_text": ("id:…\nretry:200\ndata:hello\n\ndata:x\n\n".encode(), ["…", "…"]),
    "of_a_block_without_data_counts": (b"id: 9\n\ndata:a\n\n", ["9"]),
}


@pytest.mark.parametrize("case", IDS)
def test_id_is_that_of_the_last_event_that_set_one(case):
    body, expected = IDS[case]
    assert [event.id for event in every_way(body)] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"3000", 3000),
        (b"03000", 3000),
        (b"1000x", 5),
        (b"+5", 5),
        (b"-1", 5),
        (b" 5", 5),  # the second space belongs to the value
        (b"1_000", 5),
        ("٣".encode(), 5),
        (b"", 5),
        (b"9" * 5000, 5),
    ],
)
def test_retry_takes_ascii_digits_only(value, expected):
    decoder = SSEDecoder()
    decoder.feed(b"retry: 5\nretry: " + value + b"\ndata: x\n\n")
    assert decoder.retry == expected


def test_cr_at_the_end_of_a_chunk_ends_its_line_at_once():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r") == []
    assert [event.data for event in decoder.feed(b"\r")] == ["a"]
    assert decoder.feed(b"\n") == []  # the rest of that CR LF is no blank line
    assert [event.data for event in decoder.feed(b"data: b\n\n")] == ["b"]


def test_empty_chunks_change_nothing():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r") == decoder.feed(b"") == []
    assert [event.data for event in decoder.feed(b"\n\r\n")] == ["a"]


def test_huge_data_in_small_chunks():
    text = "ä" * 500_000
    body = f"data: {text}\n\n".encode()
    chunks = [body[i : i + 1000] for i in range(0, len(body), 1000)]
    assert [event.data for event in decode(chunks)] == [text]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_line_over_the_bound_ends_the_decoding(size):
    body = b"data: ok\n\ndata: " + b"x" * 2000 + b"\n\ndata: late\n\n"
    decoder = SSEDecoder(max_event_bytes=1000)
    events = [e for i in range(0, len(body), size) for e in decoder.feed(body[i : i + size])]
    assert [event.data for event in events] == ["ok"]
    assert decoder.has_overflowed


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_event_over_the_bound_ends_the_decoding(size):
    body = b"data: ok\n\n" + b"data: 0123456789\n" * 100 + b"\ndata: late\n\n"
    decoder = SSEDecoder(max_event_bytes=500)
    events = [e for i in range(0, len(body), size) for e in decoder.feed(body[i : i + size])]
    assert [event.data for event in events] == ["ok"]
    assert decoder.has_overflowed


def test_line_over_the_bound_is_found_when_no_chunk_is():
    splitter = LineSplitter(max_line_bytes=200)
    assert splitter.feed(b"x" * 150) == []
    assert splitter.feed(b"x" * 60 + b"\n" + b"y") == []
    assert splitter.has_overflowed


def test_flush_gives_the_unfinished_line():
    splitter = LineSplitter()
    assert splitter.feed(BOM + b"a") == []
    assert splitter.flush() == b"a"


@pytest.mark.parametrize(
    "event",
    [
        ServerSentEvent(),
        ServerSentEvent(data="a\nb"),
        ServerSentEvent("start", '{"a": "\u2028"}', "7"),
        ServerSentEvent(data="", id="9"),
        ServerSentEvent(data=" leading space"),
    ],
)
def test_what_is_encoded_is_decoded_again(event):
    assert every_way(encode_sse(event)) == [event]


def test_line_ends_in_data_cannot_end_the_event():
    assert data_of(encode_sse(ServerSentEvent(data="a\r\n\r\nb\rdata: c"))) == ["a\n\nb\ndata: c"]
