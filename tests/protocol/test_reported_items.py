"""Responses streams from bug reports: items whose indexes, ids and order are not those of OpenAI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import StreamParser
from tests.protocol.wire import completed, created, fold, named, read, responses

Wire = dict[str, Any]

ONE, TWO = '{"x":1}', '{"x":2}'
BOTH = [("c1", "f1", {"x": 1}), ("c2", "f2", {"x": 2})]


def event(type_: str, **fields: Any) -> Wire:
    return {"type": f"response.{type_}"} | fields


def call(number: int, arguments: str = "", **fields: Any) -> Wire:
    wire = {"type": "function_call", "call_id": f"c{number}", "name": f"f{number}", "arguments": arguments}
    return wire | fields


def words(text: str = "", id: str = "m") -> Wire:
    content = [{"type": "output_text", "text": text}] if text else []
    return {"type": "message", "id": id, "role": "assistant", "content": content}


def thought(text: str = "") -> Wire:
    return {"type": "reasoning", "id": "r", "content": [{"type": "reasoning_text", "text": text}] if text else []}


def added(item: Wire, **place: Any) -> Wire:
    return event("output_item.added", item=item, **place)


def done(item: Wire, **place: Any) -> Wire:
    return event("output_item.done", item=item, **place)


def arguments(text: Any, **place: Any) -> Wire:
    return event("function_call_arguments.delta", delta=text, **place)


def said(text: Any, **place: Any) -> Wire:
    return event("output_text.delta", delta=text, **place)


def calls_of(*events: Wire, **end: Any) -> list[tuple[str, str, Any]]:
    transcript = responses(created(), *events, completed(**end))
    return [(each.id, each.name, each.arguments) for each in transcript.tool_calls]


PARALLEL = {
    "one after the other": [
        added(call(1)),
        arguments(ONE, item_id="c1"),
        added(call(2)),
        arguments(TWO, item_id="c2"),
        done(call(1, ONE)),
        done(call(2, TWO)),
    ],
    "announced together": [
        *(added(call(1)), added(call(2))),
        *(arguments('{"x"', item_id="c1"), arguments('{"x"', item_id="c2")),
        *(arguments(":1}", item_id="c1"), arguments(":2}", item_id="c2")),
        *(done(call(1, ONE)), done(call(2, TWO))),
    ],
    "arguments only at the end": [added(call(1)), added(call(2)), done(call(1, ONE)), done(call(2, TWO))],
    "ended in another order": [
        *(added(call(1)), added(call(2)), done(call(2, TWO))),
        *(arguments(ONE, item_id="c1"), done(call(1, ONE)), done(call(2, TWO))),
    ],
}


@pytest.mark.parametrize("output", [[], [call(1, ONE), call(2, TWO)]])
@pytest.mark.parametrize("case", PARALLEL)
def test_parallel_calls_that_have_only_a_call_id(case, output):
    assert calls_of(*PARALLEL[case], output=output) == BOTH


def text_done(**place: Any) -> list[Wire]:
    part = {"type": "output_text", "text": "Hi"}
    return [event("output_text.done", text="Hi", **place), event("content_part.done", part=part, **place)]


MOVED = {
    "only the item": [
        added(words(), output_index=0),
        said("Hi", output_index=0, item_id="m", content_index=0),
        done(words("Hi"), output_index=1),
    ],
    "the text, the part and the item": [
        added(words(), output_index=0),
        said("Hi", output_index=0, item_id="m", content_index=0),
        *text_done(output_index=1, item_id="m", content_index=0),
        done(words("Hi"), output_index=1),
    ],
    "also the delta": [
        added(words(), output_index=0),
        said("Hi", output_index=1, item_id="m", content_index=0),
        *text_done(output_index=1, item_id="m", content_index=0),
        done(words("Hi"), output_index=0),
    ],
    "an index that a call had": [
        added(call(1, id="i"), output_index=0),
        done(call(1, ONE, id="i"), output_index=1),
        added(words(), output_index=1),
        said("Hi", output_index=1, item_id="m", content_index=0),
        done(words("Hi"), output_index=2),
    ],
}


@pytest.mark.parametrize("case", MOVED)
def test_message_that_ends_under_another_output_index(case):
    assert responses(created(), *MOVED[case], completed()).text == "Hi"


def test_calls_and_thoughts_that_end_under_another_output_index():
    streamed = []
    for at, (number, whole) in enumerate([(1, ONE), (2, TWO)]):
        id = f"i{number}"
        streamed += [added(call(number, id=id), output_index=at), arguments(whole, output_index=at, item_id=id)]
        streamed += [event("function_call_arguments.done", arguments=whole, output_index=at + 1, item_id=id)]
        streamed += [done(call(number, whole, id=id), output_index=at + 1)]
    assert calls_of(*streamed) == BOTH
    place = {"item_id": "r", "content_index": 0}
    thoughts = [
        added(thought(), output_index=0),
        event("reasoning_text.delta", delta="Hm", output_index=0, **place),
        event("reasoning_text.done", text="Hm", output_index=1, **place),
        done(thought("Hm"), output_index=1),
    ]
    assert responses(created(), *thoughts, completed()).reasoning == "Hm"


EARLY: dict[str, tuple[Wire, Wire]] = {
    "by index": ({"output_index": 0}, {"output_index": 0}),
    "by id": ({"item_id": "i"}, {}),
    "by id and index": ({"output_index": 0, "item_id": "i"}, {"output_index": 0}),
    "by id, under another index": ({"output_index": 1, "item_id": "i"}, {"output_index": 0}),
    "by id, and only the item has an index": ({"item_id": "i"}, {"output_index": 0}),
    "by nothing": ({}, {}),
}


@pytest.mark.parametrize("case", EARLY)
def test_arguments_before_their_call_is_announced(case):
    first, place = EARLY[case]
    streamed = [arguments('{"x"', **first), added(call(1, id="i"), **place), arguments(":1}", **first)]
    assert calls_of(*streamed, done(call(1, ONE, id="i"), **place)) == BOTH[:1]


def test_words_before_their_message_is_announced():
    place = {"output_index": 0, "item_id": "m", "content_index": 0}
    whole = event("output_text.done", text="Hi you", **place)
    streamed = [said("Hi", **place), added(words(), output_index=0), said(" you", **place), whole]
    transcript = responses(created(), *streamed, done(words("Hi you"), output_index=0), completed())
    assert [part.text for part in transcript.parts] == ["Hi you"]


def test_arguments_of_a_call_that_is_never_announced_are_not_those_of_the_next():
    streamed = [arguments(ONE, item_id="i1"), added(call(2, id="i2")), arguments(TWO, item_id="i2")]
    assert ("c2", "f2", {"x": 2}) in calls_of(*streamed, done(call(2, TWO, id="i2")))


# Words

AT = {"output_index": 0, "item_id": "m"}
THOUGHTS_AT = {"output_index": 0, "item_id": "r"}


def part(text: str, type_: str = "output_text") -> Wire:
    return {"type": type_, "text": text, "annotations": []}


def part_added(text: str = "", **place: Any) -> Wire:
    return event("content_part.added", part=part(text), **place)


def ended(text: str, index: int) -> list[Wire]:
    place = AT | {"content_index": index}
    return [event("output_text.done", text=text, **place), event("content_part.done", part=part(text), **place)]


def counted(*deltas: str, first: int) -> list[Wire]:
    return [said(delta, content_index=first + at, **AT) for at, delta in enumerate(deltas)]


COUNTED = {
    "from 0": [*counted("a", "b", "c", first=0), *ended("abc", 3)],
    "from 0, the end is 0": [*counted("a", "b", "c", first=0), *ended("abc", 0)],
    "after an announcement": [part_added(content_index=0, **AT), *counted("a", "b", "c", first=1), *ended("abc", 0)],
    "without an end": counted("a", "b", "c", first=0),
    "the end is more": [*counted("a", "b", first=0), *ended("abc", 2)],
    "minus one": [*(said(delta, content_index=-1, **AT) for delta in "abc"), *ended("abc", 0)],
    "minus one, announced": [
        part_added(content_index=0, **AT),
        *(said(delta, content_index=-1, **AT) for delta in "abc"),
        *ended("abc", 0),
    ],
}


@pytest.mark.parametrize("whole", [words("abc"), words()])
@pytest.mark.parametrize("case", COUNTED)
def test_content_index_that_is_none_does_not_split_the_text(case, whole):
    stream = [added(words(), output_index=0), *COUNTED[case], done(whole, output_index=0)]
    transcript = responses(created(), *stream, completed())
    assert [part.text for part in transcript.parts] == ["abc"]


def test_long_answer_whose_content_index_counts():
    stream = counted(*("x" for _ in range(150)), first=0)
    assert len(responses(created(), added(words(), output_index=0), *stream, completed()).text) == 150


def test_two_parts_are_two_if_the_first_ends_or_the_second_is_announced():
    ends, announces = ended("a", 0), [part_added(content_index=1, **AT)]
    for between in (ends, announces, ends + announces):
        stream = [said("a", content_index=0, **AT), *between, said("b", content_index=1, **AT)]
        transcript = responses(created(), added(words(), output_index=0), *stream, completed())
        assert [part.text for part in transcript.parts] == ["a", "b"]


@pytest.mark.parametrize("first", [0, -1])
@pytest.mark.parametrize("last", [0, 3])
def test_content_index_that_is_none_does_not_split_the_thoughts(first, last):
    places = [THOUGHTS_AT | {"content_index": max(first, first * 9 + at)} for at in range(3)]
    deltas = [event("reasoning_text.delta", delta=delta, **place) for delta, place in zip("abc", places, strict=True)]
    place = THOUGHTS_AT | {"content_index": last}
    ends = [event("reasoning_text.done", text="abc", **place)]
    ends += [event("reasoning_part.done", part=part("abc", "reasoning_text"), **place)]
    for end in (ends, ends[:1], []):
        stream = [added(thought(), output_index=0), *deltas, *end, done(thought("abc"), output_index=0)]
        assert responses(created(), *stream, completed()).reasoning == "abc"


def test_two_sections_of_thoughts_are_two_if_the_first_ends_or_the_second_is_announced():
    first, second = ({**THOUGHTS_AT, "content_index": at} for at in (0, 1))
    ends = [event("reasoning_text.done", text="a", **first)]
    announces = [event("reasoning_part.added", part=part("", "reasoning_text"), **second)]
    for between in (ends, announces, ends + announces):
        deltas = [event("reasoning_text.delta", delta="a", **first), *between]
        deltas += [event("reasoning_text.delta", delta="b", **second)]
        assert responses(created(), added(thought(), output_index=0), *deltas, completed()).reasoning == "a\n\nb"


OBJECTS = {
    "text of a part": [event("content_part.delta", delta=delta, content_index=0, **AT) for delta in ("Hi", " you")],
    "object of a part": [
        event("content_part.delta", delta=part(delta), content_index=0, **AT) for delta in ("Hi", " you")
    ],
    "object": [said(part(delta), content_index=0, **AT) for delta in ("Hi", " you")],
    "object without a type": [said({"text": delta}) for delta in ("Hi", " you")],
}


@pytest.mark.parametrize("announced", [[added(words(), output_index=0)], []])
@pytest.mark.parametrize("case", OBJECTS)
def test_delta_of_a_part_or_as_an_object(case, announced):
    assert responses(created(), *announced, *OBJECTS[case], completed()).text == "Hi you"


def test_delta_of_a_part_with_a_refusal_or_thoughts():
    refusal = event("content_part.delta", delta={"type": "refusal", "refusal": "No"}, content_index=0, **AT)
    assert responses(created(), added(words(), output_index=0), refusal, completed()).refusal == "No"
    thoughts = event("content_part.delta", delta=part("Hm", "reasoning_text"), content_index=0, **THOUGHTS_AT)
    transcript = responses(created(), added(thought(), output_index=0), thoughts, completed())
    assert (transcript.reasoning, transcript.text) == ("Hm", "")


MESSAGE, WHOLE = added(words(), output_index=0), done(words("Hi you"), output_index=0)
PART, PART_DONE = part_added("Hi you", content_index=0, **AT), ended("Hi you", 0)[1]
ONCE = {
    "the part's end, without an item": [PART_DONE],
    "the part's end, without a place": [event("content_part.done", part=part("Hi you"))],
    "the part's announcement": [MESSAGE, PART],
    "the part's announcement, and its end": [MESSAGE, PART, *ended("Hi you", 0)],
    "the part's announcement, and the item": [MESSAGE, PART, WHOLE],
    "the part's announcement, and an empty item": [MESSAGE, PART, done(words(), output_index=0)],
    "the part's announcement, and deltas": [
        MESSAGE,
        PART,
        *(said(delta, content_index=0, **AT) for delta in ("Hi", " you")),
    ],
    "the first words in the announcement": [
        MESSAGE,
        part_added("Hi", content_index=0, **AT),
        said(" you", content_index=0, **AT),
        *ended("Hi you", 0),
        WHOLE,
    ],
    "two announcements": [
        MESSAGE,
        part_added("Hi", content_index=0, **AT),
        part_added(" you", content_index=1, **AT),
    ],
    "the item's announcement": [added(words("Hi you"), output_index=0), done(words(), output_index=0)],
    "the item's announcement, and its end": [added(words("Hi you"), output_index=0), WHOLE],
    "the item's announcement, its part and deltas": [
        added(words("Hi you"), output_index=0),
        part_added(content_index=0, **AT),
        *(said(delta, content_index=0, **AT) for delta in ("Hi", " you")),
    ],
    "the item's end": [done(words("Hi you"))],
}


@pytest.mark.parametrize("case", ONCE)
def test_words_that_come_only_in_one_place(case):
    assert responses(created(), *ONCE[case], completed()).text == "Hi you"


def test_words_of_an_announcement_survive_a_cut():
    failed = event("failed", response={"error": {"code": "server_error"}})
    for end in ([], [failed], [{"type": "error", "message": "no"}]):
        assert responses(created(), MESSAGE, PART, *end).text == "Hi you"


def test_part_of_reasoning_that_is_called_text():
    place = THOUGHTS_AT | {"content_index": 0}
    stream = [
        added(thought(), output_index=0),
        event("content_part.added", part=part(""), **place),
        event("reasoning_text.delta", delta="Hm", **place),
        event("content_part.done", part=part("Hm"), **place),
        done(thought("Hm"), output_index=0),
    ]
    transcript = responses(created(), *stream, completed())
    assert (transcript.reasoning, transcript.text) == ("Hm", "")


# Calls

CALL_AT = {"output_index": 0, "item_id": "i"}
CALL = added(call(1, id="i"), output_index=0)


def arguments_done(whole: Any = ONE, **fields: Any) -> Wire:
    return event("function_call_arguments.done", arguments=whole, **CALL_AT, **fields)


NAMED_LATE = {
    "by the end of the arguments": [arguments_done(name="f1", call_id="c1")],
    "by the end, after deltas": [arguments(ONE, **CALL_AT), arguments_done(name="f1", call_id="c1")],
    "by the end, after an item without them": [
        added({"type": "function_call", "id": "i"}, output_index=0),
        arguments_done(name="f1", call_id="c1"),
    ],
    "the name by the end, the rest by the item": [arguments_done(name="f1"), done(call(1, ONE), output_index=0)],
    "by each event": [
        CALL,
        *(arguments(delta, name="f1", call_id="c1", **CALL_AT) for delta in ('{"x"', ":1}")),
        arguments_done(name="f1", call_id="c1"),
        done(call(1, ONE, id="i"), output_index=0),
    ],
}


@pytest.mark.parametrize("case", NAMED_LATE)
def test_call_that_is_named_with_its_arguments(case):
    assert calls_of(*NAMED_LATE[case]) == BOTH[:1]


def test_call_that_has_only_the_id_of_its_item():
    assert calls_of(added({"type": "function_call", "id": "i"}, output_index=0), arguments_done(name="f1"))[0][1:] == (
        "f1",
        {"x": 1},
    )
    wire = {"type": "function_call", "id": "i", "name": "f1"}
    assert calls_of(added(wire, output_index=0), arguments(ONE, **CALL_AT))[0] == ("i", "f1", {"x": 1})


@pytest.mark.parametrize(
    "end", [[], [arguments_done()], [arguments_done({"x": 1})], [done(call(1, ONE), output_index=0)]]
)
@pytest.mark.parametrize("delta", [{"x": 1}, {"arguments": ONE}, {"type": "function_call", "arguments": ONE}])
def test_arguments_as_an_object(delta, end):
    assert calls_of(CALL, arguments(delta, **CALL_AT), *end) == BOTH[:1]


UNCONFIRMED = {
    "nothing": [CALL],
    "a placeholder": [added(call(1, "{}", id="i"), output_index=0)],
    "an empty delta": [CALL, arguments("", **CALL_AT)],
}


@pytest.mark.parametrize("end", [[], [completed()], [completed(output=[words("Hi")])]])
@pytest.mark.parametrize("case", UNCONFIRMED)
def test_call_that_is_never_confirmed_is_cut(case, end):
    (found,) = responses(created(), *UNCONFIRMED[case], *end).tool_calls
    assert (found.name, found.arguments, found.is_complete, found.error) == ("f1", None, False, "truncated")


def test_call_with_free_text_that_is_never_confirmed_is_cut():
    wire = {"type": "custom_tool_call", "id": "i", "call_id": "c1", "name": "f1"}
    for end in ([], [completed()]):
        (found,) = responses(created(), added(wire, output_index=0), *end).tool_calls
        assert (found.name, found.is_complete, found.error) == ("f1", False, "truncated")


CONFIRMED = {
    "by the end of the arguments": [CALL, arguments_done("")],
    "by the item": [CALL, done(call(1, id="i"), output_index=0)],
    "by a delta": [CALL, arguments("{}", **CALL_AT)],
}


@pytest.mark.parametrize("case", CONFIRMED)
def test_call_without_arguments_is_complete_if_it_is_confirmed(case):
    assert calls_of(*CONFIRMED[case]) == [("c1", "f1", {})]
    assert calls_of(CALL, output=[call(1, id="i")]) == [("c1", "f1", {})]


# Ends

REASON = {"type": "too_many_requests", "code": "rate_limit_exceeded", "message": "Slow down."}
FAILED = event("failed", response={"id": "r", "status": "failed", "error": None, "output": []})


@pytest.mark.parametrize("failed", [FAILED, event("failed", response={"error": {"code": None, "message": None}})])
@pytest.mark.parametrize("reason", [{"type": "error", "error": REASON}, {**REASON, "type": "error"}])
def test_reason_of_a_failure_in_the_next_event(failed, reason):
    for between in ([], [{"type": "ping"}], [event("in_progress", response={})]):
        transcript = responses(created(), failed, *between, reason)
        assert (transcript.outcome, transcript.error.code) == ("failed", "rate_limit_exceeded")
        assert (transcript.error.message, transcript.error.retryable) == ("Slow down.", True)


def test_failure_without_a_reason():
    for end in ([], [completed()], [FAILED]):
        transcript = responses(created(), said("Hi"), FAILED, *end)
        assert (transcript.outcome, transcript.text, transcript.error.message) == (
            "failed",
            "Hi",
            "the response failed",
        )


def test_nobody_waits_long_for_the_reason_of_a_failure():
    parser = StreamParser("openai-responses")
    parser.feed(named(created(), FAILED))
    assert parser.is_complete
    assert not parser.is_over
    assert fold(parser.close()).outcome == "failed"


def test_end_without_a_wrapper():
    begin = event("created", id="resp_9", model="m9", status="in_progress")
    usage = {"input_tokens": 3, "output_tokens": 4}
    transcript = responses(
        begin, event("completed", id="resp_9", status="completed", output=[words("Hi")], usage=usage)
    )
    assert (transcript.id, transcript.model, transcript.text) == ("resp_9", "m9", "Hi")
    assert (transcript.usage.input_tokens, transcript.usage.output_tokens) == (3, 4)


def test_bad_end_without_a_wrapper():
    incomplete = event("incomplete", status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert responses(created(), incomplete).finish_reason == "length"
    for fields in ({"status": "failed", "error": REASON}, REASON):
        assert responses(created(), {**fields, "type": "response.failed"}).error.code == "rate_limit_exceeded"


def test_whole_response_that_failed_without_a_reason():
    body = {"object": "response", "id": "r", "status": "failed", "error": None}
    transcript = fold(read("openai-responses", json.dumps(body).encode()))
    assert (transcript.outcome, transcript.error.message) == ("failed", "the response failed")


def test_reason_of_a_failure_beside_an_error_without_values():
    failed = event("failed", response={"error": {"code": None}}, error=REASON)
    assert responses(created(), failed).error.code == "rate_limit_exceeded"


@pytest.mark.parametrize(
    "streamed", ["gAAAAABq3x9kQ", '{"x":', '{"y":1,'], ids=["a cipher", "a beginning", "another beginning"]
)
def test_whole_arguments_count_if_those_that_streamed_are_of_no_use(streamed):
    item = call(1, '{ "x": 1 }')
    last = event("function_call_arguments.done", arguments='{ "x": 1 }', output_index=0)
    for end in ([last, done(item, output_index=0)], [done(item, output_index=0)], [last]):
        begun = [created(), added(call(1), output_index=0), arguments(streamed, output_index=0)]
        [found] = responses(*begun, *end, completed(output=[item])).tool_calls
        assert (found.arguments, found.raw_arguments, found.is_complete) == ({"x": 1}, '{ "x": 1 }', True)


def test_broken_arguments_stay_if_the_whole_ones_are_broken_too():
    broken = call(1, '{"x":2')
    begun = [created(), added(call(1), output_index=0), arguments('{"x":1', output_index=0)]
    [found] = responses(*begun, done(broken, output_index=0), completed()).tool_calls
    assert (found.raw_arguments, found.is_complete) == ('{"x":1', False)


@pytest.mark.parametrize("type_", [[], {}, 5, None])
def test_part_of_no_type_is_read_by_its_place(type_):
    part = {"type": type_, "text": "Hi"}
    begun = [created(), added(words(), output_index=0)]
    events = [event(f"content_part.{end}", part=part, output_index=0, content_index=0) for end in ("added", "done")]
    assert responses(*begun, *events, completed()).text == "Hi"
