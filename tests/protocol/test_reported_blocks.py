"""Anthropic streams from bug reports: blocks whose indexes, starts, input and ends are not those of Anthropic."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import OpaquePart, ToolResult
from tests.protocol.wire import anthropic, block, message

Wire = dict[str, Any]

FOUND = [("t1", "f", {"x": 1})]
CUT = [("t1", "f", None), ("t2", "g", None)]


def use(id: Any = "t1", name: Any = "f", **fields: Any) -> Wire:
    return {"type": "tool_use", "id": id, "name": name, "input": {}} | fields


def begin(index: int, wire: Wire) -> Wire:
    return {"type": "content_block_start", "index": index, "content_block": wire}


def pieces(index: int, *fragments: Any) -> list[Wire]:
    deltas = [{"type": "input_json_delta", "partial_json": fragment} for fragment in fragments]
    return [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]


def stop(index: int) -> Wire:
    return {"type": "content_block_stop", "index": index}


def text(index: int, words: str = "Hi") -> list[Wire]:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": words})


def calls_of(*events: Wire, reason: str = "tool_use") -> list[tuple[str, str, Any]]:
    transcript = anthropic(*message(*events, stop=reason))
    assert all(call.error == "truncated" for call in transcript.tool_calls if call.arguments is None)
    return [(call.id, call.name, call.arguments) for call in transcript.tool_calls]


MISPLACED = {
    "another index": [begin(0, use()), *pieces(1, '{"x"', ":1}"), stop(0)],
    "another index, which stops": [begin(0, use()), *pieces(1, '{"x"', ":1}"), stop(1)],
    "an index that counts": [begin(0, use()), *pieces(0, '{"x"'), *pieces(1, ":"), *pieces(2, "1}"), stop(0)],
    "the index of a text": [*text(0)[:2], begin(1, use()), *pieces(0, '{"x"', ":1}"), stop(1), stop(0)],
    "after the stop": [begin(0, use()), stop(0), *pieces(1, '{"x"', ":1}"), stop(1)],
    "after the stop, its own index": [begin(0, use()), stop(0), *pieces(0, '{"x"', ":1}")],
    "after a call that is whole": [
        *(begin(0, use("t0")), *pieces(0, "{}"), stop(0)),
        *(begin(1, use()), *pieces(2, '{"x"', ":1}"), stop(1)),
    ],
}


@pytest.mark.parametrize("case", MISPLACED)
def test_input_under_an_index_without_a_call(case):
    assert calls_of(*MISPLACED[case])[-1:] == FOUND


LOST = {
    "two are open": [begin(0, use()), begin(1, use("t2", "g")), *pieces(2, '{"x":1}'), stop(0), stop(1)],
    "two have stopped": [
        *(begin(0, use()), begin(1, use("t2", "g")), stop(0), stop(1)),
        *pieces(2, '{"x":1}'),
    ],
    "none has begun": [*pieces(4, '{"x":1}'), begin(0, use()), stop(0), begin(1, use("t2", "g")), stop(1)],
}


@pytest.mark.parametrize("reason", ["tool_use", "end_turn", "max_tokens"])
@pytest.mark.parametrize("case", LOST)
def test_call_whose_input_may_be_lost_is_cut(case, reason):
    assert calls_of(*LOST[case], reason=reason) == CUT


def test_late_input_of_a_call_that_is_whole_goes_to_no_other():
    first = [begin(0, use()), *pieces(0, '{"x":1}'), stop(0)]
    late = pieces(0, '{"x":1}')
    assert calls_of(*first, begin(1, use("t2", "g")), *late, *pieces(1, '{"x":2}')) == [*FOUND, ("t2", "g", {"x": 2})]
    assert calls_of(*first, begin(1, use("t2", "g")), *late, stop(1)) == [*FOUND, ("t2", "g", {})]


def test_input_that_says_nothing_is_not_lost():
    for fragment in ("", "{}", None):
        assert calls_of(*pieces(4, fragment), begin(0, use()), stop(0)) == [("t1", "f", {})]


NEXT = {
    "the same id": use("t1", ""),
    "the same id and name": use("t1", "f"),
    "no id": use("", ""),
    "null": use(None, None),
    "nothing": {"type": "tool_use"},
}


@pytest.mark.parametrize("case", NEXT)
def test_call_that_begins_again_for_each_fragment(case):
    first, second, third = pieces(0, '{"x"', ":", "1}")
    again = begin(0, NEXT[case])
    assert calls_of(begin(0, use()), first, again, second, again, third, stop(0)) == FOUND
    assert calls_of(begin(0, use()), first, stop(0), again, second, stop(0), again, third, stop(0)) == FOUND
    two = [*text(0), begin(1, use()), *pieces(1, '{"x"'), begin(1, NEXT[case]), *pieces(1, ":1}"), stop(1)]
    assert calls_of(*two, *text(2)) == FOUND


@pytest.mark.parametrize("case", ["the same id", "no id", "null", "nothing"])
def test_call_that_begins_again_under_other_indexes(case):
    first, second = begin(0, use()), begin(1, NEXT[case])
    assert calls_of(first, *pieces(0, '{"x"'), second, *pieces(1, ":1}"), stop(1)) == FOUND
    assert calls_of(first, *pieces(0, '{"x"'), stop(0), second, *pieces(1, ":1}"), stop(1)) == FOUND


NAMED_LATE = {
    "before the input": [begin(0, use("t1", "")), begin(0, use()), *pieces(0, '{"x":1}'), stop(0)],
    "after the input": [begin(0, use("t1", "")), *pieces(0, '{"x":1}'), begin(0, use()), stop(0)],
    "with the id": [begin(0, use("", "")), *pieces(0, '{"x":1}'), begin(0, use()), stop(0)],
    "with the input": [begin(0, use("t1", "")), begin(0, use(input={"x": 1})), stop(0)],
    "with the input, and named before": [begin(0, use()), begin(0, use(input={"x": 1})), stop(0)],
}


@pytest.mark.parametrize("case", NAMED_LATE)
def test_second_start_with_the_name_or_the_input(case):
    assert calls_of(*NAMED_LATE[case]) == FOUND


def test_other_calls_are_not_taken_for_the_same():
    two = [("t1", "f", {"x": 1}), ("t2", "g", {"x": 2})]
    first, second = pieces(0, '{"x":1} '), pieces(1, '{"x":2}\n')
    assert calls_of(begin(0, use()), *first, stop(0), begin(1, use("t2", "g")), *second, stop(1)) == two
    assert calls_of(begin(0, use()), *first, begin(1, use("t2", "g")), *second) == two
    unnamed = calls_of(begin(0, use("")), *first, stop(0), begin(1, use("", "g")), *second, stop(1))
    assert [each[1:] for each in unnamed] == [each[1:] for each in two]
    assert len(calls_of(begin(0, use()), stop(0), begin(1, use()), stop(1))) == 2


@pytest.mark.parametrize("fragments", [[], [""], ["{}"], ["", "{}"], ["{}", ""], ['{"x"', ":1}"], ["{}", '{"x":1}']])
def test_input_that_came_whole_with_the_start(fragments):
    assert calls_of(begin(0, use(input={"x": 1})), *pieces(0, *fragments), stop(0)) == FOUND


def test_encrypted_content_of_a_compaction_is_replaced():
    deltas = [{"type": "compaction_delta", "content": "so ", "encrypted_content": "one"}]
    deltas += [{"type": "compaction_delta", "content": "far", "encrypted_content": "two"}]
    deltas += [{"type": "compaction_delta", "encrypted_content": None}]
    wire = {"type": "compaction", "content": None, "encrypted_content": "zero"}
    kept = {"type": "compaction", "content": "so far", "encrypted_content": "two"}
    assert anthropic(*message(*block(0, wire, *deltas))).parts[0] == OpaquePart(raw=kept)


@pytest.mark.parametrize("type_", ["hologram_tool_result", "hologram_20270101_tool_result", "web_search_tool_result"])
def test_result_of_any_tool_of_the_server(type_):
    run = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "hologram", "input": {}}
    ran = {"type": type_, "tool_use_id": "srvtoolu_1", "content": {"type": f"{type_}_error", "error_code": "no"}}
    _, result = anthropic(*message(*block(0, run), *block(1, ran))).parts
    assert isinstance(result, ToolResult)
    assert (result.call_id, result.output, result.is_error, result.raw) == (
        "srvtoolu_1",
        ran["content"],
        True,
        {"type": type_},
    )


def test_block_that_only_looks_like_a_result_is_kept_whole():
    wire = {"type": "tool_result", "tool_use_id": "t"}
    assert anthropic(*message(*block(0, wire))).parts == [OpaquePart(raw=wire)]


BUSY = {"type": "overloaded_error", "message": "Busy."}
FAILURES = {
    "beside the delta": {"delta": {"stop_reason": "error"}, "error": BUSY},
    "in the delta": {"delta": {"stop_reason": "error", "error": BUSY}},
    "text": {"delta": {"stop_reason": "error"}, "error": "Busy."},
    "flat": {"delta": {"stop_reason": "error", "error_message": "Busy."}},
    "details": {"delta": {"stop_reason": "error", "stop_details": BUSY}},
    "explanation": {"delta": {"stop_reason": "overloaded", "stop_details": {"explanation": "Busy."}}},
}


@pytest.mark.parametrize("is_stopped", [True, False])
@pytest.mark.parametrize("case", FAILURES)
def test_error_beside_the_stop_reason(case, is_stopped):
    start, *words = message(*text(0))[:4]
    events = [start, *words, {"type": "message_delta"} | FAILURES[case]]
    transcript = anthropic(*events, *([{"type": "message_stop"}] if is_stopped else []))
    assert (transcript.outcome, transcript.text, transcript.refusal) == ("failed", "Hi", "")
    assert (transcript.error.message, transcript.error.retryable) == ("Busy.", True)


def test_error_beside_a_stop_reason_that_is_no_failure():
    for error in (None, {}, {"type": None}, BUSY):
        end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "error": error}
        assert anthropic(message()[0], *text(0), end, {"type": "message_stop"}).outcome == "finished"


COUNTS = {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 2}
METRICS = {"inputTokenCount": 3, "outputTokenCount": 4, "cacheReadInputTokenCount": 2, "invocationLatency": 1142}


@pytest.mark.parametrize(
    ("delta", "end"),
    [({"usage": COUNTS}, {}), ({}, {"amazon-bedrock-invocationMetrics": METRICS}), ({}, {"usage": COUNTS})],
)
def test_usage_in_another_place(delta, end):
    start = {"type": "message_start", "message": {"id": "m", "model": "c"}}
    ending = [{"type": "message_delta", "delta": {"stop_reason": "end_turn"} | delta}, {"type": "message_stop"} | end]
    usage = anthropic(start, *text(0), *ending).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens) == (3, 4, 2)


@pytest.mark.parametrize("last", [{"thinking": "", "signature": "s"}, {"thinking": ".", "signature": "s"}])
def test_signature_beside_the_last_piece_of_thinking(last):
    deltas = [{"type": "thinking_delta", "thinking": "So"}, {"type": "thinking_delta"} | last]
    transcript = anthropic(*message(*block(0, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)))
    assert [(part.text, part.signature) for part in transcript.parts] == [("So" + last["thinking"], "s")]
