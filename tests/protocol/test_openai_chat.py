"""The Chat Completions dialect as OpenAI documents it. `test_quirks` has what compatible servers do."""

from __future__ import annotations

import json

from streaming.protocol import (
    Cited,
    FileReceived,
    Finished,
    PartEnded,
    ReasoningDelta,
    ReasoningPart,
    RefusalPart,
    Started,
    StreamParser,
    TextDelta,
    TextPart,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
    Unknown,
    UsageReported,
)
from streaming.protocol.dialects.answer.writer import MAX_PARTS
from streaming.protocol.dialects.openai_chat.choice_table import MAX_CHOICES
from tests.protocol.wire import chat, chunk, fold, parse, read, sse, tool

DONE = "[DONE]"


def test_plain_answer_event_by_event():
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
    first = chunk({"role": "assistant", "content": "", "refusal": None})
    events = read("openai-chat", sse(first, chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk(finish="stop")))
    assert events == [
        Started("chatcmpl-1", "m"),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartEnded(0),
        Finished("stop", "stop"),
    ]
    with_usage = read("openai-chat", sse(first, chunk({"content": "a"}), chunk(finish="length"), usage, DONE))
    assert isinstance(with_usage[2], UsageReported)
    assert with_usage[-1] == Finished("length", "length")


def test_terminal_event_comes_with_done_and_not_before():
    parser = StreamParser("openai-chat")
    assert not parser.is_over
    parser.feed(sse(chunk({"content": "a"}), chunk(finish="stop")))
    assert not parser.is_over
    assert not parser.is_complete
    usage = {"choices": [], "usage": {"prompt_tokens": 5}}
    assert isinstance(parser.feed(sse(usage, DONE))[-1], Finished)
    assert parser.is_over
    assert parser.is_complete


def test_terminal_event_waits_after_done_for_unknown_usage():
    parser = StreamParser("openai-chat")
    parser.feed(sse(chunk({"content": "a"}), chunk(finish="stop"), DONE))
    assert (parser.is_complete, parser.is_over) == (True, False)
    assert isinstance(parser.close()[-1], Finished)
    assert parser.is_over


def test_kinds_of_words_are_parts_in_order():
    transcript = chat(
        chunk({"reasoning_content": "why"}),
        chunk({"content": "a"}),
        tool(index=0, id="x", name="f", arguments="{}"),
        chunk({"content": "b"}),
        chunk(finish="stop"),
    )
    assert [type(part).__name__ for part in transcript.parts] == ["ReasoningPart", "TextPart", "ToolCall", "TextPart"]
    assert transcript.text == "ab"


def test_tool_call_event_by_event():
    parts = [tool(index=0, id="x", type="function", name="f", arguments="")]
    parts += [tool(index=0, arguments=text) for text in ('{"a"', ":1}")]
    events = read("openai-chat", sse(*parts, chunk(finish="tool_calls"), DONE))
    assert events[1:] == [
        ToolCallStarted(0, "x", "f"),
        ToolCallDelta(0, '{"a"'),
        ToolCallDelta(0, ":1}"),
        ToolCallEnded(0, '{"a":1}', {"a": 1}, True),
        Finished("tool_calls", "tool_calls"),
    ]


def test_custom_tool_takes_free_text():
    fragments = [
        {"index": 0, "id": "x", "type": "custom", "custom": {"name": "sql", "input": "SELECT"}},
        {"index": 0, "custom": {"input": " 1"}},
    ]
    (call,) = chat(*(chunk({"tool_calls": [f]}) for f in fragments), chunk(finish="tool_calls")).tool_calls
    assert (call.raw_arguments, call.arguments, call.is_json, call.is_complete) == ("SELECT 1", None, False, True)


def test_custom_tool_cut_by_the_limit_is_not_complete():
    fragment = {"index": 0, "id": "x", "type": "custom", "custom": {"name": "sql", "input": "SELE"}}
    (call,) = chat(chunk({"tool_calls": [fragment]}), chunk(finish="length")).tool_calls
    assert (call.raw_arguments, call.is_complete, call.error) == ("SELE", False, "truncated")


def test_deprecated_function_call_is_a_tool_call():
    deltas = [{"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": '{"a":1}'}}]
    transcript = chat(*map(chunk, deltas), chunk(finish="function_call"))
    assert [(call.name, call.arguments) for call in transcript.tool_calls] == [("f", {"a": 1})]
    assert transcript.finish_reason == "tool_calls"


def test_refusal_is_a_part_of_its_own():
    transcript = chat(chunk({"refusal": "I can"}), chunk({"refusal": "not."}), chunk(finish="stop"))
    assert transcript.parts == [RefusalPart(text="I cannot.")]
    assert (transcript.text, transcript.refusal, transcript.finish_reason) == ("", "I cannot.", "refusal")


def test_annotations_are_citations_of_the_text():
    citation = {"type": "url_citation", "url_citation": {"url": "https://a.example"}}
    body = sse(chunk({"content": "a"}), chunk({"annotations": [citation], "content": ""}), chunk(finish="stop"))
    events = read("openai-chat", body)
    assert Cited(0, citation) in events
    assert fold(events).parts == [TextPart(text="a", citations=(citation,))]


def test_search_results_of_the_whole_answer_are_cited_once():
    sources = {"search_results": [{"url": "https://a.example"}], "citations": ["https://a.example"]}
    transcript = chat(*(chunk({"content": text}, **sources) for text in "abc"), chunk(finish="stop"))
    assert transcript.parts == [TextPart(text="abc", citations=({"url": "https://a.example"},))]


def test_images_are_files():
    url = "data:image/png;base64,AAAA"
    body = sse(chunk({"images": [{"type": "image_url", "image_url": {"url": url}}, {"x": 1}]}), chunk(finish="stop"))
    events = read("openai-chat", body)
    assert FileReceived(0, "image/png", url) in events
    assert Unknown('{"x":1}') in events


def test_audio_is_unknown_and_does_not_disturb():
    events = read("openai-chat", sse(chunk({"audio": {"id": "a", "data": "AAAA"}}), chunk({"audio": None}), DONE))
    assert [json.loads(e.raw) for e in events if isinstance(e, Unknown)] == [{"id": "a", "data": "AAAA"}]
    assert events[-1] == Finished("other", None)


def test_encrypted_reasoning_is_kept_for_the_next_turn():
    details = [{"type": "reasoning.encrypted", "data": "xyz", "index": i} for i in range(2)]
    transcript = chat(chunk({"reasoning": "why"}), chunk({"reasoning_details": details}), chunk(finish="stop"))
    assert transcript.parts == [ReasoningPart(text="why", raw={"reasoning_details": details})]


def test_signature_of_reasoning_is_kept():
    detail = {"type": "reasoning.text", "text": "why", "signature": "sig"}
    transcript = chat(chunk({"reasoning": "why", "reasoning_details": [detail]}), chunk(finish="stop"))
    assert transcript.parts == [ReasoningPart(text="why", signature="sig", raw={"reasoning_details": [detail]})]


def _choice(index, content, finish=None):
    return {"choices": [{"index": index, "delta": {"content": content}, "finish_reason": finish}]}


def test_several_choices_are_several_transcripts():
    body = sse(_choice(0, "a"), _choice(1, "x"), _choice(0, "b", "stop"), _choice(1, "y", "length"))
    events = read("openai-chat", body)
    assert ReasoningDelta not in map(type, events)
    assert (fold(events).text, fold(events, choice=1).text) == ("ab", "xy")
    assert fold(events).finish_reason == "stop"


def test_several_choices_are_complete_when_all_are():
    assert fold(read("openai-chat", sse(_choice(0, "a", "stop"), _choice(1, "x")))).outcome == "truncated"


def test_tool_calls_of_two_choices_do_not_mix():
    def call(choice, text):
        fragment = {"index": 0, "id": f"c{choice}", "function": {"name": "f", "arguments": text}}
        return {"choices": [{"index": choice, "delta": {"tool_calls": [fragment]}}]}

    events = read("openai-chat", sse(call(0, '{"a"'), call(1, '{"b"'), call(0, ":1}"), call(1, ":2}"), DONE))
    assert fold(events).tool_calls[0].arguments == {"a": 1}
    assert fold(events, choice=1).tool_calls[0].arguments == {"b": 2}


def test_whole_completion_instead_of_a_stream():
    fragment = {"id": "x", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hi", "tool_calls": [fragment]}
    body = {"id": "c", "choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 3}}
    for wire in (json.dumps(body), json.dumps(body, indent=2)):
        transcript = fold(read("openai-chat", wire.encode()))
        assert (transcript.text, transcript.tool_calls[0].arguments, transcript.outcome) == ("Hi", {}, "finished")
        assert transcript.usage.input_tokens == 3


def test_misshapen_fields_do_not_take_others_with_them():
    odd = {"choices": [{"index": "0", "delta": {"content": "a", "tool_calls": "none"}}, "nonsense"], "id": 7}
    transcript = chat(odd, {"choices": [{"index": [], "delta": {"content": "b"}}]}, chunk(finish="stop"))
    assert transcript.text == "ab"


def test_payload_with_broken_unicode_or_nan_is_read():
    half = b'{"choices":[{"delta":{"content":"a\\ud83d"}}],"logprob":NaN}'
    broken = b'{"choices":[{"delta":{"content":"b\xff"}}]}'
    assert chat(half, broken, chunk(finish="stop")).text == "a\ufffdb\ufffd"


def test_parts_and_choices_are_bounded():
    flip = sse(chunk({"content": "a"}), chunk({"reasoning": "b"})) * (MAX_PARTS // 2 + 1)
    events = parse("openai-chat", [flip])
    assert events[-1].error.code == "too_large"
    many = sse(*(_choice(index, "") for index in range(MAX_CHOICES + 1)))
    assert parse("openai-chat", [many], choices=2)[-1].error.code == "too_large"


def test_details_of_usage_are_read():
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 8,
        "total_tokens": 18,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }
    got = chat(chunk({"content": "a"}), chunk(finish="stop"), {"choices": [], "usage": usage}, DONE).usage
    assert (got.cached_input_tokens, got.cache_write_tokens, got.reasoning_tokens, got.total_tokens) == (4, 1, 6, 18)
    assert chat(chunk({"content": "a"}), chunk(finish="stop")).usage is None
