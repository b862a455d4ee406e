"""Responses streams from bug reports: items whose indexes, ids and order are not those of OpenAI."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocol.wire import completed, created, responses

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
