"""48 habits of OpenAI-compatible (and Anthropic-compatible) servers, each from a real report or recording."""

from __future__ import annotations

import gzip
import json

import pytest

from streaming.protocol import Failed, Heartbeat, ToolCallEnded, Unknown, UsageReported
from tests.protocol.wire import anthropic, block, chat, chunk, fold, message, read, sse, tool

END = chunk(finish="stop")
DONE = "[DONE]"
TOOLS_END = chunk(finish="tool_calls")


def calls(transcript):
    return [(call.name, call.arguments) for call in transcript.tool_calls]


def test_01_first_chunk_without_choices_and_names():
    azure = {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [{}]}
    transcript = chat(azure, chunk({"content": "Hi"}), END, DONE)
    assert (transcript.text, transcript.id, transcript.model) == ("Hi", "chatcmpl-1", "m")


def test_02_choice_without_delta():
    filtered = {"id": "", "choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]}
    assert chat(chunk({"content": "a"}), filtered, chunk({"content": "b"}), END).text == "ab"


def test_03_delta_is_null():
    last = {"choices": [{"index": 0, "delta": None, "finish_reason": "stop"}]}
    transcript = chat(chunk({"content": "a"}), last)
    assert (transcript.text, transcript.outcome) == ("a", "finished")


def test_04_nulls_are_everywhere():
    delta = {"role": None, "content": None, "reasoning_content": "We", "tool_calls": None, "function_call": None}
    transcript = chat(chunk(delta), chunk({"content": "Hi", "tool_calls": None, "refusal": None}), END)
    assert (transcript.reasoning, transcript.text, transcript.tool_calls) == ("We", "Hi", [])


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_05_06_reasoning_under_either_name(field):
    transcript = chat(chunk({field: "H", "content": None}), chunk({field: "m", "channel": "analysis"}), END)
    assert transcript.reasoning == "Hm"


def test_07_one_thought_in_three_fields_is_read_once():
    details = [{"type": "reasoning.text", "text": "The", "index": 0}]
    delta = {"reasoning": "The", "reasoning_content": "The", "reasoning_details": details}
    assert chat(chunk(delta), END).reasoning == "The"
    assert chat(chunk({"reasoning_details": details}), END).reasoning == "The"


def test_08_think_tags_in_content_are_reasoning_if_asked_for():
    body = [chunk({"content": text}) for text in ("<think>", "why", "</thi", "nk>ANSWER")]
    transcript = chat(*body, END, split_think_tags=True)
    assert (transcript.reasoning, transcript.text) == ("why", "ANSWER")
    assert chat(*body, END).text == "<think>why</think>ANSWER"


def test_09_content_is_a_list():
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "The user"}]}
    delta = {"content": [thinking, {"type": "text", "text": "Hi"}, {"type": "reference", "reference_ids": [1]}]}
    transcript = chat(chunk(delta), chunk({"content": "!"}), END)
    assert (transcript.reasoning, transcript.text) == ("The user", "Hi!")


def test_10_tool_call_without_index():
    transcript = chat(tool(id="", name="f", arguments='{"value":true}', type="function"), TOOLS_END)
    assert calls(transcript) == [("f", {"value": True})]
    assert transcript.tool_calls[0].id == "call_1"


def test_11_every_call_has_index_0():
    first = tool(index=0, id="a", name="f", arguments="{}")
    transcript = chat(first, tool(index=0, id="b", name="g", arguments='{"x":1}'), TOOLS_END)
    assert [(call.id, call.name) for call in transcript.tool_calls] == [("a", "f"), ("b", "g")]


def test_12_second_arguments_on_a_closed_call_are_not_merged():
    first = tool(index=0, id="a", name="glob", arguments='{"pattern":"**/*"}')
    (call,) = chat(first, tool(index=0, arguments='{"path":"content"}'), TOOLS_END).tool_calls
    assert (call.arguments, call.is_complete, call.error) == (None, False, "concatenated")
    assert call.raw_arguments == '{"pattern":"**/*"}{"path":"content"}'


def test_12_second_named_call_on_the_same_index_is_another():
    first = tool(index=0, id="", name="f", arguments='{"a":1}')
    transcript = chat(first, tool(index=0, id="", name="g", arguments='{"b":2}'), TOOLS_END)
    assert calls(transcript) == [("f", {"a": 1}), ("g", {"b": 2})]


def test_13_several_calls_in_one_chunk_without_index():
    fragments = [{"id": i, "function": {"name": n, "arguments": "{}"}} for i, n in (("q", "plus"), ("h", "minus"))]
    transcript = chat(chunk({"tool_calls": fragments}, "tool_calls"))
    assert calls(transcript) == [("plus", {}), ("minus", {})]


def test_14_complete_arguments_in_one_chunk():
    assert calls(chat(tool(index=0, id="a", name="f", arguments='{"x":1}'), TOOLS_END)) == [("f", {"x": 1})]


def test_15_name_and_first_arguments_together():
    parts = tool(index=0, id="a", name="f", arguments='{"'), tool(index=0, arguments='x":1}')
    assert calls(chat(*parts, TOOLS_END)) == [("f", {"x": 1})]


def test_16_id_empty_on_continuations():
    parts = tool(index=0, id="a", name="f", arguments='{"x":"'), tool(index=0, id="", arguments='y"}')
    assert calls(chat(*parts, TOOLS_END)) == [("f", {"x": "y"})]


def test_17_id_and_name_on_every_fragment():
    parts = [tool(index=0, id="0", name="f", arguments=text) for text in ('{"x"', ":", "1}")]
    (call,) = chat(*parts, TOOLS_END).tool_calls
    assert (call.id, call.name, call.arguments) == ("0", "f", {"x": 1})
    same = tool(index=0, id="0", name="llm_version", arguments="{}")
    assert calls(chat(same, same, TOOLS_END)) == [("llm_version", {})]


def test_18_id_changes_between_fragments():
    parts = tool(index=0, id="X", name="f", arguments='{"x"'), tool(index=0, id="Y", arguments=":1}")
    (call,) = chat(*parts, TOOLS_END).tool_calls
    assert (call.id, call.arguments) == ("X", {"x": 1})


@pytest.mark.parametrize("name", ["read_file", ""])
def test_19_name_repeated_or_empty_on_continuations(name):
    parts = [tool(index=0, id="a", name="read_file"), tool(index=0, name=name, arguments="{}")]
    assert calls(chat(*parts, TOOLS_END)) == [("read_file", {})]


def test_20_one_call_at_several_indexes():
    parts = [tool(index=i, id="a", name="f", arguments='{"x":1}') for i in (0, 1)]
    assert calls(chat(*parts, TOOLS_END)) == [("f", {"x": 1})]


def test_21_arguments_are_an_object():
    transcript = chat(tool(index=0, id="a", name="f", arguments={"command": "ls"}), TOOLS_END)
    assert calls(transcript) == [("f", {"command": "ls"})]


def test_22_arguments_null_or_missing_first():
    for first in (tool(index=0, id="a", name="f", arguments=None), tool(index=0, id="a", name="f")):
        assert calls(chat(first, tool(index=0, arguments='{"x":1}'), TOOLS_END)) == [("f", {"x": 1})]


def test_23_placeholder_before_the_arguments():
    parts = tool(index=0, id="a", name="f", arguments="{}"), tool(index=0, arguments='{"stock":"MSFT"}')
    transcript = chat(*parts, TOOLS_END)
    assert calls(transcript) == [("f", {"stock": "MSFT"})]
    assert transcript.tool_calls[0].raw_arguments == '{"stock":"MSFT"}'


def test_24_finish_reason_stop_with_tool_calls():
    transcript = chat(tool(index=0, id="a", name="f", arguments="{}"), chunk(finish="stop"))
    assert calls(transcript) == [("f", {})]
    assert (transcript.finish_reason, transcript.raw_finish_reason) == ("tool_calls", "stop")


def test_25_finish_reason_tool_calls_although_cut():
    (call,) = chat(tool(index=0, id="a", name="f", arguments='{"x": "lon'), TOOLS_END).tool_calls
    assert (call.arguments, call.is_complete, call.error) == (None, False, "truncated")


def test_26_finish_reasons_that_are_none():
    assert chat(chunk({"content": "a"}, ""), chunk({"content": "b"}, "")).outcome == "truncated"
    assert chat(chunk({"content": "a"}, ""), chunk(finish="eos")).finish_reason == "stop"
    assert chat(chunk({"content": "a"}), DONE).outcome == "finished"
    failed = chat(chunk({"content": "a"}), chunk(finish="error"), DONE)
    assert (failed.outcome, failed.text, failed.error.code) == ("failed", "a", "error")
    native = chunk(finish="stop")
    native["choices"][0]["native_finish_reason"] = "network_error"
    assert chat(chunk({"content": "a"}), native).outcome == "failed"


def test_27_cumulative_usage_in_every_chunk_is_not_added_up():
    parts = [chunk({"content": "!"}, usage={"prompt_tokens": 9, "completion_tokens": n}) for n in (1, 2, 3)]
    usage = chat(*parts, END, DONE).usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (9, 3, None)


def test_28_usage_on_the_finish_chunk():
    groq = chunk(finish="stop", x_groq={"usage": {"prompt_tokens": 4, "completion_tokens": 2}})
    assert chat(chunk({"content": "a"}), groq).usage.output_tokens == 2
    moonshot = chunk(finish="stop")
    moonshot["choices"][0]["usage"] = {"prompt_tokens": 4, "cached_tokens": 3}
    assert chat(chunk({"content": "a"}), moonshot).usage.cached_input_tokens == 3


def test_29_content_is_cumulative():
    assert chat(*(chunk({"content": text}) for text in ("Hel", "Hello", "Hello wo")), END).text == "Hello wo"
    plain = [chunk({"content": text}) for text in ("ha ", "ha ha ", "ho")]
    assert chat(*plain, END).text == "ha ha ha ho"
    assert chat(*plain[:2], END).text == "ha ha ha "


def test_29_content_that_stops_accumulating():
    texts = ("Hel", "Hello", "Hello wo", "rld")
    assert chat(*(chunk({"content": text}) for text in texts), END).text == "Hello world"


def test_30_last_chunk_repeats_the_message():
    last = chunk({"role": "assistant", "content": ""}, "stop", object="chat.completion.done")
    last["choices"][0]["message"] = {"role": "assistant", "content": "1 2 3"}
    assert chat(chunk({"content": "1 2 "}), chunk({"content": "3"}), last).text == "1 2 3"
    del last["choices"][0]["delta"]
    assert chat(chunk({"content": "1 2 "}), chunk({"content": "3"}), last).text == "1 2 3"
    assert chat(last).text == "1 2 3"


def test_31_crlf_and_no_done():
    body = sse(chunk({"content": "a"}), END).replace(b"\n", b"\r\n")
    assert fold(read("openai-chat", body)).outcome == "finished"


def test_32_no_space_after_the_colon():
    body = sse(chunk({"content": "a"}), END, DONE).replace(b"data: ", b"data:")
    assert fold(read("openai-chat", body)).text == "a"


@pytest.mark.parametrize("comment", [": OPENROUTER PROCESSING", ":", ": ping - 2025-01-01", ": PROCESSING"])
def test_33_comments_keep_alive(comment):
    body = sse(chunk({"content": "a"})) + comment.encode() + b"\n\n" + sse(END)
    events = read("openai-chat", body)
    assert Heartbeat() in events
    assert fold(events).outcome == "finished"


def test_34_error_object_in_data():
    transcript = chat(chunk({"content": "a"}), {"error": {"message": "out of memory", "code": 500}})
    assert (transcript.outcome, transcript.text) == ("failed", "a")
    assert (transcript.error.code, transcript.error.message, transcript.error.retryable) == (
        "500",
        "out of memory",
        True,
    )


def test_35_error_beside_choices():
    error = {"code": 400, "message": "Token limit reached"}
    usage = {"prompt_tokens": 5, "completion_tokens": 0}
    transcript = chat(chunk({"role": "assistant", "content": ""}, error=error, usage=usage))
    assert (transcript.outcome, transcript.error.message) == ("failed", "Token limit reached")
    assert transcript.usage.input_tokens == 5


def test_36_event_is_named_error():
    error = {"message": "bad call", "type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": ""}
    body = sse(chunk({"content": "a"})) + b"event: error\n" + sse({"error": error})
    transcript = fold(read("openai-chat", body))
    assert (transcript.error.code, transcript.error.type) == ("tool_use_failed", "invalid_request_error")


def test_36_error_within_the_extras():
    failed = chat(chunk({"content": "a"}), chunk(finish="stop", x_groq={"error": "over capacity"}))
    assert (failed.outcome, failed.error.message) == ("failed", "over capacity")


FLAT_ERRORS = {
    "guardrails": ('{"code":400,"details":"unsafe"}', "400", "unsafe"),
    "old_vllm": ('{"object":"error","message":"too long","type":"BadRequestError"}', None, "too long"),
    "string": ('{"error":"boom"}', None, "boom"),
    "fastapi": ('{"detail":"Not Found"}', None, "Not Found"),
    "list": ('[{"error":{"message":"quota","code":429}}]', "429", "quota"),
    "msg": ('{"code":401,"msg":"no key"}', "401", "no key"),
    "aws": ('{"Message":"no access"}', None, "no access"),
    "apigee": ('{"fault":{"faultstring":"quota"}}', None, "quota"),
    "sentence": ("Number of choices must be greater than 0", "not_json", "Number of choices must be greater than 0"),
}


@pytest.mark.parametrize("case", FLAT_ERRORS)
def test_37_flat_and_odd_errors(case):
    wire, code, text = FLAT_ERRORS[case]
    transcript = chat(wire)
    assert (transcript.outcome, transcript.error.code, transcript.error.message) == ("failed", code, text)


def test_37_envelope_of_a_success_is_no_error():
    assert chat({"code": 0, "msg": "ok"}, chunk({"content": "a"}), END).text == "a"


def test_38_field_named_error():
    body = sse(chunk({"content": "a"})) + b'error: {"code":400,"message":"exceeds the context size"}\n\n'
    transcript = fold(read("openai-chat", body))
    assert (transcript.error.code, transcript.error.message) == ("400", "exceeds the context size")


def test_39_json_error_body_without_framing():
    for body in (b'{"error":{"message":"no model"}}', b'{\n "error": {\n  "message": "no model"\n }\n}\n'):
        assert fold(read("openai-chat", body)).error.message == "no model"


def test_40_error_injected_into_an_unfinished_event():
    body = b'data: {"type":"response.compl\ndata: {"type":"error","error":{"message":"upstream"}}\n\n'
    assert fold(read("openai-responses", body)).error.message == "upstream"


def test_41_body_is_html():
    transcript = fold(read("openai-chat", b"<html>\n<body>502 Bad Gateway</body>\n</html>\n"))
    assert (transcript.outcome, transcript.error.code) == ("failed", "not_sse")
    assert "502 Bad Gateway" in transcript.error.message


def test_42_extras_are_native():
    signed = tool(index=0, id="a", name="f", arguments="{}", extra_content={"google": {"thought_signature": "s"}})
    signed |= {"provider": "Google", "timings": {"n": 1}, "citations": ["https://a.example"], "p": "abc"}
    transcript = chat(chunk({"content": "Hi", "token_id": 7, "channel": "final"}), signed, TOOLS_END)
    assert transcript.tool_calls[0].raw == {"extra_content": {"google": {"thought_signature": "s"}}}
    assert transcript.parts[0].citations == ({"type": "url_citation", "url": "https://a.example"},)
    alone = chat(chunk({"content": "Hi"}), chunk({"extra_content": {"google": {"thought_signature": "s"}}}), END)
    assert alone.parts[1].raw == {"extra_content": {"google": {"thought_signature": "s"}}}


def test_43_role_in_every_chunk():
    assert chat(*(chunk({"role": "assistant", "content": text}) for text in "ab"), END).text == "ab"


def test_44_content_and_call_in_the_finish_chunk():
    fragment = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    transcript = chat(chunk({"content": "Hi", "tool_calls": [fragment]}, "tool_calls"))
    assert (transcript.text, calls(transcript)) == ("Hi", [("f", {})])


def test_45_chunk_without_names():
    bare = [{"choices": [{"delta": {"content": "a"}}]}, {"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    transcript = chat(*bare)
    assert (transcript.text, transcript.id, transcript.outcome) == ("a", None, "finished")


def test_46_compressed_bytes_are_named():
    transcript = fold(read("openai-chat", gzip.compress(sse(chunk({"content": "a"}), END), mtime=0)))
    assert (transcript.outcome, transcript.error.code) == ("failed", "compressed")


TEXT = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "par"})


def test_47_message_start_repeated_is_ignored():
    start, *rest = message(*TEXT)
    assert anthropic(start, start, *rest).text == "par"


def test_47_message_start_of_another_message_cuts_the_first():
    start, *rest = message(*TEXT)
    opened = block(1, {"type": "tool_use", "id": "t", "name": "f"}, {"type": "input_json_delta", "partial_json": "{}"})
    other = json.loads(json.dumps(start).replace("msg_1", "msg_2"))
    transcript = anthropic(start, *TEXT, *opened[:-1], other, *rest)
    assert (transcript.outcome, transcript.text) == ("truncated", "par")
    assert transcript.tool_calls[0].arguments is None


def test_47_message_start_of_another_message_before_any_word_is_the_start():
    start, *rest = message(*TEXT)
    other = json.loads(json.dumps(start).replace("msg_1", "msg_2"))
    transcript = anthropic(start, other, *rest)
    assert (transcript.outcome, transcript.text) == ("finished", "par")
    assert anthropic(start, other, *TEXT, start, *rest).outcome == "truncated"


def test_48_text_repeated_in_start_and_delta():
    repeated = block(0, {"type": "text", "text": "Hello"}, {"type": "text_delta", "text": "Hello"})
    assert anthropic(*message(*repeated)).text == "Hello"
    continued = block(0, {"type": "text", "text": "Hel"}, {"type": "text_delta", "text": "lo"})
    assert anthropic(*message(*continued)).text == "Hello"
    assert anthropic(*message(*block(0, {"type": "text", "text": "Hello"}))).text == "Hello"


def test_48_input_whole_in_the_start():
    whole = block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}})
    assert calls(anthropic(*message(*whole, stop="tool_use"))) == [("f", {"x": 1})]


def test_48_no_index_no_event_line_no_message_stop():
    events = message(*TEXT, *block(1, {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}}))[:-1]
    bare = [{key: value for key, value in event.items() if key != "index"} for event in events]
    transcript = fold(read("anthropic-messages", sse(*bare)))
    assert (transcript.text, calls(transcript), transcript.outcome) == ("par", [("f", {"x": 1})], "finished")


def test_48_message_stop_twice():
    assert anthropic(*message(*TEXT), {"type": "message_stop"}).outcome == "finished"


def test_what_has_no_meaning_is_kept():
    events = read("openai-chat", sse(chunk({"content": "a"}), {"choices": [], "moderation": {"input": []}}, END))
    assert [json.loads(event.raw) for event in events if isinstance(event, Unknown)] == [
        {"choices": [], "moderation": {"input": []}}
    ]


def test_usage_is_reported_when_it_changes():
    same = chunk({"content": "!"}, usage={"prompt_tokens": 9, "completion_tokens": 1})
    events = read("openai-chat", sse(same, same, END))
    assert sum(isinstance(event, UsageReported) for event in events) == 1


def test_failure_ends_open_calls_as_cut():
    events = read("openai-chat", sse(tool(index=0, id="a", name="f", arguments='{"x":1}'), {"error": "boom"}))
    (ended,) = [event for event in events if isinstance(event, ToolCallEnded)]
    assert (ended.arguments, ended.error) == (None, "truncated")
    assert isinstance(events[-1], Failed)
