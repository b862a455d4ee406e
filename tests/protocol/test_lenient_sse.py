"""Lenient SSE: each departure from the standard, switched on and off; and the bounds."""

from __future__ import annotations

import json

import pytest

from streaming.protocol import Heartbeat, Leniency, Started, StreamParser, TextDelta, Unknown
from streaming.protocol.lenient_sse import MAX_BODY_BYTES, LenientDecoder, WireEventKind, bare_lines, documents
from streaming.protocol.lenient_sse.documents import is_whole
from tests.protocol.wire import chunk, fold, outcome, parse, read, sse

A = chunk({"content": "a"})
END = chunk(finish="stop")


def test_last_event_is_read_without_its_blank_line_if_it_is_whole():
    body = sse(A, END)[:-2]
    assert outcome(body) == ("finished", "a")
    assert outcome(body, flush_at_eof=False) == ("truncated", "a")
    assert outcome(sse(A, "[DONE]")[:-1]) == ("finished", "a")
    assert outcome(sse(A) + b'data: {"choices": [{"finish_reason": "stop"') == ("truncated", "a")


def test_joined_data_lines_are_events_of_their_own():
    body = b"".join(b"data: " + json.dumps(payload).encode() + b"\n" for payload in (A, A, END)) + b"data: [DONE]\n\n"
    assert outcome(body) == ("finished", "aa")
    assert outcome(body, split_joined_data=False)[0] == "failed"
    pretty = b"".join(b"data: " + line + b"\n" for line in json.dumps(A, indent=1).encode().split(b"\n")) + b"\n"
    assert outcome(pretty + sse(END)) == outcome(pretty + sse(END), split_joined_data=False) == ("finished", "a")


@pytest.mark.parametrize("between", [b"", b" ", b",", b"data: ", b" data:"])
def test_documents_on_one_line_are_events_of_their_own(between):
    body = b"data: " + between.join(json.dumps(payload).encode() for payload in (A, A, END)) + between + b"[DONE]\n\n"
    assert outcome(body) == ("finished", "aa")
    cut = b"data: " + json.dumps(A).encode() + b'{"choices": [{\n\n'
    assert outcome(cut + sse(END)) == ("finished", "a")
    assert Unknown(json.dumps('{"choices": [{')) in read("openai-chat", cut)


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n\r\n"])
def test_lines_of_json_without_framing_are_read(between):
    lines = [json.dumps(payload).encode() for payload in (A, A, END)]
    for tail in (b"", b"data: [DONE]\n\n", b"\n[DONE]\n"):
        assert outcome(between.join(lines) + between + tail) == ("finished", "aa")
    assert outcome(b"\n".join(lines), read_unframed_body=False) == ("truncated", "")


def test_lines_of_json_are_shown_at_once_and_may_be_longer_than_a_body():
    parser = StreamParser("openai-chat")
    line = json.dumps(A).encode() + b"\n"
    assert [type(event) for event in parser.feed(line + line)] == [Started, TextDelta, TextDelta]
    count = MAX_BODY_BYTES // len(line) + 2
    assert outcome(line * count + json.dumps(END).encode()) == ("finished", "a" * count)


def test_joined_data_is_shown_as_soon_as_the_next_line_comes():
    parser = StreamParser("openai-chat")
    line = b"data: " + json.dumps(A).encode() + b"\n"
    assert parser.feed(line) == []
    assert TextDelta(0, "a") in parser.feed(line)


INDENTED = json.dumps(A, indent=1).encode()
RAW = json.dumps(chunk({"content": "a\nb"})).encode().replace(b"\\n", b"\n")
ERROR = json.dumps({"error": {"message": "slow down", "code": 429}}).encode()
CUT = b'data: {"choices": [{"del\n'
PRETTY_ERROR = json.dumps(json.loads(ERROR), indent=2).encode()


@pytest.mark.parametrize(("lines", "text"), [(INDENTED, "aa"), (RAW, "aa\nb")])
@pytest.mark.parametrize("tail", [b"\n\n" + sse(END, "[DONE]"), b"\n" + sse(END), b"\n\n" + sse(END)[:-2]])
def test_json_over_several_lines_with_one_field_name(lines, text, tail):
    assert outcome(sse(A) + b"data: " + lines + tail) == ("finished", text)
    assert outcome(b"data: " + lines + b"\n\n" + sse(A) + tail)[0] == "finished"
    assert outcome(sse(A) + b"data: " + lines + tail, join_bare_lines=False) == ("finished", "a")


def test_json_over_several_lines_that_is_cut_or_broken():
    body = sse(A) + b"data: " + INDENTED
    assert outcome(body[:-1]) == ("truncated", "a")
    broken = body[:-1] + b"\n\n" + sse(A, END)
    assert outcome(broken) == ("finished", "aa")
    assert Unknown(' "id": "chatcmpl-1",') in read("openai-chat", broken)


def test_unknown_field_between_two_lines_of_data():
    first, second = INDENTED.replace(b"\n", b"").split(b",", 1)
    body = b"data: " + first + b",\nfoo: bar\ndata: " + second + b"\n\n"
    assert outcome(body + sse(END)) == ("finished", "a")
    assert Unknown("foo: bar") in read("openai-chat", body)


@pytest.mark.parametrize("name", [b"data:\n", b"data: \n", b"data\n", b"data:\n\n", b"data:\r\n  "])
def test_value_on_the_line_after_its_field_name(name):
    for value in (json.dumps(A).encode(), INDENTED):
        events = [name + value, name + json.dumps(END).encode(), name + b"[DONE]"]
        assert outcome(sse(A) + b"\n\n".join(events)) == ("finished", "aa")
        assert outcome(b"\n\n".join(events[:2])) == ("finished", "a")
        assert outcome(b"\n\n".join([events[0], events[2], b""])) == ("finished", "a")
    assert outcome(name + b"<p>", join_bare_lines=False)[0] != "finished"
    assert outcome(sse(A) + b"data:\n[DONE]\n\n", join_bare_lines=False, read_unframed_body=False)[0] == "truncated"


@pytest.mark.parametrize("done", [b"[DONE]", b"[DONE]\n\n", b"[DONE]\r\n", b"[DONE]\n[DONE]\n\n"])
def test_done_without_a_field_name(done):
    for body in (sse(A), sse(A)[:-1], sse(A, END), sse(A) + b": x\n"):
        assert outcome(body + done) == ("finished", "a")
    assert outcome(sse(A) + done, read_unframed_body=False) == ("truncated", "a")


def test_payload_without_a_field_name_within_the_stream():
    body = sse(A) + json.dumps(A).encode() + b"\n\n" + INDENTED + b"\n\n" + json.dumps(END).encode() + b"\n\n"
    assert outcome(body) == ("finished", "aaa")
    assert outcome(body, read_unframed_body=False) == ("truncated", "a")
    assert outcome(sse(A, END, "[DONE]") + json.dumps(A).encode() + b"\n\n") == ("finished", "a")


@pytest.mark.parametrize("between", [b"", b" ", b"data: "])
def test_documents_on_a_last_line_without_a_line_end(between):
    last = b"data: " + between.join([json.dumps(A).encode(), json.dumps(END).encode()])
    assert outcome(sse(A) + last) == ("finished", "aa")
    assert outcome(sse(A) + last[:-1]) == ("truncated", "aa")
    assert outcome(sse(A) + last, split_joined_data=False) == ("truncated", "a")
    assert outcome(sse(A) + b"data: " + json.dumps(A).encode() + between + b"[DONE]") == ("finished", "aa")


@pytest.mark.parametrize("done", ["[DONE][DONE]", "[DONE] [DONE]", "[DONE]data: [DONE]", "[DONE]\ndata: [DONE]"])
def test_done_more_than_once(done):
    assert outcome(sse(A, done)) == outcome(sse(A, done, done)) == ("finished", "a")
    assert outcome(b"data: " + json.dumps(A).encode() + done.encode() + b"\n\n") == ("finished", "a")


def test_payload_behind_the_mark_of_the_end_without_a_line_end():
    usage = {"choices": [], "usage": {"prompt_tokens": 5}}
    transcript = fold(read("openai-chat", sse(A) + b"data: [DONE]" + json.dumps(usage).encode()))
    assert (transcript.outcome, transcript.usage.input_tokens) == ("finished", 5)


def test_line_end_within_a_text_that_is_cut_into_lines():
    data = json.dumps(A | {"choices": [{"index": 0, "delta": {"content": "one?two"}}]}).replace("?", "\ndata: ")
    assert outcome(b"data: " + data.encode() + b"\n\n" + sse(END)) == ("finished", "one\ntwo")


STRAY = [{"message": "overloaded", "code": 503}, {"detail": "Too many requests"}, {"error_msg": "boom"}]


@pytest.mark.parametrize("stray", STRAY)
@pytest.mark.parametrize("indent", [None, 1])
def test_line_that_may_be_an_error_counts_if_the_stream_breaks_off(stray, indent):
    line = json.dumps(stray, indent=indent).encode()
    for body in (sse(A) + line, sse(A) + line + b"\n\n", sse(A) + line + b"\n" + sse(A)):
        transcript = fold(read("openai-chat", body))
        assert (transcript.outcome, transcript.error.message) == ("failed", next(iter(stray.values())))
        assert outcome(body + b"\n\n" + sse(END))[0] == "finished"


@pytest.mark.parametrize("tail", [b"", b"\n", b"\n\n", b"\n" + sse(A, END)])
@pytest.mark.parametrize("appended", [PRETTY_ERROR, CUT + ERROR, CUT + PRETTY_ERROR])
def test_error_that_a_gateway_appended(appended, tail):
    transcript = fold(read("openai-chat", sse(A) + appended + tail))
    assert (transcript.outcome, transcript.text) == ("failed", "a")
    assert transcript.error.message == "slow down"


def test_many_lines_without_a_field_name_cost_linear_time(monkeypatch):
    read_bytes: list[int] = []
    for module in (bare_lines, documents):
        monkeypatch.setattr(module, "is_whole", lambda data: read_bytes.append(len(data)) or is_whole(data))
    for data in (b"{" + b" " * 9_000, b"{" + b" " * 9_000 + b"}"):
        LenientDecoder(Leniency()).feed(b"data: " + data + b"\n" + b'{"error":0}\n' * 100)
    assert sum(read_bytes) < 30_000


@pytest.mark.parametrize("name", [b"\xef\xbb\xbfdata:", b" data:", b"Data:", b"data :", b"DATA:\t"])
def test_name_of_a_field_that_is_not_exact(name):
    body = sse(A) + name + json.dumps(A).encode() + b"\n\n" + name + json.dumps(END).encode()
    assert outcome(body) == ("finished", "aa")
    assert outcome(body, read_loose_names=False) == ("truncated", "a")
    assert outcome(body.removeprefix(sse(A))) == ("finished", "a")


@pytest.mark.parametrize("page", [b"<script>\nf({\n  data: {},\n  event: 1\n})</script>\n", b"Sorry.\n data: x\n"])
def test_line_of_a_page_that_looks_like_a_field(page):
    assert fold(read("openai-chat", page)).error.code == "not_sse"


def test_payload_begins_with_a_bom():
    assert outcome(sse(b"\xef\xbb\xbf" + json.dumps(A).encode(), END)) == ("finished", "a")


@pytest.mark.parametrize("data", ["", "null", "{}"])
def test_event_named_error_without_words_is_an_error(data):
    assert outcome(sse(A) + b"event: error\n" + sse(data, "[DONE]")) == ("failed", "a")


def test_field_named_error_is_an_error():
    body = sse(A) + b'error: {"message": "boom"}\n\n' + sse(END)
    assert outcome(body) == ("failed", "a")
    assert outcome(body, read_error_field=False) == ("finished", "a")
    assert fold(read("openai-chat", b"error: boom\n\n")).error.message == "boom"
    assert outcome(sse(A) + b'error: {"mess') == ("truncated", "a")


def test_body_without_events_is_read():
    body = b'{"error": {"message": "boom"}}'
    assert outcome(body) == ("failed", "")
    assert outcome(body, read_unframed_body=False) == ("truncated", "")


@pytest.mark.parametrize("choice", [{"message": {"content": ""}}, {"message": {"content": None}}, {"text": ""}])
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", None])
def test_body_with_an_empty_answer_is_as_the_same_event(choice, reason):
    whole = {"id": "x", "choices": [choice | {"index": 0, "finish_reason": reason}]}
    usage = whole | {"usage": {"prompt_tokens": 5, "completion_tokens": 0}}
    for body in (whole, usage):
        for text in (json.dumps(body), json.dumps(body, indent=1)):
            assert read("openai-chat", text.encode()) == read("openai-chat", sse(body))
    assert outcome(json.dumps(whole).encode())[0] == ("finished" if reason else "truncated")


def test_body_that_is_not_understood_is_an_error():
    for body in ({"choices": []}, {"x": 1}, {"id": "x", "choices": [], "y": 1}, {"id": "x", "z": {}}):
        assert outcome(json.dumps(body).encode())[0] == "failed"


def test_body_that_ends_in_half_a_character():
    whole = {"choices": [{"message": {"content": "a\ud83d"}, "finish_reason": "stop"}]}
    assert outcome(json.dumps(whole).encode()) == ("finished", "a\ufffd")


@pytest.mark.parametrize("data", ["", "null", "[]", ": OPENROUTER PROCESSING", "ping"])
def test_empty_data_is_a_heartbeat(data):
    body = sse(A, data, END)
    assert Heartbeat() in read("openai-chat", body)
    assert Unknown(data) in read("openai-chat", body, skip_empty_data=False)
    assert outcome(body) == outcome(body, skip_empty_data=False) == ("finished", "a")


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("option", ["max_line_bytes", "max_event_bytes"])
def test_line_or_event_over_its_bound_is_too_large(size, option):
    tail = b"data: " + b"x" * 2000 + b"\n\n" if option == "max_line_bytes" else b"data: {\n" * 2000 + b"\n"
    body = sse(A) + tail + sse(A)
    events = parse("openai-chat", [body[i : i + size] for i in range(0, len(body), size)], **{option: 1000})
    assert fold(events).text == "a"
    assert events[-1].error.code == "too_large"


def test_body_that_is_neither_stream_nor_json():
    transcript = fold(read("openai-chat", b"Bad Gateway"))
    assert (transcript.error.code, transcript.error.message) == ("not_sse", "Bad Gateway")


def test_body_of_any_length_is_kept_within_bounds():
    transcript = fold(parse("openai-chat", [b"<p>x</p>\n" * 100_000]))
    assert len(transcript.error.message) <= 500


def test_unknown_field_within_the_stream_is_kept():
    assert Unknown("x-trace: 7") in read("openai-chat", sse(A) + b"x-trace: 7\n" + sse(END))
    assert Unknown("x-trace: 7\n") in read("openai-chat", b"x-trace: 7\n" + sse(A, END))


def found(body, **leniency):
    """Returns what the decoder finds in `body`, without the end."""
    decoder = LenientDecoder(Leniency(**leniency))
    return [(kind.name, event, data) for kind, event, data in decoder.feed(body) + decoder.close()][:-1]


def test_each_kind_of_event_has_its_name_and_payload():
    body = b": ping\nevent: e\ndata: {}\n\nerror: no\nwhat: 1\ndata: [DONE]"
    assert found(body) == [
        ("COMMENT", b"", b"ping"),
        ("DATA", b"e", b"{}"),
        ("ERROR", b"", b"no"),
        ("UNKNOWN", b"", b"what: 1"),
        ("DATA", b"", b"[DONE]"),
    ]


def test_gzip_is_told_from_its_first_two_bytes():
    decoder = LenientDecoder(Leniency())
    assert decoder.feed(b"\x1f") == []
    assert decoder.feed(b"\x8b") == [(WireEventKind.COMPRESSED, b"", b"")]


def test_end_comes_last_and_only_from_close():
    decoder = LenientDecoder(Leniency())
    assert decoder.feed(b"data: 1\n\n") == [(WireEventKind.DATA, b"", b"1")]
    assert decoder.close() == [(WireEventKind.END, b"", b"")]
