"""Faults that people reported of readers of chat streams, with their neighbours. Each case is a kind of server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import ReasoningPart, StreamParser, TextPart, Warning
from streaming.protocol.dialects.openai_chat.choice_table import MAX_HELD
from tests.protocol.wire import assert_says, chat, chunk, fold, parse, read, sse, tool

END = chunk(finish="stop")
CALLED = chunk(finish="tool_calls")
DONE = "[DONE]"
ROLE = {"role": "assistant", "content": ""}
USAGE = {"id": "x", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


def at(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def say(text: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return chunk({"content": text} | more, finish)


def call(index: int, text: str = "{}") -> dict[str, Any]:
    return at(index, {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": text}}]})


def flagged(text: str) -> dict[str, Any]:
    return say(text, extra_content={"google": {"thought": True}})


def native(finish: str | None, reason: str) -> dict[str, Any]:
    wire = say("hi", finish)
    wire["choices"][0]["native_finish_reason"] = reason
    return wire


THINKING = at(0, {"role": "assistant", "reasoning_content": "Hm."})
STOP = at(0, {}, "stop")
CLOUDFLARE = {"success": False, "result": None, "errors": [{"code": 7505, "message": "Too many"}], "messages": []}

ONE_ANSWER: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "thinking, then text": ([THINKING, at(1, {"content": "4"}), STOP, DONE], {"text": "4", "reasoning": "Hm."}),
    "thinking, then a call": ([THINKING, call(1), at(0, {}, "tool_calls")], {"reasoning": "Hm.", "calls": [("f", {})]}),
    "thinking, text, a call": (
        [THINKING, at(1, {"content": "Let"}), at(1, {"content": " me"}), call(2), at(0, {}, "tool_calls"), DONE],
        {"reasoning": "Hm.", "text": "Let me", "calls": [("f", {})]},
    ),
    "text, then a call": ([at(0, {"content": "a"}), call(1), STOP], {"text": "a", "calls": [("f", {})]}),
    "every chunk counts up": (
        [*(at(n, {"role": "assistant", "content": f"{n} "}) for n in range(3)), at(3, {"content": ""}, "stop"), DONE],
        {"text": "0 1 2 "},
    ),
    "it begins at 1": ([at(1, ROLE), at(1, {"content": "a"}), at(1, {}, "stop")], {"text": "a"}),
    "it counts up from 1": ([at(1, {"content": "a"}), at(2, {"content": "b"}), at(3, {}, "stop")], {"text": "ab"}),
}


@pytest.mark.parametrize("case", ONE_ANSWER)
def test_choice_index_of_one_answer(case):
    payloads, wanted = ONE_ANSWER[case]
    assert_says("openai-chat", sse(*payloads), wanted | {"outcome": "finished"})
    told = fold(parse("openai-chat", [sse(*payloads)], choices=1))
    assert (told.text, told.reasoning) == (wanted.get("text", ""), wanted.get("reasoning", ""))


def test_choice_index_that_counts_up_is_held_back_only_so_long():
    parser = StreamParser("openai-chat")
    parser.feed(sse(at(0, {"content": "a"})))
    assert parser.feed(sse(*(at(n, {"content": "b"}) for n in range(1, MAX_HELD)))) == []
    assert len(parser.feed(sse(at(MAX_HELD, {"content": "b"})))) == MAX_HELD


def test_choice_index_that_counts_up_waits_for_one_delta_where_one_answer_was_asked_for():
    parser = StreamParser("openai-chat", choices=1)
    parser.feed(sse(at(0, {"content": "a"})))
    assert parser.feed(sse(at(1, {"content": "b"}))) == []
    assert len(parser.feed(sse(at(2, {"content": "b"})))) == 2
    assert len(parser.feed(sse(at(3, {"content": "b"})))) == 1


@pytest.mark.parametrize(
    "payloads",
    [
        [at(0, ROLE), at(1, ROLE), at(0, {"content": "a"}), at(1, {"content": "x"}), STOP, at(1, {}, "stop"), DONE],
        [at(1, ROLE), at(0, ROLE), at(1, {"content": "x"}), at(0, {"content": "a"}), STOP, at(1, {}, "stop")],
        [at(0, {"content": "a"}), at(1, {"content": "x"}), STOP, at(1, {}, "stop")],
        [at(0, {"content": "a"}), STOP, at(1, {"content": "x"}), at(1, {}, "stop")],
        [
            {"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "x"}}]},
            {"choices": [{"index": n, "delta": {}, "finish_reason": "stop"} for n in (0, 1)]},
        ],
    ],
)
def test_several_choices_stay_apart(payloads):
    for options in ({}, {"choices": 1}, {"choices": 2}):
        events = read("openai-chat", sse(*payloads), **options)
        assert (fold(events).text, fold(events, choice=1).text) == ("a", "x")


def f(arguments: Any, **more: Any) -> dict[str, Any]:
    return tool(**({"index": 0, "id": "c", "name": "f"} | more), arguments=arguments)


TWO = [("f", {"a": 1}), ("f", {"a": 2})]
CALLS: dict[str, tuple[list[Any], list[tuple[str, Any]]]] = {
    "one id, two names": ([f('{"a":1}'), f('{"b":2}', index=1, name="g")], [("f", {"a": 1}), ("g", {"b": 2})]),
    "one id, two names in pieces": (
        [f(""), tool(index=0, arguments='{"a":1}'), f("", index=1, name="g"), tool(index=1, arguments='{"b":2}')],
        [("f", {"a": 1}), ("g", {"b": 2})],
    ),
    "one id and name, two indexes": ([f('{"a":1}'), f('{"a":2}', index=1)], TWO),
    "one id and name, in pieces": (
        [
            f(""),
            tool(index=0, arguments='{"a":1}'),
            f("", index=1),
            *(tool(index=1, arguments=t) for t in ('{"a"', ":2}")),
        ],
        TWO,
    ),
    "one id, name and index": ([f('{"a":1}'), f('{"a":2}')], TWO),
    "whole text so far": ([f(t) for t in ("", '{"q":', '{"q":"x', '{"q":"x"}')], [("f", {"q": "x"})]),
    "whole text so far, without ids": (
        [f(""), *(tool(index=0, arguments=t) for t in ("{", '{"q', '{"q":"x"}', '{"q":"x"}'))],
        [("f", {"q": "x"})],
    ),
    "two pieces, the second whole": ([f('{"q":"x'), tool(index=0, arguments='{"q":"x"}')], [("f", {"q": "x"})]),
    "an object within one of its kind": ([f('{"q":'), tool(index=0, arguments='{"q":1}}')], [("f", {"q": {"q": 1}})]),
    "the same in three pieces": (
        [f('{"q":'), tool(index=0, arguments='{"q":1}'), tool(index=0, arguments="}")],
        [("f", {"q": {"q": 1}})],
    ),
    "objects so far": ([f({}), f({"q": "x"}), f({"q": "xy", "n": 1})], [("f", {"q": "xy", "n": 1})]),
    "objects so far, without ids": (
        [tool(index=0, name="f", arguments=a) for a in ({}, {"q": "x"}, {"q": "xy"})],
        [("f", {"q": "xy"})],
    ),
    "two objects": ([tool(name="f", arguments={"a": n}) for n in (1, 2)], TWO),
    "the last piece has a name and no index": (
        [f('{"q"'), tool(index=0, arguments=":1"), tool(name="f", arguments="}")],
        [("f", {"q": 1})],
    ),
    "the last piece repeats all without an index": (
        [f('{"q":1}'), tool(name="f", arguments='{"q":1}')],
        [("f", {"q": 1})],
    ),
    "the last piece is only a name": ([f('{"q":1}'), tool(name="f", arguments="")], [("f", {"q": 1})]),
    "the last piece has another id": ([f('{"q"'), tool(id="z", name="f", arguments=":1}")], [("f", {"q": 1})]),
    "Harmony marks": ([f("{}", name="f<|channel|>commentary")], [("f", {})]),
    "Harmony's recipient": ([f("{}", name="<|channel|>commentary to=functions.f <|constrain|>json")], [("f", {})]),
}


@pytest.mark.parametrize("case", CALLS)
def test_calls_are_told_apart(case):
    payloads, calls = CALLS[case]
    transcript = chat(*payloads, CALLED, DONE)
    assert [(each.name, each.arguments) for each in transcript.tool_calls] == calls
    assert len({each.id for each in transcript.tool_calls}) == len(calls)
    assert transcript.finish_reason == "tool_calls"


@pytest.mark.parametrize("key", ["id", "call_id", "tool_call_id"])
def test_id_within_the_function(key):
    pieces = [
        chunk({"tool_calls": [{"index": 0, "function": {key: "a", "name": "f", "arguments": t}}]}) for t in ("{", "}")
    ]
    assert [each.id for each in chat(*pieces, CALLED).tool_calls] == ["a"]


@pytest.mark.parametrize("given", [{"id": "srvtoolu_1"}, {"id": "c", "type": "web_search"}])
def test_call_that_the_server_executes(given):
    transcript = chat(tool(index=0, name="web_search", arguments="{}", **given), say("Found"), END)
    assert transcript.tool_calls[0].is_provider_executed
    assert transcript.finish_reason == "stop"


THOUGHTS: dict[str, tuple[list[Any], str, str]] = {
    "flags and tags": (
        [flagged("<thought>Plan "), flagged("b"), say("</thought>The "), say("end")],
        "Plan b",
        "The end",
    ),
    "flags only": ([flagged("Plan "), flagged("b"), say("The "), say("end")], "Plan b", "The end"),
    "tags cut": ([flagged("<tho"), flagged("ught>Plan</th"), say("ought>The end")], "Plan", "The end"),
    "the end of the thought has no flag": ([flagged("<thought>Plan"), say(" b</thought>The end")], "Plan b", "The end"),
    "a closing tag that is none": ([flagged("Plan</th"), say("is")], "Plan</th", "is"),
    "no flag, and another model": ([say("<thought>a</thought>b")], "", "<thought>a</thought>b"),
    "no flag, and Gemini": ([say("<tho") | {"model": "gemini-9"}, say("ught>a</thought>b")], "a", "b"),
    "Gemini says something else": ([say("<tho") | {"model": "gemini-9"}, say("rn>")], "", "<thorn>"),
}


@pytest.mark.parametrize("case", THOUGHTS)
def test_thoughts_of_gemini(case):
    payloads, reasoning, text = THOUGHTS[case]
    transcript = chat(*payloads, END)
    assert (transcript.reasoning, transcript.text) == (reasoning, text)
    assert [type(part) for part in transcript.parts].count(ReasoningPart) == bool(reasoning)


def test_signature_beside_the_text_is_kept():
    signed = say("4", "stop", extra_content={"google": {"thought_signature": "S"}})
    transcript = chat(flagged("Plan"), signed)
    assert transcript.parts[-1].raw == {"extra_content": {"google": {"thought_signature": "S"}}}


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (["I add.", "</th", "ink>4"], [ReasoningPart(text="I add."), TextPart(text="4")]),
        (["a", "[/THINK]", "4"], [ReasoningPart(text="a"), TextPart(text="4")]),
        (["a</think>b</think>c"], [ReasoningPart(text="a"), TextPart(text="b</think>c")]),
        (["[TH", "INK]a[/", "THINK]b [x] "], [ReasoningPart(text="a"), TextPart(text="b [x] ")]),
        (["<think>a</think>b</think>"], [ReasoningPart(text="a"), TextPart(text="b</think>")]),
        (["</think>4"], [TextPart(text="4")]),
    ],
)
def test_closing_tag_without_an_opening_one(texts, parts):
    assert chat(*map(say, texts), END, split_think_tags=True).parts == parts
    assert chat(*map(say, texts), END).text == "".join(texts)


@pytest.mark.parametrize(
    "reason",
    [
        *("malformed_function_call", "MALFORMED_FUNCTION_CALL", "function_call_filter: MALFORMED_FUNCTION_CALL"),
        *("abort", "UNEXPECTED_TOOL_CALL", "FinishReason.MALFORMED_FUNCTION_CALL", "cancelled"),
        *("rate_limit_exceeded", "UNAVAILABLE", "engine_overloaded", "internalServerError"),
    ],
)
def test_end_that_is_no_success(reason):
    for last in (chunk(finish=reason), native("stop", reason), native(None, reason)):
        transcript = chat(say("hi"), last, DONE)
        assert (transcript.outcome, transcript.error.retryable) == ("failed", True)


@pytest.mark.parametrize(
    "reason", ["content_filter: PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "prohibited_content", "content-filter"]
)
def test_end_by_a_filter(reason):
    assert chat(say("hi"), chunk(finish=reason)).finish_reason == "content_filter"
    assert chat(native("stop", reason)).finish_reason == "content_filter"


def test_native_reason_counts_where_it_says_more():
    assert chat(native("stop", "MAX_TOKENS")).finish_reason == "length"
    assert chat(native("tool_calls", "STOP")).raw_finish_reason == "tool_calls"
    assert chat(native(None, "stop")).outcome == "finished"


@pytest.mark.parametrize("payload", [{"x": 1}, {"choices": []}, {"code": 0, "data": {"x": 1}}, "nonsense"])
def test_done_after_nothing_that_was_understood_is_no_success(payload):
    assert chat(payload, DONE).outcome == "failed"
    assert chat(DONE).error.retryable


def test_empty_answer_is_warned_of():
    for delta in (ROLE, {"reasoning_content": "Hm."}):
        assert Warning("empty_answer") in read("openai-chat", sse(chunk(delta), END))
    assert Warning("empty_answer") not in read("openai-chat", sse(say("a"), END))
    assert Warning("empty_answer") not in read("openai-chat", sse(f("{}"), CALLED), first_part=3)


SKY = ["The sky ", "is blue."]


@pytest.mark.parametrize("before", [SKY, ["Hello there, friend"], ["One ", "two"], [f"{n} words " for n in range(200)]])
def test_last_chunk_repeats_the_whole_answer(before):
    whole = "".join(before)
    for tail in ([say(whole, "stop")], [say(whole), END], [END, say(whole)], [say(whole), say(whole, "stop")]):
        assert chat(*map(say, before), *tail, DONE).text == whole


def test_last_chunk_repeats_reasoning_and_calls_too():
    thoughts = [chunk({"reasoning_content": text}) for text in SKY]
    whole = chunk({"reasoning_content": "".join(SKY), "content": "".join(SKY)}, "stop")
    transcript = chat(*thoughts, *map(say, SKY), whole)
    assert (transcript.reasoning, transcript.text) == ("The sky is blue.", "The sky is blue.")
    again = f('{"a":1}')["choices"][0]["delta"] | {"content": "".join(SKY)}
    transcript = chat(*map(say, SKY), f('{"a":1}'), chunk(again, "tool_calls"))
    assert (transcript.text, len(transcript.tool_calls)) == ("The sky is blue.", 1)


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [(SKY, "The sky is blue.", "!"), (["ha", "ha"], "haha", ""), (["Yes"], "Yes", ""), (["1", "2"], "12", "")],
)
def test_text_that_may_be_chance_is_kept(before, repeated, after):
    texts = [*before, repeated, *filter(None, [after])]
    assert chat(*map(say, texts), END).text == "".join(texts)


@pytest.mark.parametrize("done", ['"[DONE]"', "'[DONE]'", '"\\"[DONE]\\""', "[DONE]"])
def test_done_in_quotes(done):
    assert chat(say("hi"), done).outcome == "finished"


@pytest.mark.parametrize("times", [1, 2])
def test_json_within_json(times):
    bodies: list[Any] = [say("hi"), END]
    for _ in range(times + 1):
        bodies = [json.dumps(body) for body in bodies]
    assert_says("openai-chat", sse(*bodies, DONE), {"text": "hi", "outcome": "finished"})


@pytest.mark.parametrize("key", ["data", "result", "payload"])
def test_chunk_within_an_envelope(key):
    transcript = chat(*({"code": 0, "message": "success", key: each} for each in (say("hi"), END)), DONE)
    assert (transcript.text, transcript.outcome) == ("hi", "finished")
    assert chat({"code": 0, key: {"error": {"message": "boom"}}}).error.message == "boom"


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic-messages", "openai-responses"])
def test_errors_in_a_list(dialect):
    error = fold(read(dialect, sse(CLOUDFLARE))).error
    assert (error.code, error.message) == ("7505", "Too many")


def test_text_of_the_api_before_chat():
    legacy = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in ("Hi", " you")]
    transcript = chat(*legacy, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}, DONE)
    assert (transcript.text, transcript.outcome) == ("Hi you", "finished")


@pytest.mark.parametrize("late", [[USAGE], [DONE, USAGE], [USAGE, DONE], ["", USAGE]])
def test_usage_after_done(late):
    transcript = chat(say("hi", "stop"), DONE, *late)
    assert (transcript.text, transcript.usage.input_tokens, transcript.usage.output_tokens) == ("hi", 5, 2)


def test_words_after_done_do_not_count():
    assert chat(say("hi", "stop"), DONE, say("late")).text == "hi"


HALVES = ("a \ud83d", "\ude00 b")


@pytest.mark.parametrize("field", ["content", "reasoning_content"])
def test_emoji_in_two_halves(field):
    transcript = chat(*(chunk({field: half}) for half in HALVES), END, DONE)
    assert transcript.text + transcript.reasoning == "a \U0001f600 b"


def test_emoji_in_halves_in_arguments():
    pieces = f('{"q":"\ud83d'), tool(index=0, arguments='\ude00"}')
    assert chat(*pieces, CALLED, DONE).tool_calls[0].arguments == {"q": "\U0001f600"}


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["\ud83d", "\ude00\ud83d", "\ude01"], "\U0001f600\U0001f601"),
        (["a\ud83d", "b"], "a\ufffdb"),
        (["a\ud83d"], "a\ufffd"),
        (["a", "\ude00b"], "a\ufffdb"),
    ],
)
def test_halves_that_find_each_other_or_not(texts, text):
    for tail in ([END, DONE], [END], [DONE]):
        assert chat(*map(say, texts), *tail).text == text


@pytest.mark.parametrize(
    "between",
    [
        chunk({"role": "assistant"}),
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": None}),
        chunk(usage={"prompt_tokens": 5, "completion_tokens": 2}),
        {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}},
        {"choices": [{"index": 0, "delta": None, "finish_reason": None}]},
        {"type": "ping", "choices": []},
    ],
)
def test_chunk_that_says_nothing_does_not_come_between_halves(between):
    assert chat(say(HALVES[0]), between, say(HALVES[1]), END, DONE).text == "a \U0001f600 b"
    listed = [chunk({"content": [{"type": "text", "text": half}]}) for half in HALVES]
    assert chat(listed[0], between, listed[1], END, DONE).text == "a \U0001f600 b"


@pytest.mark.parametrize(
    "between", [chunk({"reasoning": "x"}), chunk({"refusal": "x"}), f("{}"), chunk(finish="length"), say("x")]
)
def test_chunk_that_says_something_ends_the_half(between):
    kinds = [type(event) for event in read("openai-chat", sse(say("a"), say("\ud83d"), between))]
    assert kinds == [type(event) for event in read("openai-chat", sse(say("a"), say("\ufffd"), between))]


def test_type_that_is_no_text_comes_after_a_half():
    assert chat(say("a\ud83d"), {"type": {}}, END, DONE).text == "a\ufffd"


def test_half_of_another_choice_does_not_come_between():
    body = sse(
        at(0, ROLE), at(1, ROLE), at(0, {"content": HALVES[0]}), at(1, {"content": "x"}), at(0, {"content": HALVES[1]})
    )
    events = read("openai-chat", body + sse(STOP, at(1, {}, "stop")))
    assert (fold(events).text, fold(events, choice=1).text) == ("a \U0001f600 b", "x")


@pytest.mark.parametrize("tail", [[], [DONE]])
def test_nothing_follows_an_error_that_is_half_a_pair(tail):
    held = at(0, {"content": "a"}), at(1, {"content": "b"})
    assert chat(*held, {"choices": [], "error": "\ud83d"}, *tail).error.message == "\ufffd"
