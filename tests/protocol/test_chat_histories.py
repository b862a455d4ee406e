"""Chat histories: reasoning goes back in the fields in which its provider sent it, and only to that provider."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.protocol import GenerationRequest, Part, ReasoningPart, TextPart, ToolCall, ToolResult, Turn, encode
from tests.protocol.wire import chat, chunk, tool

DEEPSEEK = "openai-chat api.deepseek.com"
THOUGHT = chunk({"reasoning_content": "I need "}), chunk({"reasoning_content": "the weather."})
CALL = tool(index=0, id="c1", name="weather", arguments="{}")
RESULT = ToolResult(call_id="c1", output="sun")


def messages(*parts: Part, **fields: Any) -> list[dict[str, Any]]:
    """Returns the messages after a question, with `parts` as its answer and a second question."""
    turns = [("user", [TextPart(text="Hi")]), ("assistant", parts), ("user", [TextPart(text="And?")])]
    typed = tuple(Turn(role=role, parts=tuple(said)) for role, said in turns)  # type: ignore[arg-type]
    sent: list[dict[str, Any]] = encode("openai-chat", GenerationRequest(turns=typed, model="m", **fields))["messages"]
    return sent[1:-1]


def parts_of(*chunks: Any) -> list[Part]:
    return chat(*chunks, "[DONE]").parts


def test_reasoning_goes_back_with_the_calls_of_its_turn() -> None:
    asked, _, answer = messages(*parts_of(*THOUGHT, CALL), RESULT, *parts_of(*THOUGHT, chunk({"content": "Sunny."})))
    assert asked["reasoning_content"] == "I need the weather."
    assert asked["tool_calls"][0]["id"] == "c1"
    assert answer == {"role": "assistant", "content": "Sunny.", "reasoning_content": "I need the weather."}


def test_reasoning_of_a_turn_without_calls_stays_here() -> None:
    (answer,) = messages(*parts_of(*THOUGHT, chunk({"content": "Hello."})))
    assert answer == {"role": "assistant", "content": "Hello."}


def test_call_without_a_thought_before_it_has_the_field_too() -> None:
    """The provider is in thinking mode, and refuses a call that does not have the field."""
    unthought = ToolCall(id="c2", name="weather", arguments={}, is_complete=True)
    asked, _, again, _ = messages(*parts_of(*THOUGHT, CALL), RESULT, unthought, ToolResult(call_id="c2"))
    assert (asked["reasoning_content"], again["reasoning_content"]) == ("I need the weather.", "")


@pytest.mark.parametrize("field", ["reasoning", "thinking"])
def test_other_fields_of_reasoning_are_not_sent(field: str) -> None:
    asked, _ = messages(*parts_of(chunk({field: "Hm."}), CALL), RESULT)
    assert asked.keys() == {"role", "content", "tool_calls"}


def test_signed_and_encrypted_details_go_back_whole() -> None:
    details = [
        [{"type": "reasoning.text", "index": 0, "text": "Hm", "signature": None, "format": "f"}],
        [{"type": "reasoning.text", "index": 0, "text": ".", "signature": "sig"}],
        [{"type": "reasoning.encrypted", "index": 1, "data": "E1", "id": "rs_1"}],
        [{"type": "reasoning.encrypted", "index": 1, "data": "E2", "id": "rs_1"}],
        [{"type": "reasoning.encrypted", "index": 1, "data": "X", "id": "call_2"}],
    ]
    pieces = [chunk({"reasoning_details": each}) for each in details]
    (answer,) = messages(*parts_of(*pieces, chunk({"content": "Yes."})))
    assert answer["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "Hm.", "signature": "sig", "format": "f"},
        {"type": "reasoning.encrypted", "index": 1, "data": "E1E2", "id": "rs_1"},
        {"type": "reasoning.encrypted", "index": 1, "data": "X", "id": "call_2"},
    ]


def test_details_without_a_secret_are_not_kept() -> None:
    details = [{"type": "reasoning.text", "index": 0, "text": "Hm"}]
    assert parts_of(chunk({"reasoning_details": details})) == [ReasoningPart(text="Hm")]


def test_details_that_come_with_the_call_go_back_with_it() -> None:
    detail = {"type": "reasoning.encrypted", "data": "ENC", "id": "c1", "index": 0}
    signed_call = tool(index=0, id="c1", name="f", arguments="{}")
    signed_call["choices"][0]["delta"]["reasoning_details"] = [detail]
    asked, _ = messages(*parts_of(signed_call), RESULT)
    assert asked["reasoning_details"] == [detail]
    assert asked["tool_calls"]


def test_details_stored_one_by_one_go_back_as_a_list() -> None:
    detail = {"type": "reasoning.encrypted", "data": "ENC"}
    (answer,) = messages(ReasoningPart(raw=detail), TextPart(text="Yes."))
    assert answer["reasoning_details"] == [detail]


def test_copilots_signature_goes_back_with_its_text() -> None:
    said = parts_of(chunk({"reasoning_text": "Hm."}), chunk({"reasoning_opaque": "o"}), chunk({"content": "Yes."}))
    (answer,) = messages(*said)
    assert (answer["reasoning_text"], answer["reasoning_opaque"]) == ("Hm.", "o")


def test_geminis_signature_of_an_answer_goes_back() -> None:
    signature = {"google": {"thought_signature": "s"}}
    (answer,) = messages(*parts_of(chunk({"content": "Yes."}), chunk({"extra_content": signature})))
    assert answer["extra_content"] == signature


@pytest.mark.parametrize(
    ("receiver", "is_sent"), [(DEEPSEEK, True), (None, True), ("openai-chat api.openai.com", False)]
)
def test_reasoning_goes_only_to_its_maker(receiver: str | None, is_sent: bool) -> None:
    made = ReasoningPart(text="Hm.", raw={"field": "reasoning_content"}, origin=DEEPSEEK)
    called = ToolCall(id="c1", name="f", arguments={}, is_complete=True, raw={"extra_content": {}}, origin=DEEPSEEK)
    asked, _ = messages(made, called, RESULT, origin=receiver)
    assert ("reasoning_content" in asked) is is_sent
    assert asked["tool_calls"][0]["function"]["name"] == "f"


def test_reasoning_of_other_dialects_is_not_sent() -> None:
    others = (
        ReasoningPart(text="Hm.", signature="s"),
        ReasoningPart(raw={"type": "redacted_thinking", "data": "d"}),
        ReasoningPart(raw={"type": "reasoning", "id": "rs_1", "summary": []}),
    )
    assert messages(*others, TextPart(text="Yes.")) == [{"role": "assistant", "content": "Yes."}]
