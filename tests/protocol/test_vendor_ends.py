"""Ends of chat streams, and what comes beside the words, in the shapes that single vendors give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streaming.protocol import Unknown
from tests.protocol.wire import chat, chunk, fold, read, sse

END, DONE = chunk(finish="stop"), "[DONE]"
USAGE = {"id": "x", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


def say(text: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return chunk({"content": text} | more, finish)


@pytest.mark.parametrize("between", ["", " ", " data: ", "data:", '"'])
@pytest.mark.parametrize("before", [json.dumps(END), ""])
def test_usage_on_the_line_of_done(between, before):
    line = before + DONE + between + json.dumps(USAGE)
    transcript = chat(say("Hi"), line)
    assert (transcript.text, transcript.outcome) == ("Hi", "finished")
    assert (transcript.usage.input_tokens, transcript.usage.output_tokens) == (5, 2)


@pytest.mark.parametrize("rest", ['{"choices":[{"delta":{"content":"late"}}]}', '{"usage":', "{}", '{"error":"late"}'])
def test_other_things_on_the_line_of_done(rest):
    transcript = chat(say("Hi", "stop"), DONE + rest)
    assert (transcript.text, transcript.outcome, transcript.usage) == ("Hi", "finished", None)


@pytest.mark.parametrize("text", ["[DONE] is what it says", "[DONE]x", "[DONE]["])
def test_words_after_done_are_no_end(text):
    assert chat(say("Hi"), text).outcome == "truncated"


SOURCE = {"title": "T", "url": "https://a.example"}
LINKED = {"title": "T", "link": "https://a.example", "refer": "ref_1"}
NESTED = {"source": {"name": "n"}, "document": ["d"], "metadata": [{"source": "https://a.example"}]}
SOURCES: dict[str, tuple[list[Any], Any]] = {
    "search_results, and plain URLs": (
        [say("Hi") | {"search_results": [SOURCE], "citations": [SOURCE["url"]]}, END | {"citations": [SOURCE["url"]]}],
        [SOURCE],
    ),
    "web_search in the last chunk": ([say("Hi"), END | {"web_search": [LINKED]}], [LINKED | {"url": LINKED["link"]}]),
    "web_search in the first chunk": ([say("Hi") | {"web_search": [SOURCE]}, END], [SOURCE]),
    "web_search beside no choices": ([{"choices": [], "web_search": [SOURCE]}, say("Hi"), END], [SOURCE]),
    "sources alone": ([{"sources": [NESTED]}, say("Hi"), END], [NESTED | {"url": "https://a.example"}]),
    "sources after the end": ([say("Hi"), END, {"sources": [SOURCE]}], [SOURCE]),
    "references": ([chunk({"role": "assistant", "content": ""}) | {"references": [SOURCE]}, say("Hi"), END], [SOURCE]),
    "search_info": ([say("Hi"), END | {"search_info": {"search_results": [SOURCE]}}], [SOURCE]),
    "one source beside the choices": ([say("Hi"), END | {"search_results": SOURCE}], [SOURCE]),
    "one source with a list": ([say("Hi"), END | {"web_search": SOURCE | {"tags": ["a"]}}], [SOURCE | {"tags": ["a"]}]),
    "search_info in the delta": ([say("Hi", search_info={"search_results": [SOURCE]}), END], [SOURCE]),
    "links in the delta": ([say("Hi", web_search=[LINKED]), END], [LINKED | {"url": LINKED["link"]}]),
    "one source in the delta": ([say("Hi", sources=SOURCE), END], [SOURCE]),
    "one URL in the delta": ([say("Hi", citations="https://a"), END], [{"type": "url_citation", "url": "https://a"}]),
    "no known form in the delta": ([say("Hi", references={"1": "doc"}), END], [{"1": "doc"}]),
    "in the delta": ([say("Hi"), chunk({"search_results": [SOURCE]}), END], [SOURCE]),
    "in the context": ([chunk({"context": {"citations": [SOURCE], "intent": "[]"}}), say("Hi"), END], [SOURCE]),
    "of LiteLLM": ([say("Hi", provider_specific_fields={"citation": SOURCE}), END], [SOURCE]),
    "a content item": ([say([{"type": "text", "text": "Hi"}, {"type": "tool_reference"} | SOURCE]), END], None),
    "in the order of the plain URLs": (
        [say("Hi") | {"search_results": [{"url": "b"}, SOURCE], "citations": [SOURCE["url"], "b", "c"]}, END],
        [SOURCE, {"url": "b"}, {"type": "url_citation", "url": "c"}],
    ),
    "no sources": ([say("Hi") | {"web_search": [], "citations": [], "search_results": None}, END], []),
}


@pytest.mark.parametrize("case", SOURCES)
@pytest.mark.parametrize("tail", [[], [DONE]])
def test_sources_beside_the_words(case, tail):
    payloads, citations = SOURCES[case]
    events = read("openai-chat", sse(*payloads, *tail))
    transcript = fold(events)
    assert (transcript.text, transcript.outcome, len(transcript.parts)) == ("Hi", "finished", 1)
    found = list(transcript.parts[0].citations)
    assert found == citations if citations is not None else found[0]["url"] == SOURCE["url"]
    assert not any(isinstance(event, Unknown) for event in events)


@pytest.mark.parametrize("word", ["keepalive", "keep-alive", "ping"])
@pytest.mark.parametrize("choices", [[], [{"index": 0, "delta": {"role": "assistant", "content": ""}}]])
def test_name_of_a_sign_of_life_is_no_model(word, choices):
    sign = {"id": "chatcmpl-keepalive", "model": word, "choices": choices}
    transcript = chat(sign, sign, say("Hi"), sign, END, DONE)
    assert (transcript.id, transcript.model, transcript.text) == ("chatcmpl-1", "m", "Hi")
    assert chat(say("Hi") | {"model": word}, END).model is None


REFUSED = {"base_resp": {"status_code": 1027, "status_msg": "boom"}}
FAILURES: dict[str, list[Any]] = {
    "a status beside no choices": [say("Hi"), {"choices": []} | REFUSED, DONE],
    "a status beside null": [say("Hi"), {"choices": None} | REFUSED, DONE],
    "a status beside the last chunk": [say("Hi"), END | REFUSED, DONE],
    "a status beside the last words": [say("Hi", "stop") | REFUSED, {"choices": [], "usage": USAGE["usage"]}, DONE],
}


@pytest.mark.parametrize("case", FAILURES)
def test_status_of_a_failure(case):
    transcript = chat(*FAILURES[case])
    assert (transcript.text, transcript.outcome, transcript.error.message) == ("Hi", "failed", "boom")
    assert transcript.error.code == "1027"


def test_errors_of_a_copilot_agent():
    wire = {"choices": [], "copilot_errors": [{"type": "agent", "code": "x", "message": "boom"}]}
    assert chat(wire, DONE).error.message == chat(wire).error.message == "boom"
    assert chat(wire, say("Hi"), END, DONE).outcome == "finished"


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        *((word, "stop") for word in ("eot", "end_of_text", "normal", "STOPPED", "success")),
        *((word, "length") for word in ("max_tokens_exceeded", "length_limit", "truncated")),
        *((word, "content_filter") for word in ("filtered", "safety_filter")),
    ],
)
def test_more_finish_reasons(reason, meaning):
    assert chat(say("Hi", reason)).finish_reason == meaning


@pytest.mark.parametrize(
    "given",
    [
        {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}},
        {"usage": {"promptTokenCount": 5, "candidatesTokenCount": 2}},
        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 5, "outputTokenCount": 2}},
        {"meta": {"tokens": {"input_tokens": 5, "output_tokens": 2}}},
    ],
)
def test_usage_of_the_provider_behind_a_gateway(given):
    usage = chat(say("Hi"), END | given, DONE).usage
    assert (usage.input_tokens, usage.output_tokens) == (5, 2)


@pytest.mark.parametrize(
    "signature",
    [
        {"reasoning_content": {"signature": "S"}},
        {"reasoning_content": {"text": "", "signature": "S"}},
        {"reasoning": {"signature": "S"}},
        {"reasoning_content": {"reasoningText": {"text": "", "signature": "S"}}},
    ],
)
def test_signature_within_the_reasoning(signature):
    for text in ("Hm", {"text": "Hm"}, {"reasoningText": {"text": "Hm"}}):
        part, last = chat(chunk({"reasoning_content": text}), chunk(signature), say("Hi"), END).parts
        assert (part.text, part.signature, last.text) == ("Hm", "S", "Hi")


BARE: dict[str, tuple[list[Any], tuple[str, str, Any]]] = {
    "Ollama's chat": (
        [
            {"model": "q", "message": {"role": "assistant", "content": "", "thinking": "Hm"}, "done": False},
            {"model": "q", "message": {"role": "assistant", "content": "Hi"}, "done": False},
            {
                "message": {"content": ""},
                "done": True,
                "done_reason": "length",
                "prompt_eval_count": 5,
                "eval_count": 2,
            },
        ],
        ("Hm", "length", 5),
    ),
    "Ollama's completion": (
        [{"response": "H", "done": False}, {"response": "i", "done": True, "prompt_eval_count": 5}],
        ("", "stop", 5),
    ),
    "Workers AI": (
        [{"response": "Hi", "p": "ab"}, {"response": "", "usage": {"prompt_tokens": 5}}, DONE],
        ("", "other", 5),
    ),
    "llama.cpp": (
        [{"content": "Hi", "stop": False}, {"content": "", "stop": True, "tokens_evaluated": 5}],
        ("", "stop", 5),
    ),
    "TGI": (
        [
            {"token": {"text": "Hi", "special": False}, "generated_text": None},
            {
                "token": {"text": "</s>", "special": True},
                "generated_text": "Hi",
                "details": {"finish_reason": "length"},
            },
        ],
        ("", "length", None),
    ),
    "Dify": (
        [{"event": "message", "answer": "Hi"}, {"event": "message_end", "metadata": {"usage": {"prompt_tokens": 5}}}],
        ("", "stop", 5),
    ),
    "DashScope": (
        [
            {
                "output": {"choices": [{"message": {"content": text}, "finish_reason": end}]},
                "usage": {"input_tokens": 5},
            }
            for text, end in (("H", "null"), ("i", "stop"))
        ],
        ("", "stop", 5),
    ),
    "DashScope's text": (
        [{"output": {"text": "Hi", "finish_reason": "stop"}, "usage": {"input_tokens": 5}}],
        ("", "stop", 5),
    ),
    "Baidu": ([{"result": "H", "is_end": False}, {"result": "i", "is_end": True}], ("", "stop", None)),
    "a delta alone": ([{"delta": {"content": "Hi"}}, {"delta": {}, "finish_reason": "stop"}], ("", "stop", None)),
}


@pytest.mark.parametrize("case", BARE)
def test_chunks_of_the_servers_own_api(case):
    payloads, (reasoning, reason, tokens) = BARE[case]
    lines = b"".join(json.dumps(each).encode() + b"\n" for each in payloads if each != DONE)
    for body in [sse(*payloads)] + ([lines] if reason != "other" else []):
        transcript = fold(read("openai-chat", body))
        assert (transcript.text, transcript.reasoning) == ("Hi", reasoning)
        assert (transcript.outcome, transcript.finish_reason) == ("finished", reason)
        assert (transcript.usage and transcript.usage.input_tokens) == tokens


def test_calls_of_the_servers_own_api():
    called = {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}, "done": True}
    for payload in (called, {"response": "", "tool_calls": [{"name": "f", "arguments": {"x": 1}}], "done": True}):
        transcript = chat(payload)
        assert [(each.name, each.arguments) for each in transcript.tool_calls] == [("f", {"x": 1})]


@pytest.mark.parametrize(
    "wire",
    [
        {"message": "boom"},
        {"message": {"content": "boom"}},
        {"content": "x"},
        {"delta": None},
        {"output": {}},
        {"token": 1},
    ],
)
def test_payload_of_no_known_api_has_no_words(wire):
    assert chat(say("Hi"), wire).text == "Hi"


def test_delta_of_another_type():
    for delta in ("Hi", [{"content": "Hi"}], [{"role": "assistant"}, {"content": "Hi"}]):
        assert chat({"choices": [{"index": 0, "delta": delta}]}, END).text == "Hi"


@pytest.mark.parametrize(
    "text", ["error: boom", "Error boom", "[ERROR] boom", '[ERROR] {"message":"boom"}', "upstream error: boom"]
)
def test_words_that_say_that_there_was_an_error(text):
    for tail in ([], [DONE], [END, DONE]):
        transcript = chat(say("Hi"), text, *tail)
        assert (transcript.text, transcript.outcome, transcript.error.code) == ("Hi", "failed", "not_json")
        assert "boom" in transcript.error.message


@pytest.mark.parametrize("text", ["errors are told", "terror", '{"content": "error', "an old red error"])
def test_words_that_say_no_error(text):
    assert chat(say("Hi"), text, END).outcome == "finished"


@pytest.mark.parametrize("inner", [{"message": "boom", "code": 429}, {"error": {"message": "boom", "code": 429}}])
def test_error_that_is_json_as_text(inner):
    error = chat(say("Hi"), {"error": json.dumps(inner)}).error
    assert (error.message, error.code, error.retryable) == ("boom", "429", True)


@pytest.mark.parametrize("done", ["[done]", "[Done]"])
def test_mark_of_the_end_in_other_letters(done):
    assert chat(say("Hi"), done).outcome == "finished"


@pytest.mark.parametrize("field", ["reasoningContent", "thoughts", "cot_summary", "tool_plan"])
def test_more_fields_of_reasoning(field):
    transcript = chat(chunk({field: "H"}), chunk({field: "m"}), say("Hi"), END)
    assert (transcript.reasoning, transcript.text) == ("Hm", "Hi")


@pytest.mark.parametrize("flag", [{"thought": True}, {"channel": "analysis"}])
@pytest.mark.parametrize("other", [{}, {"thought": False}, {"channel": "final"}])
def test_content_that_is_flagged_as_a_thought(flag, other):
    transcript = chat(say("H", **flag), say("m", **flag), say("H", **other), say("i", **other), END)
    assert (transcript.reasoning, transcript.text) == ("Hm", "Hi")


def test_last_message_repeats_thoughts_and_text():
    details = [{"type": "reasoning.text", "index": 0, "text": "Hm"}]
    thought = {"reasoning_content": "Hm", "reasoning_details": details}
    last = chunk({}, "length")
    last["choices"][0]["message"] = {"role": "assistant", "content": "Hi"} | thought
    transcript = chat(chunk(thought | {"content": ""}), say("Hi"), last, DONE)
    assert (transcript.reasoning, transcript.text, transcript.finish_reason) == ("Hm", "Hi", "length")


def test_fields_that_litellm_puts_apart():
    blocks = [{"type": "thinking", "thinking": "Hm", "signature": "S"}]
    for own in (
        {"reasoning_content": "Hm"},
        {"thinking_blocks": blocks},
        {"reasoning_text": "Hm", "reasoning_opaque": "S"},
    ):
        for more in ({"content": ""}, {}):
            transcript = chat(chunk({"provider_specific_fields": own} | more), say("Hi"), END)
            assert (transcript.reasoning, transcript.text) == ("Hm", "Hi")
    twice = chunk(
        {"reasoning_content": "Hm", "provider_specific_fields": {"thinking_blocks": blocks, "reasoning": "Hm"}}
    )
    assert chat(twice, say("Hi", provider_specific_fields=None), END).reasoning == "Hm"
