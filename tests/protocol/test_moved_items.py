"""Responses streams whose items end, or go on, under an index and an id that are both new; and words at the ends."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import Cited, FilePart
from tests.protocol.test_reported_items import (
    AT,
    BOTH,
    ONE,
    TWO,
    Wire,
    added,
    arguments,
    call,
    calls_of,
    done,
    event,
    part,
    said,
    thought,
    words,
)
from tests.protocol.wire import completed, created, fold, item, named, read, responses

HERE, THERE = {"output_index": 0, "item_id": "m"}, {"output_index": 1, "item_id": "n"}

ENDS: dict[str, list[Wire]] = {
    "the item": [done(words("Hi you", "n"), output_index=1)],
    "the text and the item": [
        event("output_text.done", text="Hi you", **THERE),
        done(words("Hi you", "n"), output_index=1),
    ],
    "each end": [
        event("output_text.done", text="Hi you", **THERE),
        event("content_part.done", part=part("Hi you"), **THERE),
        done(words("Hi you", "n"), output_index=1),
    ],
    "the item, without an index": [done(words("Hi you", "n"))],
    "the text": [event("output_text.done", text="Hi you", **THERE)],
}


@pytest.mark.parametrize("streamed", [["Hi", " you"], ["Hi"], []])
@pytest.mark.parametrize("case", ENDS)
def test_message_that_ends_elsewhere(case, streamed):
    begun = [added(words(), output_index=0), *(said(delta, **HERE) for delta in streamed)]
    transcript = responses(created(), *begun, *ENDS[case], completed(output=[words("Hi you", "o")]))
    assert [part.text for part in transcript.parts] == ["Hi you"]


def test_message_whose_deltas_are_elsewhere():
    deltas = [said(delta, **THERE) for delta in ("Hi", " you")]
    stream = [added(words(), output_index=0), *deltas, done(words("Hi you"), output_index=0)]
    assert responses(created(), *stream, completed()).text == "Hi you"


def test_another_message_is_not_taken_for_the_open_one():
    begun = [added(words(), output_index=0), said("Hi", **HERE)]
    other = done(words("No", "n"), output_index=1)
    transcript = responses(created(), *begun, other, said(" you", **HERE), done(words("Hi you"), output_index=0))
    assert [part.text for part in transcript.parts] == ["Hi you", "No"]


def test_thoughts_that_end_elsewhere():
    delta = event("reasoning_text.delta", delta="Hm", output_index=0, item_id="r", content_index=0)
    end = event("reasoning_text.done", text="Hm", output_index=1, item_id="q", content_index=0)
    for ends in ([], [end]):
        stream = [added(thought(), output_index=0), delta, *ends, done(thought("Hm") | {"id": "q"}, output_index=1)]
        transcript = responses(created(), *stream, completed())
        assert (transcript.reasoning, len(transcript.parts)) == ("Hm", 1)
        assert transcript.parts[0].raw == thought("Hm") | {"id": "q"}


CALLS: dict[str, list[Wire]] = {
    "the same call_id": [done(call(1, ONE, id="n"), output_index=1)],
    "no call_id": [done({"type": "function_call", "id": "n", "name": "f1", "arguments": ONE}, output_index=1)],
    "another call_id": [done(call(1, ONE, id="n", call_id="c9"), output_index=1)],
    "the arguments": [event("function_call_arguments.done", arguments=ONE, **THERE)],
}


@pytest.mark.parametrize("case", CALLS)
def test_call_that_ends_elsewhere(case):
    streamed = [added(call(1, id="m"), output_index=0), arguments(ONE, **HERE)]
    assert calls_of(*streamed, *CALLS[case]) == BOTH[:1]


def test_call_whose_arguments_are_elsewhere():
    deltas = [arguments(delta, **THERE) for delta in ('{"x"', ":1}")]
    assert (
        calls_of(added(call(1, id="m"), output_index=0), *deltas, done(call(1, ONE, id="m"), output_index=0))
        == (BOTH[:1])
    )


OTHERS: dict[str, list[Wire]] = {
    "other arguments": [done(call(1, TWO, id="n", call_id="c2"), output_index=1)],
    "another name": [done(call(2, ONE, id="n"), output_index=1)],
    "a call without arguments": [done(call(2, "", id="n"), output_index=1)],
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_call_is_not_taken_for_the_open_one(case):
    streamed = [added(call(1, id="m"), output_index=0), arguments(ONE, **HERE), *OTHERS[case]]
    found = calls_of(*streamed, done(call(1, ONE, id="m"), output_index=0))
    assert len(found) == 2
    assert found[0] == BOTH[0]


def test_search_that_ends_elsewhere():
    wire = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    action = {"type": "search", "query": "q"}
    ended = wire | {"id": "ws_2", "status": "completed", "action": action}
    [found] = responses(created(), added(wire, output_index=0), done(ended, output_index=1), completed()).tool_calls
    assert (found.id, found.name, found.arguments) == ("ws_1", "web_search", action)
    other = {"type": "file_search_call", "id": "fs_1", "queries": ["q"]}
    found = responses(created(), added(wire, output_index=0), done(other, output_index=1), completed()).tool_calls
    assert [each.name for each in found] == ["web_search", "file_search"]


@pytest.mark.parametrize("streamed", [[], ["1+"], ["1+", "1"]])
def test_code_that_ends_elsewhere(streamed):
    wire = {"type": "code_interpreter_call", "id": "m", "code": ""}
    deltas = [event("code_interpreter_call_code.delta", delta=delta, **HERE) for delta in streamed]
    end = event("code_interpreter_call_code.done", code="1+1", **THERE)
    for ends in ([], [end] if streamed else []):
        ended = done(wire | {"id": "n", "code": "1+1", "outputs": [{"logs": "2"}]}, output_index=1)
        transcript = responses(created(), added(wire, output_index=0), *deltas, *ends, ended, completed())
        assert [each.raw_arguments for each in transcript.tool_calls] == ["1+1"]
        assert len(transcript.parts) == 2


def test_arguments_that_only_name_their_call():
    both = [added(call(1, id="i1")), added(call(2, id="i2"))]
    deltas = [arguments(whole, call_id=id) for id, whole in (("c1", ONE), ("c2", TWO))]
    ends = [
        event("function_call_arguments.done", arguments=whole, call_id=id) for id, whole in (("c1", ONE), ("c2", TWO))
    ]
    for streamed in ([*deltas, *ends], deltas, ends, deltas[::-1]):
        assert calls_of(*both, *streamed) == BOTH


# Refusals


def refusal(text: str) -> Wire:
    return {"type": "refusal", "refusal": text}


REFUSALS: dict[str, list[Wire]] = {
    "deltas": [event("refusal.delta", delta=delta, **AT) for delta in ("No", " way")],
    "the end is more": [event("refusal.delta", delta="No", **AT), event("refusal.done", refusal="No way", **AT)],
    "the part is more": [
        event("refusal.delta", delta="No", **AT),
        event("content_part.done", part=refusal("No way"), content_index=0, **AT),
    ],
    "the announcement": [event("content_part.added", part=refusal("No way"), content_index=0, **AT)],
    "the announcement and deltas": [
        event("content_part.added", part=refusal("No"), content_index=0, **AT),
        event("refusal.delta", delta=" way", content_index=0, **AT),
    ],
}


@pytest.mark.parametrize("content", [[], [refusal("No way")]])
@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_comes_once(case, content):
    stream = item(0, words(), *REFUSALS[case], content=content)
    transcript = responses(created(), *stream, completed())
    assert (transcript.refusal, transcript.text, len(transcript.parts)) == ("No way", "", 1)


def test_refusal_after_text_is_another_part():
    deltas = [said("Hi", content_index=0, **AT), event("refusal.delta", delta="No", content_index=1, **AT)]
    whole = [part("Hi"), refusal("No")]
    for ends in ([], [event("content_part.done", part=whole[1], content_index=1, **AT)]):
        transcript = responses(created(), *item(0, words(), *deltas, *ends, content=whole), completed())
        assert (transcript.text, transcript.refusal, len(transcript.parts)) == ("Hi", "No", 2)


# Citations

SOURCES = [{"type": "url_citation", "url": url} for url in "abc"]


@pytest.mark.parametrize("known", [0, 1, 3])
def test_citations_that_only_the_end_has(known):
    events = [event("output_text.annotation.added", annotation=each, content_index=0, **AT) for each in SOURCES[:known]]
    whole = part("Hi") | {"annotations": SOURCES}
    ends = [event("content_part.done", part=whole, content_index=0, **AT)]
    for end, content in ((ends, []), (ends, [whole]), ([], [whole])):
        stream = item(0, words(), said("Hi", content_index=0, **AT), *events, *end, content=content)
        found = read("openai-responses", named(created(), *stream, completed()))
        assert [each.citation for each in found if isinstance(each, Cited)] == SOURCES


def test_citations_that_look_different_at_the_end_count_once():
    cited = event("output_text.annotation.added", annotation=SOURCES[0], content_index=0, **AT)
    whole = part("Hi") | {"annotations": [SOURCES[0] | {"title": "A"}]}
    stream = item(0, words(), said("Hi", content_index=0, **AT), cited, content=[whole])
    found = read("openai-responses", named(created(), *stream, completed()))
    assert [each.citation for each in found if isinstance(each, Cited)] == SOURCES[:1]


# Other places of words


@pytest.mark.parametrize("summary", ["Hm", {"type": "summary_text", "text": "Hm"}, ["Hm"]])
def test_thoughts_that_are_no_list_or_only_announced(summary):
    wire = {"type": "reasoning", "id": "r", "summary": summary}
    part_added = event("reasoning_summary_part.added", part={"text": "Hm"}, summary_index=0, output_index=0)
    delta = event("reasoning_summary_text.delta", delta="Hm", summary_index=0, output_index=0)
    for stream in ([done(wire)], [added(wire, output_index=0)], [added(wire, output_index=0), part_added, delta]):
        assert responses(created(), *stream, completed()).reasoning == "Hm"
    assert responses(created(), added(thought(), output_index=0), part_added, completed()).reasoning == "Hm"


@pytest.mark.parametrize("content", ["Hi", ["Hi"], {"type": "output_text", "text": "Hi"}])
def test_words_that_are_no_list_of_parts(content):
    assert responses(created(), done(words() | {"content": content}), completed()).text == "Hi"


@pytest.mark.parametrize("output", [[], None])
def test_response_that_has_only_the_whole_text(output):
    assert responses(created(), completed(output=output, output_text="Hi")).text == "Hi"
    assert responses(created(), said("Hi"), completed(output=output, output_text="Hi")).text == "Hi"


@pytest.mark.parametrize("type_", ["audio.transcript", "output_audio_transcript"])
def test_transcript_of_audio_is_text(type_):
    assert responses(created(), event(f"{type_}.delta", delta="Hi"), completed()).text == "Hi"


def test_early_names_of_events():
    wire: dict[str, Any] = {"type": "mcp_call", "id": "m", "name": "f", "arguments": "", "server_label": "s"}
    delta = event("mcp_call.arguments.delta", delta=ONE, output_index=0, item_id="m")
    end = event("mcp_call.arguments.done", arguments=ONE, output_index=0, item_id="m")
    for events in ([delta], [end], [delta, end]):
        [found] = responses(created(), added(wire, output_index=0), *events, completed()).tool_calls
        assert found.arguments == {"x": 1}


def test_actions_of_the_computer_tool():
    actions = [{"type": "click", "x": 1, "y": 2}, {"type": "wait"}]
    wire = {"type": "computer_call", "id": "i", "call_id": "c", "actions": actions}
    [found] = fold(read("openai-responses", named(created(), *item(0, wire), completed()))).tool_calls
    assert found.arguments == {"actions": actions}


def test_image_whose_result_is_a_url():
    url = "data:image/webp;base64,AAAA"
    stream = item(0, {"type": "image_generation_call", "id": "i", "result": url})
    assert [each.url for each in responses(created(), *stream, completed()).parts if isinstance(each, FilePart)] == [
        url
    ]


def test_usage_beside_the_response():
    usage = responses(
        created(), said("Hi"), completed(usage=None) | {"usage": {"input_tokens": 3, "output_tokens": 4}}
    ).usage
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)


def mcp(id: str, **fields: Any) -> Wire:
    return {"type": "mcp_call", "id": id, "name": "echo", "server_label": "s", "arguments": ONE} | fields


AGAIN = {"type": "response.created", "response": {"id": "resp_2", "model": "gpt"}}
MIXED: dict[str, tuple[list[Wire], str, list[str]]] = {
    "two rounds in one stream": (
        [
            *(added(call(1, id="i"), output_index=0), arguments(ONE, output_index=0, item_id="i")),
            done(call(1, ONE, id="i"), output_index=0),
            event("mcp_call_arguments.delta", delta=ONE, output_index=0, item_id="a"),
            event("mcp_call_arguments.done", arguments=ONE, output_index=0, item_id="a"),
            done(mcp("b", output="r"), output_index=0),
            *(AGAIN, added(words(), output_index=0), said("Hi", **HERE), done(words("Hi"), output_index=0)),
        ],
        "Hi",
        ["f1", "echo"],
    ),
    "an empty message that never ends": (
        [
            added(words(), output_index=0),
            *item(1, call(1, id="i"), arguments(ONE, item_id="i"), arguments=ONE),
            done(words("Hi", "n"), output_index=2),
        ],
        "Hi",
        ["f1"],
    ),
    "two messages that end elsewhere": (
        [
            *(added(words(), output_index=0), said("Hi", **HERE), done(words("Hi", "n"), output_index=1)),
            *(added(words(id="o"), output_index=2), said("Hi", output_index=2, item_id="o")),
            done(words("Hi", "p"), output_index=3),
        ],
        "HiHi",
        [],
    ),
    "whole calls while a message is open": (
        [
            *(added(words(), output_index=0), said("Hi", **HERE)),
            *(done(call(1, ONE, id="i"), output_index=1), done(call(2, TWO, id="j"), output_index=2)),
            done(words("Hi"), output_index=0),
        ],
        "Hi",
        ["f1", "f2"],
    ),
    "two calls with the same arguments": (
        [
            *(added(call(1, id="i"), output_index=0), arguments(ONE, output_index=0, item_id="i")),
            *(added(call(1, id="j", call_id="c9"), output_index=1), arguments(ONE, output_index=1, item_id="j")),
            done(call(1, ONE, id="i"), output_index=0),
            done(call(1, ONE, id="j", call_id="c9"), output_index=1),
        ],
        "",
        ["f1", "f1"],
    ),
}


@pytest.mark.parametrize("case", MIXED)
def test_items_that_look_alike_stay_apart(case):
    stream, text, names = MIXED[case]
    transcript = responses(created(), *stream, completed())
    assert transcript.text == text
    assert [each.name for each in transcript.tool_calls if each.is_complete] == names


AGAIN_CALLS: dict[str, tuple[list[Wire], int]] = {
    "the same call, with its deltas": (item(1, call(1, id="n"), arguments(ONE), arguments=ONE), 1),
    "the same call, only its end": ([done(call(1, ONE, id="n"), output_index=1)], 1),
    "the same call, written otherwise": ([done(call(1, '{ "x": 1 }', id="n"), output_index=1)], 1),
    "a call without arguments": (item(1, call(1, id="n")), 1),
    "a call without arguments, then the same call": (
        [*item(1, call(1, id="n")), *item(2, call(1, id="o"), arguments(ONE), arguments=ONE)],
        1,
    ),
    "only its start": ([added(call(1, id="n"), output_index=1)], 1),
    "the start of its arguments": ([added(call(1, id="n"), output_index=1), arguments('{"x"', output_index=1)], 2),
    "other arguments": (item(1, call(1, id="n"), arguments(TWO), arguments=TWO), 2),
    "other arguments as an object": (item(1, call(1, id="n"), arguments({"x": 2})), 2),
    "other arguments, only the end": ([done(call(1, TWO, id="n"), output_index=1)], 2),
    "another tool": (item(1, call(2, id="n", call_id="c1"), arguments(ONE), arguments=ONE), 2),
    "another call_id at its end": (item(1, call(1, id="n"), arguments(ONE), arguments=ONE, call_id="c2"), 2),
}


@pytest.mark.parametrize("case", AGAIN_CALLS)
def test_second_item_with_a_call_id_is_the_same_call_unless_its_arguments_differ(case):
    again, count = AGAIN_CALLS[case]
    stream = item(0, call(1, id="m"), arguments(ONE), arguments=ONE)
    transcript = responses(created(), *stream, *again, completed())
    assert len(transcript.tool_calls) == count
    assert len({each.id for each in transcript.tool_calls}) == count
    assert (transcript.tool_calls[0].id, transcript.tool_calls[0].raw_arguments) == ("c1", ONE)
