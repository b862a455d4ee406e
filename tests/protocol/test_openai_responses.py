"""The OpenAI Responses dialect: every event and item type."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from streaming.protocol import (
    FileReceived,
    Finished,
    Heartbeat,
    OpaquePart,
    PartEnded,
    ReasoningPart,
    RefusalPart,
    Started,
    TextDelta,
    TextPart,
    ToolCallEnded,
    ToolCallStarted,
    ToolResulted,
    Unknown,
    UsageReported,
)
from streaming.protocol.dialects.openai_responses.items import ITEMS
from streaming.protocol.dialects.openai_responses.stream import BEATS, EVENTS, ITEM_EVENTS
from tests.protocol.wire import completed, created, fold, item, named, read, responses, sse

MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
SHELL = {"type": "message", "id": "msg_1"}
WHOLE = SHELL | {"status": "completed"}


def said(kind, *texts, index="content_index", at=0, **done):
    """Returns deltas of one kind of words. If `done` is given, a `done` event with these fields follows."""
    deltas = [{"type": f"response.{kind}.delta", index: at, "delta": words} for words in texts]
    return [*deltas, {"type": f"response.{kind}.done", index: at} | done] if done else deltas


def test_plain_answer_event_by_event():
    events = [created(), {"type": "response.in_progress", "response": {}}]
    part = {"type": "response.content_part.added", "content_index": 0, "part": {"type": "output_text", "text": ""}}
    events += item(0, MESSAGE, part, *said("output_text", "Hel", "lo", text="Hello"))
    got = read("openai-responses", named(*events, completed()))
    assert [event for event in got if not isinstance(event, UsageReported)] == [
        Started("resp_1", "gpt"),
        Heartbeat(),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        PartEnded(0, raw=WHOLE),
        Finished("stop", "completed"),
    ]
    assert fold(got).usage.input_tokens == 7


def test_several_content_parts_are_several_parts():
    words = [*said("output_text", "a", text="a"), *said("output_text", "b", at=1, text="b")]
    assert [p.text for p in responses(created(), *item(0, MESSAGE, *words), completed()).parts] == ["a", "b"]


def test_text_only_in_done_events_is_filled_in():
    only_done = responses(created(), *item(0, MESSAGE, *said("output_text", text="Hi")), completed())
    only_item = responses(created(), *item(0, MESSAGE, content=[{"type": "output_text", "text": "Hi"}]), completed())
    only_end = responses(completed(id="r", output=[MESSAGE | {"content": [{"type": "output_text", "text": "Hi"}]}]))
    assert [only_done.text, only_item.text, only_end.text] == ["Hi", "Hi", "Hi"]


def test_what_streamed_is_not_filled_in_again():
    content = [{"type": "output_text", "text": "Hi", "annotations": []}]
    words = said("output_text", "Hi", at=1, text="Hi")  # its index differs from its position in the item
    events = item(1, MESSAGE, *words, content=content)
    assert responses(created(), *events, completed(output=[MESSAGE | {"content": content}])).text == "Hi"


def test_refusal_is_a_part_of_its_own():
    transcript = responses(created(), *item(0, MESSAGE, *said("refusal", "No", ".", refusal="No.")), completed())
    assert transcript.parts == [RefusalPart(text="No.", raw=WHOLE)]
    assert transcript.finish_reason == "refusal"
    filled = item(0, MESSAGE, content=[{"type": "refusal", "refusal": "No."}])
    assert responses(created(), *filled, completed()).refusal == "No."


CITATION = {"type": "url_citation", "url": "https://a.example"}


def test_annotations_are_citations_of_the_text():
    words = said("output_text", "Hi")
    added = {"type": "response.output_text.annotation.added", "content_index": 0, "annotation": CITATION}
    content = [{"type": "output_text", "text": "Hi", "annotations": [CITATION]}]
    streamed = responses(created(), *item(0, MESSAGE, *words, added, content=content), completed())
    filled = responses(created(), *item(0, MESSAGE, *words, content=content), completed())
    assert streamed.parts == filled.parts == [TextPart(text="Hi", citations=(CITATION,), raw=SHELL)]


REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"}


def test_reasoning_summary_is_one_part_and_keeps_its_item():
    words = [
        *said("reasoning_summary_text", "a", "b", index="summary_index", text="ab"),
        *said("reasoning_summary_text", "c", index="summary_index", at=1, text="c"),
    ]
    transcript = responses(created(), *item(0, REASONING, *words), completed())
    assert transcript.parts == [ReasoningPart(text="ab\n\nc", raw=REASONING)]


def test_reasoning_in_two_forms_is_read_once():
    words = [*said("reasoning_text", "why"), *said("reasoning_summary_text", "why", index="summary_index")]
    assert responses(created(), *item(0, REASONING, *words), completed()).reasoning == "why"


@pytest.mark.parametrize("source", ["summary", "content"])
def test_reasoning_only_in_the_item_is_filled_in(source):
    events = item(0, REASONING, **{source: [{"text": "a"}, {"text": "b"}]})
    assert responses(created(), *events, completed()).reasoning == "a\n\nb"


def test_reasoning_without_words_is_kept_for_the_next_turn():
    assert responses(created(), *item(0, REASONING), completed()).parts == [ReasoningPart(raw=REASONING)]


CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": ""}
CALL_SHELL = {key: CALL[key] for key in ("type", "id")}


def test_function_call_is_a_tool_call():
    deltas = [{"type": "response.function_call_arguments.delta", "delta": text} for text in ('{"a"', ":1}")]
    done = {"type": "response.function_call_arguments.done", "arguments": '{"a":1}'}
    events = read("openai-responses", named(created(), *item(0, CALL, *deltas, done, arguments='{"a":1}'), completed()))
    assert ToolCallStarted(0, "call_1", "f") in events
    assert ToolCallEnded(0, '{"a":1}', {"a": 1}, True, raw=CALL_SHELL) in events
    assert fold(events).finish_reason == "tool_calls"


def test_arguments_only_at_the_end_are_filled_in():
    done = {"type": "response.function_call_arguments.done", "arguments": '{"a":1}'}
    for events in (item(0, CALL, done), item(0, CALL, arguments='{"a":1}'), item(0, CALL, done, arguments='{"a":1}')):
        assert responses(created(), *events, completed()).tool_calls[0].raw_arguments == '{"a":1}'
    only_end = responses(created(), completed(output=[CALL | {"arguments": '{"a":1}'}]))
    assert only_end.tool_calls[0].arguments == {"a": 1}


def test_function_call_cut_by_the_limit():
    deltas = [{"type": "response.function_call_arguments.delta", "delta": '{"a"'}]
    end = {"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}
    transcript = responses(created(), *item(0, CALL, *deltas, status="incomplete"), end)
    assert (transcript.outcome, transcript.finish_reason) == ("finished", "length")
    assert (transcript.tool_calls[0].arguments, transcript.tool_calls[0].error) == (None, "truncated")


def test_message_and_call_under_one_index_are_two():
    call = item(0, CALL, arguments="{}")
    transcript = responses(created(), *item(0, MESSAGE, *said("output_text", "Hi")), *call, completed())
    assert (transcript.text, [c.name for c in transcript.tool_calls]) == ("Hi", ["f"])


def test_two_calls_under_one_index_are_two():
    events = [e for n in "ab" for e in item(0, CALL | {"call_id": n, "arguments": "{}"})]
    only_done = [event for event in events if "done" in event["type"]]
    for sent in (events, only_done):
        assert [call.id for call in responses(created(), *sent, completed()).tool_calls] == ["a", "b"]


def test_item_done_twice_counts_once():
    wires = [CALL | {"arguments": "{}"}, {"type": "web_search_call", "id": "w"}, {"type": "hologram", "id": "h"}]
    wires += [{"type": "shell_call_output", "call_id": "c", "output": []}]
    wires += [{"type": "image_generation_call", "id": "i", "result": "AA"}, MESSAGE | {"content": [{"text": "Hi"}]}]
    events = [event for n, wire in enumerate(wires) for event in [*item(n, wire), item(n, wire)[-1]]]
    assert len(responses(created(), *events, completed()).parts) == len(wires)


def test_custom_tool_takes_free_text():
    wire = {"type": "custom_tool_call", "id": "i", "call_id": "c", "name": "sql", "input": ""}
    deltas = [{"type": "response.custom_tool_call_input.delta", "delta": text} for text in ("SELECT", " 1")]
    (call,) = responses(created(), *item(0, wire, *deltas, input="SELECT 1"), completed()).tool_calls
    assert (call.raw_arguments, call.is_json, call.is_complete, call.arguments) == ("SELECT 1", False, True, None)


def test_mcp_call_is_run_by_the_provider():
    wire = {"type": "mcp_call", "id": "mcp_1", "name": "ask", "arguments": "", "output": None}
    deltas = [
        {"type": "response.mcp_call_arguments.delta", "delta": '{"q":1}'},
        {"type": "response.mcp_call.completed"},
    ]
    transcript = responses(created(), *item(0, wire, *deltas, output="42"), completed())
    (call,) = transcript.tool_calls
    assert (call.id, call.name, call.arguments, call.is_provider_executed) == ("mcp_1", "ask", {"q": 1}, True)
    assert (transcript.parts[1].output, transcript.parts[1].is_error) == ("42", False)
    failed = responses(created(), *item(0, wire, error={"message": "no"}), completed())
    assert (failed.parts[1].output, failed.parts[1].is_error) == ({"message": "no"}, True)


def test_code_is_a_call_that_the_provider_executes():
    wire = {"type": "code_interpreter_call", "id": "ci_1", "code": "", "outputs": None}
    deltas = [{"type": "response.code_interpreter_call_code.delta", "delta": text} for text in ("print", "(1)")]
    transcript = responses(created(), *item(0, wire, *deltas, outputs=[{"logs": "1"}]), completed())
    (call,) = transcript.tool_calls
    assert (call.name, call.raw_arguments, call.is_json) == ("code_interpreter", "print(1)", False)
    assert transcript.parts[1].output == [{"logs": "1"}]
    assert transcript.finish_reason == "stop"


BUILT_IN = {
    "web_search_call": ({"action": {"type": "search", "query": "x"}}, {"type": "search", "query": "x"}, True),
    "file_search_call": ({"queries": ["x"], "results": None}, {"queries": ["x"]}, True),
    "local_shell_call": ({"call_id": "c", "action": {"command": ["ls"]}}, {"command": ["ls"]}, False),
    "computer_call": ({"call_id": "c", "action": {"type": "click"}}, {"type": "click"}, False),
    "apply_patch_call": ({"call_id": "c", "operation": {"diff": "x"}}, {"diff": "x"}, False),
    "tool_search_call": ({"arguments": {"paths": ["x"]}, "execution": "server"}, {"paths": ["x"]}, True),
    "shell_call": (
        {"action": {"commands": ["ls"]}, "environment": {"type": "container_reference"}},
        {"commands": ["ls"]},
        True,
    ),
}


@pytest.mark.parametrize("type_", BUILT_IN)
def test_call_of_a_built_in_tool_has_its_input_as_arguments(type_):
    fields, arguments, is_provider_executed = BUILT_IN[type_]
    wire = {"type": type_, "id": "i"} | fields
    (call,) = responses(created(), *item(0, wire), completed()).tool_calls
    assert (call.name, call.arguments) == (type_.removesuffix("_call"), arguments)
    assert (call.is_provider_executed, call.raw) == (is_provider_executed, wire)


def test_results_of_file_search():
    wire = {"type": "file_search_call", "id": "fs", "queries": ["x"], "results": [{"text": "y"}]}
    events = read("openai-responses", named(created(), *item(0, wire), completed()))
    assert ToolResulted(1, "fs", [{"text": "y"}]) in events


def test_output_items_are_results():
    wire = {"type": "shell_call_output", "call_id": "c", "output": [{"stdout": "x"}]}
    events = read("openai-responses", named(created(), *item(0, wire), completed()))
    assert ToolResulted(0, "c", [{"stdout": "x"}], raw=wire) in events


def test_image_is_a_file():
    wire = {"type": "image_generation_call", "id": "ig", "result": None}
    events = read(
        "openai-responses", named(created(), *item(0, wire, result="AAAA", output_format="webp"), completed())
    )
    raw = {"type": "image_generation_call", "id": "ig", "output_format": "webp"}
    assert FileReceived(0, "image/webp", "data:image/webp;base64,AAAA", raw=raw) in events
    assert fold(read("openai-responses", named(created(), *item(0, wire), completed()))).parts == [OpaquePart(raw=wire)]


def test_item_type_of_tomorrow_is_kept_whole():
    wire = {"type": "hologram", "id": "h"}
    assert responses(created(), *item(0, wire), completed()).parts == [OpaquePart(raw=wire)]


def test_event_type_of_tomorrow_is_unknown():
    odd = {"type": "response.hologram.delta", "delta": "x"}
    events = read("openai-responses", named(created(), odd, completed()))
    assert [json.loads(event.raw) for event in events if isinstance(event, Unknown)] == [odd]


ENDS = {
    "completed": (completed(), "stop", "completed"),
    "limit": ({"reason": "max_output_tokens"}, "length", "max_output_tokens"),
    "filter": ({"reason": "content_filter"}, "content_filter", "content_filter"),
    "unknown": (None, "other", "incomplete"),
}


@pytest.mark.parametrize("case", ENDS)
def test_end_gives_the_finish_reason(case):
    end, reason, raw = ENDS[case]
    if case != "completed":
        end = {"type": "response.incomplete", "response": {"status": "incomplete", "incomplete_details": end}}
    transcript = responses(created(), end)
    assert (transcript.outcome, transcript.finish_reason, transcript.raw_finish_reason) == ("finished", reason, raw)


@pytest.mark.parametrize("status", ["in_progress", None, {}, 5])
def test_status_that_says_nothing_is_completed(status):
    assert responses(created(), completed(status=status)).raw_finish_reason == "completed"


def test_failed_response_gives_its_error():
    error = {"code": "server_error", "message": "boom"}
    for end in ({"type": "response.failed", "response": {"error": error}}, {"type": "error"} | error):
        transcript = responses(created(), end)
        assert (transcript.outcome, transcript.error.code, transcript.error.message) == (
            "failed",
            "server_error",
            "boom",
        )


def test_end_without_a_signal_is_truncated():
    events = [created(), *item(0, MESSAGE, *said("output_text", "Hi"))]
    assert responses(*events).outcome == "truncated"
    assert fold(read("openai-responses", named(*events) + sse("[DONE]"))).outcome == "truncated"


def test_data_only_and_done_after_the_end():
    events = [created(), *item(0, MESSAGE, *said("output_text", "Hi")), completed()]
    assert fold(read("openai-responses", sse(*events, "[DONE]"))).text == "Hi"


def test_stream_taken_up_in_its_middle():
    events = read("openai-responses", named(*said("output_text", "Hi"), completed(id="r", model="m")))
    assert not any(isinstance(event, Started) for event in events)
    assert (fold(events).text, fold(events).outcome) == ("Hi", "finished")


def test_whole_response_instead_of_a_stream():
    body = {"object": "response", "id": "r", "status": "completed"}
    body["output"] = [MESSAGE | {"content": [{"type": "output_text", "text": "Hi"}]}]
    transcript = fold(read("openai-responses", json.dumps(body).encode()))
    assert (transcript.text, transcript.outcome) == ("Hi", "finished")


# They say nothing about the answer. The whole item follows at `output_item.done`.
KEPT_AS_UNKNOWN = {
    "response.audio.delta",
    "response.audio.done",
    "response.audio.transcript.delta",
    "response.audio.transcript.done",
    "response.image_generation_call.partial_image",
    "response.shell_call_command.added",
    "response.shell_call_command.delta",
    "response.shell_call_command.done",
    "response.shell_call_output_content.delta",
    "response.shell_call_output_content.done",
    "response.compaction.compacting",
}


def test_every_event_of_the_sdk_is_known():
    types = pytest.importorskip("openai.types.responses")
    members = get_args(get_args(types.ResponseStreamEvent)[0])
    names = {get_args(member.model_fields["type"].annotation)[0] for member in members}
    unread = {name for name in names - set(EVENTS) - set(ITEM_EVENTS) if name.rpartition(".")[2] not in BEATS}
    assert len(names) > 50
    assert unread <= KEPT_AS_UNKNOWN


def test_every_item_of_the_sdk_is_known_or_kept_whole():
    types = pytest.importorskip("openai.types.responses")
    members = get_args(get_args(types.ResponseOutputItem)[0])
    names = {get_args(member.model_fields["type"].annotation)[0] for member in members}
    assert len(names) > 20
    kept_whole = {"mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "compaction"}
    assert names - set(ITEMS) <= kept_whole | {"program", "program_output", "additional_tools", "context_compaction"}
