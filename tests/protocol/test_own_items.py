"""Items and blocks that a provider made for itself go back to it, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import (
    GenerationRequest,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    Turn,
    encode,
)
from streaming.protocol.ui_stream import UIStreamEncoder, events_of, fold_chunks
from tests.protocol.wire import anthropic, block, completed, created, item, message, responses

QUESTION = Turn(role="user", parts=(TextPart(text="Hi"),))
DIALECTS = ["openai-chat", "openai-responses", "anthropic-messages"]
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": []}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary"}
WORDS = {"content": [{"type": "output_text", "text": "A"}, {"type": "refusal", "refusal": "B"}]}
SEARCHED = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}


def body(dialect: str, parts: list[Part] | tuple[Part, ...], *after: Turn, **fields: Any) -> dict[str, Any]:
    turns = (QUESTION, Turn(role="assistant", parts=tuple(parts)), *after)
    return encode(dialect, GenerationRequest(turns=turns, model="m", **fields))


def items(*wires: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    parts = responses(created(), *(e for at, w in enumerate(wires) for e in item(at, w)), completed()).parts
    sent: list[dict[str, Any]] = body("openai-responses", parts, QUESTION, **fields)["input"]
    return sent[1:-1]


def blocks(parts: list[Part] | tuple[Part, ...], *after: Turn) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = body("anthropic-messages", parts, *after)["messages"][1]["content"]
    return sent


def read(*wires: dict[str, Any]) -> list[Part]:
    return anthropic(*message(*(event for at, wire in enumerate(wires) for event in block(at, wire)))).parts


class TestResponses:
    def test_message_goes_back_as_one_item_with_id_status_and_phase(self) -> None:
        content = [{"type": "output_text", "text": "A", "annotations": []}, {"type": "refusal", "refusal": "B"}]
        assert items(SAID | WORDS) == [SAID | {"content": content}]

    def test_reasoning_calls_and_images_go_back_in_their_order(self) -> None:
        image = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA"}
        assert items(THOUGHT, SEARCHED, THOUGHT | {"id": "rs_2"}, image) == [
            THOUGHT,
            SEARCHED,
            THOUGHT | {"id": "rs_2"},
            image,
        ]

    @pytest.mark.parametrize(
        "wire",
        [
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "e"},
            {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": []},
            {"type": "mcp_approval_request", "id": "a", "name": "f", "arguments": "{}", "server_label": "s"},
            {"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "server_label": "s", "output": "x"},
        ],
    )
    def test_items_of_its_own_go_back_whole(self, wire: dict[str, Any]) -> None:
        assert items(wire) == [wire]

    def test_function_call_goes_back_with_its_id(self) -> None:
        call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
        assert items(THOUGHT, call) == [THOUGHT, call]

    def test_reasoning_goes_only_before_the_item_that_followed_it(self) -> None:
        stopped = [ReasoningPart(raw=THOUGHT), TextPart(text="A")]
        kept = body("openai-responses", stopped)["input"][1:]
        assert kept == [{"type": "message", "role": "assistant", "content": "A"}]

    def test_free_text_call_and_its_result_are_custom(self) -> None:
        call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "run", "input": "ls"}
        parts = responses(created(), *item(0, call), completed()).parts
        sent = body("openai-responses", [*parts, ToolResult(call_id="c", output="a.txt")])["input"]
        assert sent[1:] == [call, {"type": "custom_tool_call_output", "call_id": "c", "output": "a.txt"}]


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [], "caller": {"type": "direct"}}


class TestAnthropic:
    def test_server_tools_go_back_as_they_came(self) -> None:
        assert blocks(read(SEARCH, FOUND, {"type": "text", "text": "Yes."})) == [
            SEARCH,
            FOUND,
            {"type": "text", "text": "Yes."},
        ]

    def test_adjacent_signed_thinking_stays_as_it_came(self) -> None:
        thoughts = [{"type": "thinking", "thinking": text, "signature": text + "!"} for text in ("a", "b", "")]
        assert blocks(read(*thoughts, {"type": "text", "text": "Yes."}))[:3] == thoughts

    def test_compaction_goes_back(self) -> None:
        compaction = {"type": "compaction", "content": "so far"}
        assert blocks(read(compaction)) == [compaction]

    def test_caller_of_a_call_goes_back(self) -> None:
        caller = {"type": "code_execution_20250825", "tool_id": "srvtoolu_1"}
        call = {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}, "caller": caller}
        assert blocks(read(call)) == [call]

    def test_last_container_is_asked_for_again(self) -> None:
        parts = [OpaquePart(raw={"type": "container", "id": f"container_{at}"}) for at in (1, 2)]
        sent = body("anthropic-messages", [*parts, TextPart(text="Yes.")])
        assert sent["container"] == "container_2"
        assert sent["messages"][1]["content"] == [{"type": "text", "text": "Yes."}]

    def test_paused_call_goes_back_until_the_person_speaks_again(self) -> None:
        paused = read({"type": "text", "text": "Looking."}, SEARCH)
        assert blocks(paused) == [{"type": "text", "text": "Looking."}, SEARCH]
        assert blocks(paused, QUESTION) == [{"type": "text", "text": "Looking."}]

    def test_result_without_its_call_is_not_sent(self) -> None:
        assert blocks([*read(FOUND), TextPart(text="Yes.")]) == [{"type": "text", "text": "Yes."}]


OPENAI = "openai-responses api.openai.com"
FOREIGN: tuple[Part, ...] = (
    OpaquePart(raw={"type": "compaction", "id": "cmp_1", "encrypted_content": "e"}, origin=OPENAI),
    ReasoningPart(text="Hm.", raw=THOUGHT, origin=OPENAI),
    ToolCall(id="ws_1", name="web_search", raw=SEARCHED, is_provider_executed=True, is_complete=True, origin=OPENAI),
    TextPart(text="A", raw=SAID, origin=OPENAI),
    RefusalPart(text="B", raw=SAID, origin=OPENAI),
)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_other_hosts_get_the_words(dialect: str) -> None:
    plain = [TextPart(text="A"), RefusalPart(text="B")]
    assert body(dialect, FOREIGN, origin=f"{dialect} other.example") == body(dialect, plain)


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic-messages"])
def test_other_dialects_get_the_words_even_if_nobody_told_who_made_them(dialect: str) -> None:
    assert body(dialect, FOREIGN) == body(dialect, [TextPart(text="A"), RefusalPart(text="B")])


def test_anthropics_compaction_is_not_openais() -> None:
    assert len(body("openai-responses", [OpaquePart(raw={"type": "compaction", "content": "x"})])["input"]) == 1


def test_wordless_reasoning_and_unshown_parts_are_restored() -> None:
    parts = (
        ReasoningPart(signature="sig"),
        ReasoningPart(raw={"type": "redacted_thinking", "data": "d"}),
        OpaquePart(raw={"type": "container", "id": "c"}),
        TextPart(text="A", citations=({"type": "page_location", "page": 1},), raw=SAID),
        RefusalPart(text="B"),
    )
    encoder = UIStreamEncoder("m1")
    assert fold_chunks(chunk for event in events_of(parts) for chunk in encoder.encode(event)) == parts
