"""Chat streams whose values have another shape, or stand in another place, than in OpenAI's own streams."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import PartEnded, ToolCallStarted
from tests.protocol.wire import assert_says, chat, chunk, fold, read, sse, tool

END = chunk(finish="stop")
CALLED = chunk(finish="tool_calls")
DONE = "[DONE]"


def say(text: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return chunk({"content": text} | more, finish)


def calls(*fragments: Any, **more: Any) -> dict[str, Any]:
    return chunk({"tool_calls": list(fragments)} | more)


def fragment(**given: Any) -> dict[str, Any]:
    """Returns a fragment. `name` and `arguments` go into `function`."""
    function = {key: given.pop(key) for key in ("name", "arguments") if key in given}
    return given | ({"function": function} if function else {})


@pytest.mark.parametrize(("number", "text"), [(0.005, "0.005"), (0, "0"), (0.0, "0.0"), (-12, "-12"), (1e30, "1e30")])
def test_number_in_the_place_of_text_is_text(number, text):
    for given in (say(number), say([{"type": "text", "text": number}]), say([number]), say(number, role="assistant")):
        assert chat(say("a"), given, say("b"), END).text == f"a{text}b"
    assert chat(say("a"), say(number, "stop")).text == f"a{text}"
    for field in ("reasoning_content", "reasoning", "thinking"):
        assert chat(chunk({field: "a"}), chunk({field: number}), END).reasoning == f"a{text}"
    assert chat(chunk({"reasoning_details": [{"type": "reasoning.text", "text": number}]}), END).reasoning == text
    assert chat({"choices": [{"message": {"content": number}, "finish_reason": "stop"}]}).text == text
    assert chat({"choices": [{"text": number}]}, {"choices": [{"text": "", "finish_reason": "stop"}]}).text == text
    assert chat(chunk({"refusal": number}), END).refusal == text


@pytest.mark.parametrize("value", [True, False])
def test_truth_value_in_the_place_of_text_is_no_text(value):
    transcript = chat(say("a"), say(value), chunk({"reasoning_content": value}), END)
    assert (transcript.text, transcript.reasoning, transcript.outcome) == ("a", "", "finished")


BLANKS = [
    {"index": 0, "id": "", "type": "function"},
    {},
    {"index": 0},
    {"index": 0, "id": None, "type": None, "function": None},
    {"index": 0, "function": {}},
    {"index": 0, "function": {"name": None, "arguments": None}},
    {"index": 0, "id": "", "function": {"name": "", "arguments": ""}},
    {"id": "null", "function": {"name": "null", "arguments": ""}},
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "", "arguments": " "}},
]


@pytest.mark.parametrize("blank", [*BLANKS, fragment(index=0, id=" ", name="None", arguments="null")])
def test_fragment_that_says_nothing_is_no_call(blank):
    for payloads in (
        [say("a"), calls(blank), say("b"), END],
        [say("a", tool_calls=[blank]), say("b", tool_calls=[blank, blank]), END],
        [calls(blank), say("a"), say("b"), calls(blank), END, DONE],
    ):
        events = read("openai-chat", sse(*payloads))
        assert sum(isinstance(event, PartEnded) for event in events) == 1
        assert not any(isinstance(event, ToolCallStarted) for event in events)
    transcript = chat(say("ab"), calls(blank), END)
    assert (transcript.finish_reason, transcript.tool_calls) == ("stop", [])


@pytest.mark.parametrize("blank", BLANKS)
def test_fragment_that_says_nothing_comes_before_or_within_a_call(blank):
    first, *rest = (fragment(name="f", arguments=""), fragment(arguments='{"a"'), fragment(arguments=":1}"))
    index = {"index": 0} if "index" in blank else {}
    for at in range(3):
        fragments = [fragment | index for fragment in (first, *rest)]
        fragments.insert(at, blank)
        assert_says("openai-chat", sse(*map(calls, fragments), CALLED), {"calls": [("f", {"a": 1})]})


def test_fragment_without_a_name_gives_its_call_an_id_and_what_goes_back():
    signature = {"google": {"thought_signature": "S"}}
    heads = [fragment(index=0, id="a", type="function"), fragment(index=0, extra_content=signature)]
    other = fragment(index=1, id="b", name="g", arguments="{}")
    for order in (heads, heads[::-1]):
        transcript = chat(*map(calls, order), calls(fragment(index=0, name="f", arguments="{}"), other), CALLED)
        assert [(each.id, each.name) for each in transcript.tool_calls] == [("a", "f"), ("b", "g")]
        assert transcript.tool_calls[0].raw == {"extra_content": signature}


def test_text_between_the_fragments_of_a_call_is_one_part():
    blank = fragment(index=0, arguments="")
    pieces = [say(text, tool_calls=[blank]) for text in ("a", "b", "c")]
    transcript = chat(tool(index=0, id="a", name="f", arguments="{}"), *pieces, CALLED)
    assert [part.text for part in transcript.parts[1:]] == ["abc"]


@pytest.mark.parametrize("word", ["null", "None", "NULL", "undefined", " ", ""])
def test_word_for_no_name_or_id_is_none(word):
    rest = [fragment(index=0, id=word, name=word, arguments=text) for text in ('{"a"', ":1}")]
    transcript = chat(calls(fragment(index=0, id="x", name="f", arguments="")), *map(calls, rest), CALLED)
    assert [(each.id, each.name, each.arguments) for each in transcript.tool_calls] == [("x", "f", {"a": 1})]
    made = chat(calls(fragment(index=0, id=word, name="f", arguments="{}")), CALLED)
    assert [each.id for each in made.tool_calls] == ["call_1"]
    two = [fragment(index=index, id=word, name="f", arguments="{}") for index in (0, 1)]
    assert len(chat(calls(*two), CALLED).tool_calls) == 2


def test_tool_that_has_such_a_name():
    offered = calls(fragment(index=0, id="a", name="none", arguments="{}"))
    assert [each.name for each in chat(offered, CALLED, tools=["none"]).tool_calls] == ["none"]


def test_fragments_without_index_belong_to_the_calls_in_their_order():
    heads = [fragment(id="a", name="f", arguments=""), fragment(id="b", name="g", arguments="")]
    pieces = [[fragment(arguments=a), fragment(arguments=b)] for a, b in (('{"x"', '{"y"'), (":1}", ":2}"))]
    transcript = chat(calls(*heads), *(calls(*piece) for piece in pieces), CALLED)
    assert [(each.name, each.arguments) for each in transcript.tool_calls] == [("f", {"x": 1}), ("g", {"y": 2})]
    last = chat(calls(*heads[:1]), calls(fragment(arguments='{"x"'), fragment(arguments=":1}")), CALLED)
    assert [each.arguments for each in last.tool_calls] == [{"x": 1}]


COMPLETE = fragment(index=0, id="a", name="f", arguments='{"x":1}')
CUT = fragment(index=0, id="a", name="f", arguments='{"x":')


@pytest.mark.parametrize(
    ("fragments", "reason"),
    [
        ([COMPLETE], "tool_calls"),
        ([fragment(index=0, id="a", name="f", arguments={"x": 1})], "tool_calls"),
        ([COMPLETE, fragment(index=1, id="b", name="g", arguments="")], "tool_calls"),
        ([{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}], "tool_calls"),
        ([CUT], "other"),
        ([COMPLETE, fragment(index=1, id="b", name="g", arguments="{")], "other"),
        ([COMPLETE | {"type": "web_search"}], "other"),
        ([], "other"),
    ],
)
def test_done_without_a_finish_reason_after_calls(fragments, reason):
    transcript = chat(say("a"), *map(calls, fragments), DONE)
    assert (transcript.finish_reason, transcript.raw_finish_reason) == (reason, None)
    assert chat(say("a"), *map(calls, fragments)).outcome == "truncated"
    assert chat(say("a"), *map(calls, fragments), END, DONE).raw_finish_reason == "stop"


def choice(**given: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": {}} | given]}


REASONS: dict[str, Any] = {
    "an object": choice(finish_reason={"type": "length", "length": 8}),
    "an object with another key": choice(finish_reason={"reason": "length"}),
    "a list": choice(finish_reason=["length"]),
    "in the delta": choice(delta={"finish_reason": "length"}),
    "in the delta, an object": choice(delta={"content": "", "finish_reason": {"type": "length"}}),
    "beside the choices": choice() | {"finish_reason": "length"},
    "beside no choices": {"choices": [], "finish_reason": "length"},
    "alone": {"finish_reason": "length"},
    "in capitals": choice(finishReason="length", finish_reason=None),
    "beside empty text": choice(delta={"content": ""}, finishReason="MAX_TOKENS"),
    "named stop_reason": choice(stop_reason="max_tokens"),
    "native, an object": choice(native_finish_reason={"type": "length"}),
}


@pytest.mark.parametrize("case", REASONS)
@pytest.mark.parametrize("tail", [[], [DONE], [{"choices": [], "usage": {"prompt_tokens": 1}}, DONE]])
def test_finish_reason_in_another_shape_or_place(case, tail):
    for payloads in ([say("a"), REASONS[case], *tail], [say("a"), choice(), REASONS[case], *tail]):
        transcript = chat(*payloads)
        assert (transcript.outcome, transcript.finish_reason, transcript.text) == ("finished", "length", "a")


def test_finish_reason_beside_the_last_words():
    for last in (
        choice(delta={"content": "b", "finish_reason": "stop"}),
        choice(delta={"content": "b"}, finishReason="stop"),
    ):
        assert chat(say("a"), last).finish_reason == "stop"
        assert chat(say("a"), last).text == "ab"


@pytest.mark.parametrize("value", [128009, "</s>", "Observation:", None, {}, []])
def test_stop_reason_that_is_a_token_is_no_finish_reason(value):
    assert chat(say("a"), choice(stop_reason=value)).outcome == "truncated"
    assert chat(say("a"), choice(stop_reason=value, finish_reason="length")).finish_reason == "length"


@pytest.mark.parametrize(
    "reason",
    [
        *("malformed_tool_use", "malformed_model_output", "MALFORMED_MODEL_OUTPUT", "USER_CANCEL", "userCancel"),
        {"type": "abort", "message": "Out of memory"},
    ],
)
def test_finish_reason_that_is_a_failure(reason):
    transcript = chat(say("a"), choice(finish_reason=reason), DONE)
    assert (transcript.outcome, transcript.error.retryable) == ("failed", True)
    if isinstance(reason, dict):
        assert (transcript.error.code, transcript.error.message) == ("abort", "Out of memory")


ERRORS: dict[str, tuple[Any, bool | None]] = {
    "fields named after an error": ({"choices": [], "error_type": "overloaded_error", "error_message": "boom"}, True),
    "an object named error": ({"choices": [], "object": "error", "message": "boom", "type": "BadRequestError"}, False),
    "a known code": ({"choices": [], "code": "InvalidParameter", "message": "boom"}, False),
    "a status beside a silent choice": (choice() | {"code": 429, "message": "boom"}, True),
    "a status beside a role": (choice(delta={"role": "assistant"}) | {"code": "429", "message": "boom"}, True),
    "in the delta": (choice(delta={"error": {"message": "boom", "code": 429}}), True),
    "in the delta, text": (choice(delta={"content": "", "error": "boom"}), None),
    "in the choice": (choice(error_message="boom", error_code=429), True),
    "in the choice, with a reason": (choice(error_message="boom", finish_reason="error"), True),
    "a message that is an object": ({"error": {"message": {"content": "boom", "code": 429}}}, True),
    "a message that is a list": ({"error": {"message": ["boom", "x"]}}, None),
    "a message that is a list of objects": ({"error": {"message": [{"msg": "boom", "type": "rate_limit"}]}}, True),
    "a list of texts": ({"errors": ["boom"]}, None),
    "a text": ({"errors": "boom"}, None),
    "err": ({"err": "boom"}, None),
    "err, an object": ({"err": {"message": "boom", "code": 429}}, True),
    "a code that is not known, at the end": ({"choices": [], "code": 1301, "message": "boom"}, False),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error_in_another_shape_or_place(case):
    wire, retryable = ERRORS[case]
    for before in ([say("a")], []):
        transcript = chat(*before, wire)
        assert (transcript.outcome, transcript.error.message) == ("failed", "boom")
        assert bool(transcript.error.retryable) == bool(retryable)


@pytest.mark.parametrize("code", [0, 200, 20000, "20000", "success", None, 429])
@pytest.mark.parametrize("told", ["success", "ok", "boom"])
def test_envelope_of_good_chunks_is_no_error(code, told):
    envelope = {"code": code, "message": told}
    for payloads in ([say("a") | envelope, END | envelope], [choice() | envelope, say("a") | envelope, END]):
        assert chat(*payloads, DONE).outcome == "finished"
    if told != "boom":
        assert chat({"choices": []} | envelope, say("a"), END).outcome == "finished"
        assert chat(say("a"), {"choices": []} | envelope).outcome == "truncated"


@pytest.mark.parametrize("wire", [say("b"), choice(), {"choices": []}])
def test_event_named_error_with_choices(wire):
    body = sse(say("a")) + b"event: error\n" + sse(wire | {"message": "boom"})
    assert_says("openai-chat", body, {"outcome": "failed", "error.message": "boom"})


def test_error_has_no_words_of_the_answer_in_its_message():
    for body in (sse(say("secret") | {"error": {"x": 1}}), b"event: error\n" + sse(say("secret"))):
        assert "secret" not in fold(read("openai-chat", body)).error.message
