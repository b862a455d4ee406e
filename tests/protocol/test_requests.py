"""Request bodies: every field, part and role, in each dialect."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from streaming.protocol import (
    FilePart,
    GenerationRequest,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    ToolSpec,
    Turn,
    encode,
)
from streaming.protocol.dialects import DIALECTS as REGISTERED
from streaming.protocol.dialects.anthropic_messages.request import DEFAULT_MAX_TOKENS
from streaming.protocol.parts import Role

CHAT, RESPONSES, MESSAGES = "openai-chat", "openai-responses", "anthropic-messages"
DIALECTS = [CHAT, RESPONSES, MESSAGES]
WEATHER = ToolSpec(name="weather", description="Forecast", parameters={"type": "object", "properties": {}})
PIXEL = "data:image/png;base64,iVBORw0KGgo="


OWN = TextPart(text="Yes.", raw={"type": "message", "id": "msg_1", "status": "completed", "phase": "final_answer"})


def turn(role: Role, *parts: Part | str) -> Turn:
    return Turn(role=role, parts=tuple(TextPart(text=part) if isinstance(part, str) else part for part in parts))


def call(number: int = 1, **arguments: Any) -> ToolCall:
    raw = str(arguments).replace("'", '"')
    return ToolCall(id=f"call_{number}", name="weather", raw_arguments=raw, arguments=arguments, is_complete=True)


def body(dialect: str, *turns: Turn, **fields: Any) -> dict[str, Any]:
    return encode(dialect, GenerationRequest(turns=turns, model="m", **fields))


def history(dialect: str, *turns: Turn, **fields: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = body(dialect, *turns, **fields)["input" if dialect == RESPONSES else "messages"]
    return sent


HELLO = turn("user", "Hello")


class TestFields:
    def test_chat_names_them_its_way(self) -> None:
        assert body(CHAT, HELLO, system="Be brief.", max_output_tokens=5, temperature=0.0) == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_completion_tokens": 5,
            "temperature": 0.0,
        }

    def test_responses_name_them_their_way(self) -> None:
        assert body(RESPONSES, HELLO, system="Be brief.", max_output_tokens=5, temperature=0.0) == {
            "model": "m",
            "instructions": "Be brief.",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
            "stream": True,
            "max_output_tokens": 5,
            "temperature": 0.0,
        }

    def test_messages_name_them_their_way(self) -> None:
        assert body(MESSAGES, HELLO, system="Be brief.", max_output_tokens=5, temperature=0.0) == {
            "model": "m",
            "system": "Be brief.",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
            "stream": True,
            "max_tokens": 5,
            "temperature": 0.0,
        }

    def test_messages_always_limits_the_answer(self) -> None:
        assert body(MESSAGES, HELLO)["max_tokens"] == DEFAULT_MAX_TOKENS

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_what_was_not_asked_for_is_absent(self, dialect: str) -> None:
        sent = body(dialect, HELLO)
        assert {"temperature", "tools", "tool_choice", "system", "instructions"}.isdisjoint(sent)

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_extra_is_merged_last(self, dialect: str) -> None:
        sent = body(dialect, HELLO, temperature=0.5, extra={"temperature": 1, "seed": 7})
        assert (sent["temperature"], sent["seed"]) == (1, 7)

    def test_every_dialect_has_a_body(self) -> None:
        assert sorted(REGISTERED) == sorted(DIALECTS)


class TestTools:
    def test_chat_wraps_a_function(self) -> None:
        function = {"name": "weather", "description": "Forecast", "parameters": WEATHER.parameters}
        assert body(CHAT, HELLO, tools=(WEATHER,))["tools"] == [{"type": "function", "function": function}]

    def test_responses_are_not_strict(self) -> None:
        [tool] = body(RESPONSES, HELLO, tools=(WEATHER,))["tools"]
        assert tool["strict"] is False
        assert (tool["type"], tool["name"], tool["parameters"]) == ("function", "weather", WEATHER.parameters)

    def test_messages_have_an_input_schema(self) -> None:
        [tool] = body(MESSAGES, HELLO, tools=(WEATHER,))["tools"]
        assert tool == {"name": "weather", "description": "Forecast", "input_schema": WEATHER.parameters}

    @pytest.mark.parametrize(
        ("dialect", "asked", "sent"),
        [
            (CHAT, "auto", "auto"),
            (CHAT, "required", "required"),
            (CHAT, "none", "none"),
            (CHAT, "weather", {"type": "function", "function": {"name": "weather"}}),
            (RESPONSES, "auto", "auto"),
            (RESPONSES, "required", "required"),
            (RESPONSES, "weather", {"type": "function", "name": "weather"}),
            (MESSAGES, "auto", {"type": "auto"}),
            (MESSAGES, "required", {"type": "any"}),
            (MESSAGES, "none", {"type": "none"}),
            (MESSAGES, "weather", {"type": "tool", "name": "weather"}),
        ],
    )
    def test_choice_is_worded_for_each_dialect(self, dialect: str, asked: str, sent: Any) -> None:
        assert body(dialect, HELLO, tools=(WEATHER,), tool_choice=asked)["tool_choice"] == sent

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_a_choice_without_tools_is_not_sent(self, dialect: str) -> None:
        assert "tool_choice" not in body(dialect, HELLO, tool_choice="required")


class TestToolHistory:
    turns = (
        turn("user", "Weather?"),
        turn("assistant", "Looking.", call(1, city="Rome"), call(2, city="Oslo")),
        turn("tool", ToolResult(call_id="call_1", output={"sky": "clear"})),
        turn("tool", ToolResult(call_id="call_2", output="no data", is_error=True)),
        turn("user", "And?"),
    )

    def test_chat_has_messages_of_role_tool(self) -> None:
        _, asked, first, second, _ = history(CHAT, *self.turns)
        assert asked["content"] == "Looking."
        assert asked["tool_calls"][0] == {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
        }
        assert first == {"role": "tool", "tool_call_id": "call_1", "content": '{"sky":"clear"}'}
        assert second["content"] == "no data"

    def test_responses_have_items(self) -> None:
        items = history(RESPONSES, *self.turns)
        assert [item["type"] for item in items] == [
            *("message", "message", "function_call", "function_call"),
            *("function_call_output", "function_call_output", "message"),
        ]
        assert items[2] == {
            "type": "function_call",
            "call_id": "call_1",
            "name": "weather",
            "arguments": '{"city": "Rome"}',
        }
        assert items[4] == {"type": "function_call_output", "call_id": "call_1", "output": '{"sky":"clear"}'}

    def test_messages_puts_results_and_question_into_one_user_message(self) -> None:
        messages = history(MESSAGES, *self.turns)
        assert [message["role"] for message in messages] == ["user", "assistant", "user"]
        assert messages[1]["content"][1] == {
            "type": "tool_use",
            "id": "call_1",
            "name": "weather",
            "input": {"city": "Rome"},
        }
        first, second, question = messages[2]["content"]
        assert first == {"type": "tool_result", "tool_use_id": "call_1", "content": '{"sky":"clear"}'}
        assert second["is_error"] is True
        assert question == {"type": "text", "text": "And?"}

    def test_an_answer_of_several_steps_is_taken_apart(self) -> None:
        steps = turn("assistant", call(1), ToolResult(call_id="call_1", output="sun"), "Sun.")
        assert [message["role"] for message in history(CHAT, steps)] == ["assistant", "tool", "assistant"]
        assert [message["role"] for message in history(MESSAGES, steps)] == ["assistant", "user", "assistant"]

    def test_a_truncated_call_is_sent_as_an_empty_object(self) -> None:
        cut = turn("assistant", ToolCall(id="c", name="weather", raw_arguments='{"city": "Ro', error="truncated"))
        assert history(CHAT, cut)[0]["tool_calls"][0]["function"]["arguments"] == "{}"
        assert history(RESPONSES, cut)[0]["arguments"] == "{}"
        assert history(MESSAGES, cut)[0]["content"][0]["input"] == {}

    @pytest.mark.parametrize(
        ("raw", "arguments", "sent"),
        [("null", {}, "{}"), ("", {}, "{}"), ('"{\\"b\\": 1, \\"a\\": 2}"', {"a": 2, "b": 1}, '{"b": 1, "a": 2}')],
    )
    def test_arguments_in_another_form_are_sent_as_an_object(self, raw: str, arguments: Any, sent: str) -> None:
        odd = turn("assistant", ToolCall(id="c", name="f", raw_arguments=raw, arguments=arguments, is_complete=True))
        assert history(CHAT, odd)[0]["tool_calls"][0]["function"]["arguments"] == sent
        assert history(RESPONSES, odd)[0]["arguments"] == sent
        assert history(MESSAGES, odd)[0]["content"][0]["input"] == arguments

    def test_free_text_input_becomes_an_object(self) -> None:
        free = turn(
            "assistant",
            ToolCall(id="c", name="run", raw_arguments="ls -l", is_json=False, is_complete=True),
        )
        assert history(CHAT, free)[0]["tool_calls"][0]["function"]["arguments"] == '{"input":"ls -l"}'
        assert history(MESSAGES, free)[0]["content"][0]["input"] == {"input": "ls -l"}

    def test_chat_returns_what_a_call_was_signed_with(self) -> None:
        signature = {"google": {"thought_signature": "abc"}}
        signed = msgspec.structs.replace(call(1), raw={"extra_content": signature})
        assert history(CHAT, turn("assistant", signed))[0]["tool_calls"][0]["extra_content"] == signature

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_what_the_provider_ran_itself_is_left_out(self, dialect: str) -> None:
        parts = (
            ToolCall(id="s", name="web_search", is_provider_executed=True),
            ToolResult(call_id="s", output=[], is_provider_executed=True),
        )
        assert history(dialect, turn("assistant", *parts, "Found.")) == history(dialect, turn("assistant", "Found."))


class TestReasoning:
    signed = ReasoningPart(text="Hm.", signature="abc")
    redacted = ReasoningPart(raw={"type": "redacted_thinking", "data": "xyz"})
    item = ReasoningPart(text="Hm.", raw={"type": "reasoning", "id": "rs_1", "summary": []})
    encrypted = ReasoningPart(raw={"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "e"})
    plain = ReasoningPart(text="Hm.")

    def test_messages_gets_its_signatures_back(self) -> None:
        said = turn("assistant", self.signed, self.redacted, self.item, self.plain, "Yes.")
        assert history(MESSAGES, said)[0]["content"] == [
            {"type": "thinking", "thinking": "Hm.", "signature": "abc"},
            {"type": "redacted_thinking", "data": "xyz"},
            {"type": "text", "text": "Yes."},
        ]

    @pytest.mark.parametrize("thought", [signed, redacted])
    def test_messages_gets_no_thinking_that_nothing_follows(self, thought: ReasoningPart) -> None:
        assert history(MESSAGES, HELLO, turn("assistant", "Yes.", thought))[1]["content"] == [
            {"type": "text", "text": "Yes."}
        ]
        assert history(MESSAGES, HELLO, turn("assistant", thought), turn("user", "Well?")) == [
            {"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "Well?"}]}
        ]

    def test_responses_gets_its_items_back(self) -> None:
        said = turn("assistant", self.signed, self.redacted, self.item, self.plain, OWN)
        reasoning, message = history(RESPONSES, said)
        assert reasoning == self.item.raw
        assert (message["id"], message["status"]) == ("msg_1", "completed")
        assert message["content"][0]["text"] == "Yes."

    def test_responses_gets_no_reasoning_without_the_item_that_followed_it(self) -> None:
        said = turn("assistant", self.item, self.plain, "Yes.")
        assert history(RESPONSES, said) == [{"type": "message", "role": "assistant", "content": "Yes."}]

    def test_responses_gets_no_reasoning_that_nothing_follows(self) -> None:
        items = history(RESPONSES, HELLO, turn("assistant", "Yes.", self.item))
        assert [item["type"] for item in items] == ["message", "message"]

    def test_responses_without_storage_gets_only_what_is_encrypted(self) -> None:
        said = turn("assistant", self.item, self.encrypted, "Yes.")
        items = history(RESPONSES, said, extra={"store": False})
        assert [item.get("id") for item in items] == ["rs_2", None]

    def test_chat_gets_no_reasoning(self) -> None:
        said = turn("assistant", self.signed, self.redacted, self.item, self.plain, "Yes.")
        assert history(CHAT, said) == [{"role": "assistant", "content": "Yes."}]


class TestFiles:
    def test_images_are_sent_as_data(self) -> None:
        asked = turn("user", "What is it?", FilePart(media_type="image/png", url=PIXEL))
        assert history(CHAT, asked)[0]["content"] == [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": PIXEL}},
        ]
        assert history(RESPONSES, asked)[0]["content"][1] == {"type": "input_image", "image_url": PIXEL}
        source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
        assert history(MESSAGES, asked)[0]["content"][1] == {"type": "image", "source": source}

    def test_images_are_sent_by_address(self) -> None:
        url = "https://example.org/cat.png"
        asked = turn("user", FilePart(media_type="image/png", url=url))
        assert history(CHAT, asked)[0]["content"] == [{"type": "image_url", "image_url": {"url": url}}]
        assert history(RESPONSES, asked)[0]["content"] == [{"type": "input_image", "image_url": url}]
        assert history(MESSAGES, asked)[0]["content"] == [{"type": "image", "source": {"type": "url", "url": url}}]

    def test_documents_are_sent_as_data(self) -> None:
        url = "data:application/pdf;base64,JVBERg=="
        asked = turn("user", FilePart(media_type="application/pdf", url=url, filename="a.pdf"))
        file = {"filename": "a.pdf", "file_data": url}
        assert history(CHAT, asked)[0]["content"] == [{"type": "file", "file": file}]
        assert history(RESPONSES, asked)[0]["content"] == [{"type": "input_file", **file}]
        source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}
        assert history(MESSAGES, asked)[0]["content"] == [{"type": "document", "source": source}]

    @pytest.mark.parametrize("header", ["text/plain;base64", "text/plain;charset=utf-8"])
    def test_messages_reads_text_files_as_text(self, header: str) -> None:
        payload = b64encode("žluť".encode()).decode() if header.endswith("base64") else "%C5%BElu%C5%A5"
        asked = turn("user", FilePart(media_type="text/plain", url=f"data:{header},{payload}"))
        [document] = history(MESSAGES, asked)[0]["content"]
        assert document["source"] == {"type": "text", "media_type": "text/plain", "data": "žluť"}

    @pytest.mark.parametrize("media_type", ["text/csv", "application/json"])
    def test_other_dialects_have_text_files_as_text(self, media_type: str) -> None:
        notes = FilePart(media_type=media_type, url=f"data:{media_type};base64,MSwy", filename="a.txt")
        asked = turn("user", notes, "Add them.")
        worded = "[File a.txt]\n1,2\n[End of file]\n\n"
        assert history(CHAT, asked) == [{"role": "user", "content": f"{worded}Add them."}]
        assert history(RESPONSES, asked)[0]["content"][0] == {"type": "input_text", "text": worded}
        assert history(MESSAGES, asked)[0]["content"][0]["title"] == "a.txt"

    def test_chat_sends_audio(self) -> None:
        asked = turn("user", FilePart(media_type="audio/mpeg", url="data:audio/mpeg;base64,AAAA"))
        [audio] = history(CHAT, asked)[0]["content"]
        assert audio == {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}

    @pytest.mark.parametrize("dialect", DIALECTS)
    @pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "blob:x", ""])
    def test_other_addresses_are_left_out(self, dialect: str, url: str) -> None:
        asked = turn("user", "Look", FilePart(media_type="image/png", url=url))
        assert "Look" in str(history(dialect, asked))
        assert "image" not in str(history(dialect, asked))


class TestLeftOut:
    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_opaque_parts_and_empty_text(self, dialect: str) -> None:
        odd = turn("assistant", OpaquePart(raw={"type": "mystery"}), "", "Yes.")
        assert history(dialect, odd) == history(dialect, turn("assistant", "Yes."))

    @pytest.mark.parametrize("dialect", DIALECTS)
    @pytest.mark.parametrize("role", ["user", "assistant", "tool", "system"])
    def test_a_turn_without_content_leaves_no_message(self, dialect: str, role: Role) -> None:
        assert history(dialect, HELLO, turn(role), turn(role, "")) == history(dialect, HELLO)

    @pytest.mark.parametrize("dialect", DIALECTS)
    def test_a_refusal_is_sent_as_text(self, dialect: str) -> None:
        refused = turn("assistant", RefusalPart(text="I will not."))
        assert history(dialect, refused) == history(dialect, turn("assistant", "I will not."))


class TestRoles:
    def test_messages_merge_neighbours_of_one_role(self) -> None:
        messages = history(MESSAGES, turn("user", "One"), turn("user", "Two"))
        assert [block["text"] for block in messages[0]["content"]] == ["One", "Two"]

    def test_messages_lifts_system_turns_to_the_top(self) -> None:
        sent = body(MESSAGES, turn("system", "Also polite."), HELLO, system="Be brief.")
        assert sent["system"] == "Be brief.\n\nAlso polite."
        assert [message["role"] for message in sent["messages"]] == ["user"]

    @pytest.mark.parametrize("dialect", [CHAT, RESPONSES])
    def test_others_keep_system_turns_in_place(self, dialect: str) -> None:
        assert [item["role"] for item in history(dialect, HELLO, turn("system", "Polite."))] == [
            "user",
            "system",
        ]


def test_messages_is_told_of_failures_in_words() -> None:
    failed = ToolResult(call_id="call_1", output="", is_error=True)
    (result,) = history(MESSAGES, HELLO, turn("assistant", call()), turn("tool", failed))[-1]["content"]
    assert result["is_error"]
    assert result["content"]


def test_messages_takes_ids_of_other_vendors() -> None:
    ids = ["call:1", "call.1", "call_1"]
    calls = [ToolCall(id=id, name="f", arguments={}, is_complete=True) for id in ids]
    results = [ToolResult(call_id=id, output="x") for id in ids]
    said = history(MESSAGES, HELLO, turn("assistant", *calls), turn("tool", *results))
    used, told = ([block.get("id") or block["tool_use_id"] for block in turn["content"]] for turn in said[1:])
    assert used == told
    assert len(set(used)) == 3
    assert used[2] == "call_1"
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", id) for id in used)
