"""Thoughts, usage, images and citations of chat streams at places, and with names, that few servers use."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import Unknown
from tests.protocol.wire import chat, chunk, fold, parse, read, sse

END = chunk(finish="stop")
DONE = "[DONE]"


def say(text: Any, finish: str | None = None) -> dict[str, Any]:
    return chunk({"content": text}, finish)


def mirrored(*pairs: tuple[str | None, str | None], field: str = "reasoning_content") -> list[dict[str, Any]]:
    """Returns chunks, each with content and reasoning."""
    return [chunk({"content": content, field: thought}) for content, thought in pairs]


MIRRORED: dict[str, tuple[list[Any], str, str]] = {
    "side by side": (mirrored(("<think>Plan ", "Plan "), ("it.", "it."), ("</think>Hi", None)), "Plan it.", "Hi"),
    "cut elsewhere": (mirrored(("<think>Pl", "Plan "), ("an it.</think>H", "it."), ("i", None)), "Plan it.", "Hi"),
    "with line ends": (mirrored(("<think>\n", None), ("Plan ", "Plan "), ("it.</think>Hi", "it.")), "\nPlan it.", "Hi"),
    "the field first": (
        mirrored((None, "Plan "), (None, "it."), ("<think>\nPlan it.</think>Hi", "")),
        "Plan it.",
        "Hi",
    ),
    "the tags first": (mirrored(("<think>Plan it.</think>", None), ("Hi", "Plan it.")), "Plan it.", "Hi"),
    "two thoughts": (
        mirrored(("<think>A</think>b", "A"), ("<think>C", "C"), ("D</think>e", "D")),
        "ACD",
        "be",
    ),
    "other thoughts": (mirrored((None, "Plan it."), ("<think>More.</think>Hi", None)), "Plan it.More.", "Hi"),
    "alike by chance": (
        mirrored((None, "Plan it."), ("<think>Plan", None), (" b</think>Hi", None)),
        "Plan it.Plan b",
        "Hi",
    ),
    "a mirrored thought, then another one": (
        mirrored(("<think>A</think>b", "A"), (None, "C"), ("<think>D</think>e", None)),
        "ACD",
        "be",
    ),
}


@pytest.mark.parametrize("case", MIRRORED)
def test_thoughts_that_come_in_a_field_and_in_tags(case):
    payloads, reasoning, text = MIRRORED[case]
    transcript = chat(*payloads, END, split_think_tags=True)
    assert (transcript.reasoning, transcript.text) == (reasoning, text)


def test_long_thoughts_that_come_twice():
    thought = "".join(f"word{n} " for n in range(2_000))
    pieces = [thought[at : at + 5] for at in range(0, len(thought), 5)]
    payloads = [chunk({"reasoning": thought}), say("<think>"), *map(say, pieces), say("</think>Hi"), END]
    transcript = fold(parse("openai-chat", [sse(*payloads)], split_think_tags=True))
    assert (transcript.reasoning, transcript.text) == (thought, "Hi")


@pytest.mark.parametrize("tag", ["think", "thinking", "thought", "reasoning", "seed:think", "mm:think"])
def test_names_of_think_tags(tag):
    transcript = chat(say(f"<{tag}>a</{tag}"), say(">b"), END, split_think_tags=True)
    assert (transcript.reasoning, transcript.text) == ("a", "b")


@pytest.mark.parametrize("field", ["thinking_content", "thought"])
def test_other_fields_of_reasoning(field):
    transcript = chat(chunk({field: "a"}), chunk({field: "b", "content": "c"}), chunk({field: True}), END)
    assert (transcript.reasoning, transcript.text) == ("ab", "c")


def test_transcript_of_audio_is_text():
    sound = {"id": "a", "data": "AAA="}
    pieces = [sound | {"transcript": "Hi "}, {"transcript": "you"}, sound, {"expires_at": 1}]
    events = read("openai-chat", sse(*(chunk({"audio": piece}) for piece in pieces), END))
    assert fold(events).text == "Hi you"
    assert sum(isinstance(event, Unknown) for event in events) == 2
    whole = {"content": None, "audio": sound | {"transcript": "Hi"}}
    assert chat({"choices": [{"message": whole, "finish_reason": "stop"}]}).text == "Hi"


COUNTS = {"prompt_tokens": 5, "completion_tokens": 2}
USAGES: dict[str, list[Any]] = {
    "other names": [END, {"choices": [], "usage": {"promptTokens": 5, "completionTokens": 2, "totalTokens": 7}}],
    "other names of the same kind": [END, {"choices": [], "usage": {"inputTokens": 5, "outputTokens": 2}}],
    "in the delta": [chunk({"usage": COUNTS}, "stop")],
    "in the message": [{"choices": [{"message": {"content": "", "usage": COUNTS}, "finish_reason": "stop"}]}],
    "Cohere": [END | {"usage": {"billed_units": {}, "tokens": {"input_tokens": 5, "output_tokens": 2}}}],
    "llama.cpp": [END | {"timings": {"prompt_n": 5, "prompt_ms": 1.5, "predicted_n": 2}}],
    "llama.cpp with a cache": [END | {"timings": {"cache_n": 3, "prompt_n": 2, "predicted_n": 2}}],
}


@pytest.mark.parametrize("case", USAGES)
@pytest.mark.parametrize("tail", [[], [DONE]])
def test_usage_with_other_names_or_in_other_places(case, tail):
    before = [] if case == "in the message" else [say("a")]
    usage = chat(*before, *USAGES[case], *tail).usage
    assert (usage.input_tokens, usage.output_tokens) == (5, 2)
    assert usage.cached_input_tokens == (3 if "cache" in case else None)


def test_usage_that_is_sent_counts_more_than_timings():
    assert chat(say("a"), END | {"timings": {"prompt_n": 1}, "usage": COUNTS}, DONE).usage.input_tokens == 5
    for timings in ([], {"prompt_n": "x", "cache_n": {}}, {"prompt_n": None}, {"prompt_n": -7}, 3):
        assert chat(say("a"), END | {"timings": timings}, DONE).usage is None


def place(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish}


CALL = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}]}
WHOLE = [{"index": 0, "message": {"content": "a"}}, {"index": 1, "message": CALL}]
TWO_CHOICES: list[list[Any]] = [
    [{"choices": [place(0, {"content": "a"}, "tool_calls"), place(1, CALL, "tool_calls")]}],
    [{"choices": [place(0, {"content": "a"})]}, {"choices": [place(0, {}, "tool_calls"), place(1, CALL)]}],
    [
        {
            "choices": [
                {"index": n, "message": m, "finish_reason": "tool_calls"}
                for n, m in enumerate([{"content": "a"}, CALL])
            ]
        }
    ],
]


@pytest.mark.parametrize("payloads", TWO_CHOICES)
@pytest.mark.parametrize("tail", [[], [DONE], [{"choices": [place(1, {}, "tool_calls")]}, DONE]])
def test_calls_in_a_choice_after_the_text(payloads, tail):
    for options in ({}, {"choices": 1}):
        transcript = chat(*payloads, *tail, **options)
        assert (transcript.text, transcript.finish_reason) == ("a", "tool_calls")
        assert [(each.name, each.arguments) for each in transcript.tool_calls] == [("f", {"x": 1})]


def test_calls_of_a_second_answer_stay_apart():
    both = [{"choices": [place(0, CALL, "tool_calls"), place(1, CALL, "tool_calls")]}]
    asked = [{"choices": [place(0, {"content": "a"}, "stop"), place(1, CALL, "tool_calls")]}]
    for payloads in (both, asked):
        assert len(fold(read("openai-chat", sse(*payloads)), choice=1).tool_calls) == 1
    assert len(fold(read("openai-chat", sse(*TWO_CHOICES[0]), choices=2), choice=1).tool_calls) == 1


PNG = "data:image/png;base64,AA=="
IMAGES: list[dict[str, Any]] = [
    {"images": [{"type": "image_url", "image_url": {"url": PNG}}]},
    {"images": [{"image_url": PNG}]},
    {"images": [PNG]},
    {"images": [{"url": PNG}]},
    {"images": [{"type": "image", "image": {"url": PNG}}]},
    {"images": [{"b64_json": "AA=="}]},
    {"images": {"url": PNG}},
    {"images": [{"image": {"url": PNG, "source": "/9j/4A"}}]},
    {"content": [{"type": "image", "image_url": {"url": PNG}}]},
    {"content": [{"type": "output_image", "image_url": PNG}]},
    {"content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]},
    {"content": [{"type": "image", "data": "AA==", "mime_type": "image/png"}]},
]


@pytest.mark.parametrize("delta", IMAGES)
def test_image_in_another_shape_or_place(delta):
    for payloads in ([chunk(delta), END], [{"choices": [{"message": delta, "finish_reason": "stop"}]}]):
        (part,) = chat(*payloads).parts
        assert (part.media_type, part.url) == ("image/png", PNG)


@pytest.mark.parametrize("image", ["AA==", "x", 5, {}, {"url": {}}, {"image": {"image": {"image": {"url": PNG}}}}])
def test_image_without_a_url_is_unknown(image):
    assert sum(isinstance(event, Unknown) for event in read("openai-chat", sse(chunk({"images": [image]}), END))) == 1


@pytest.mark.parametrize("image", [{"image_url": {"url": "/a.png"}}, {"image_url": "/a.png"}, {"url": "/a.png"}])
def test_relative_url_of_an_image(image):
    (part,) = chat(chunk({"images": [image]}), END).parts
    assert part.url == "/a.png"


SOURCE = {"title": "T", "url": "https://a.example"}
CITED: list[list[dict[str, Any]]] = [
    [chunk({"content": "a", "annotations": [SOURCE]})],
    [chunk({"content": "a", "annotations": SOURCE})],
    [say("a"), chunk({"citations": [SOURCE]})],
    [chunk({"content": [{"type": "text", "text": "a", "annotations": [SOURCE]}]})],
    [chunk({"content": [{"type": "text", "text": "a", "citations": [SOURCE]}]})],
    [{"choices": [{"message": {"content": "a", "citations": [SOURCE]}}]}],
    [say("a") | {"citations": [SOURCE]}],
]


@pytest.mark.parametrize("payloads", CITED)
def test_citation_in_another_place(payloads):
    (part,) = chat(*payloads, END).parts
    assert (part.text, part.citations) == ("a", (SOURCE,))


TAGGED = {
    "Cohere": "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>",
    "Cohere, newer": "<|START_THINKING|>a<|END_THINKING|><|START_TEXT|>b<|END_TEXT|>",
    "Cohere, without the first tag": "a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>",
    "OpenThinker": "<|begin_of_thought|>a<|end_of_thought|><|begin_of_solution|>b<|end_of_solution|>",
    "gpt-oss": "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b",
    "gpt-oss, without the end": "<|channel|>analysis<|message|>a<|start|>assistant<|channel|>final<|message|>b",
    "Gemma": "<|channel>thought\na<channel|>b",
    "Apriel": "a[BEGIN FINAL RESPONSE]b[END FINAL RESPONSE]",
}


@pytest.mark.parametrize("case", TAGGED)
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_tags_of_single_models(case, size):
    text = TAGGED[case]
    pieces = [say(text[at : at + size]) for at in range(0, len(text), size)]
    transcript = chat(*pieces, END, split_think_tags=True)
    assert (transcript.reasoning, transcript.text) == ("a", "b")
    assert chat(*pieces, END).text == text


@pytest.mark.parametrize("frame", ["<|START_RESPONSE|>", "<|end_of_solution|>", "[END FINAL RESPONSE]"])
def test_frame_of_an_answer_without_a_thought_is_text(frame):
    assert chat(say(f"a {frame}"), say("b"), END, split_think_tags=True).text == f"a {frame}b"


CLOSED: dict[str, list[Any]] = {
    "side by side": mirrored(("Plan ", "Plan "), ("it.", "it."), ("</think>Hi", None)),
    "the tag cut": mirrored(("Plan ", "Plan "), ("it.", "it."), ("\n</thi", None), ("nk>Hi", None)),
    "the field ahead": mirrored(("Plan ", "Plan it"), ("it.", "."), ("</think>Hi", None)),
    "the field first": mirrored((None, "Plan "), (None, "it."), ("Plan it.\n</think>Hi", None)),
    "the field first, and line ends": mirrored(
        (None, "\nPlan it."), ("Plan", None), (" it.\n", None), ("</think>Hi", "")
    ),
}


@pytest.mark.parametrize("case", CLOSED)
def test_thoughts_that_come_twice_with_only_a_closing_tag(case):
    transcript = chat(*CLOSED[case], END, split_think_tags=True)
    assert (transcript.reasoning.strip(), transcript.text) == ("Plan it.", "Hi")
    later = chat(*CLOSED[case], say(" a</think>b"), END, split_think_tags=True)
    assert later.text == "Hi a</think>b"


@pytest.mark.parametrize("case", list(CLOSED)[:2])
def test_closing_tag_after_thoughts_that_came_twice(case):
    transcript = chat(*CLOSED[case], END)
    assert (transcript.reasoning, transcript.text) == ("Plan it.", "Hi")


@pytest.mark.parametrize("is_split", [True, False])
def test_thoughts_that_came_twice_before_a_call(is_split):
    called = chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]})
    transcript = chat(*mirrored(("Plan", "Plan")), say("</think>"), called, END, split_think_tags=is_split)
    assert (transcript.reasoning, transcript.text, len(transcript.tool_calls)) == ("Plan", "", 1)


ALIKE: dict[str, list[str]] = {
    "a part of it": ["Plan", " it"],
    "all of it": ["Plan it."],
    "more": ["Plan it.", " Then more"],
    "another end": ["Plan ", "that"],
    "nearly a tag": ["Plan it.", "</thin", "gs"],
    "a tag without an echo": ["Hi"],
    "white space": ["Plan it.", " " * 100, "b"],
    "white space first": ["\n", "\n", "Hi"],
    "white space first, then all of it": ["\n\n", "Plan it."],
    "only white space": ["\n\n"],
}


@pytest.mark.parametrize("case", ALIKE)
@pytest.mark.parametrize("is_split", [True, False])
def test_text_that_is_like_the_thoughts_is_kept(case, is_split):
    text = "".join(ALIKE[case])
    payloads = [chunk({"reasoning": "Plan it."}), *map(say, ALIKE[case])]
    called = chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]})
    for tail in ([END], [called, END], [DONE], []):
        transcript = chat(*payloads, *tail, split_think_tags=is_split)
        assert (transcript.reasoning, transcript.text) == ("Plan it.", text)
        assert [type(part).__name__ for part in transcript.parts[:2]] == ["ReasoningPart", "TextPart"]
