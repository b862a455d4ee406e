"""`manage.py chat`."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from streaming.models import Conversation, Generation
from tests import sample_tools as tools
from tests.engine import Script
from tests.stepwise import WEATHER, says

pytestmark = pytest.mark.django_db(transaction=True)


def ask(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("chat", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_chat_prints_the_answer_and_how_to_go_on() -> None:
    out, err = ask("Hi")
    assert out == "Hello from the script.\n"
    assert "finished" in err
    key = re.search(r"--conversation (\S+)\]", err)
    assert key is not None
    ask("And then?", "--conversation", key[1])
    assert Conversation.objects.get().messages.count() == 4


def test_chat_reads_the_question_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("What is in this file?"))
    ask()
    assert Conversation.objects.get().title == "What is in this file?"


def test_json_is_one_object_on_standard_output(settings: Any) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    says(settings, ("Let me look. ", (WEATHER,)), ("It rains.", ()))
    out, err = ask("Weather?", "--json", "-v", "2")
    answer = json.loads(out)
    assert (answer["status"], answer["finish_reason"], err) == ("finished", "stop", "")
    assert answer["text"].endswith("It rains.")
    assert answer["usage"]["output_tokens"] > 0
    assert answer["conversation_key"] == Conversation.objects.get().key
    [call] = answer["tool_calls"]
    assert (call["name"], call["arguments"], call["is_asked"]) == ("get_weather", {"city": "Oslo"}, False)


def test_json_tells_a_failure_and_the_command_fails(scripted: Script) -> None:
    scripted(text="one two three", error="overloaded", fail_after=3)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("chat", "Hi", "--json", stdout=out, stderr=io.StringIO())
    assert json.loads(out.getvalue())["status"] == "failed"


def test_conversation_belongs_to_the_named_user() -> None:
    user = get_user_model().objects.create_user("ada")
    ask("Hi", "--user", "ada")
    assert Conversation.objects.get().user == user


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Hi", "--user", "nobody"], "no user 'nobody'"),
        (["Hi", "--conversation", "nope"], "no conversation 'nope'"),
        (["Hi", "--provider", "opnai"], "Unknown provider 'opnai'"),
        ([" "], "empty"),
        ([""], "empty"),
    ],
)
def test_chat_says_what_is_wrong(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        ask(*arguments)
    assert not Generation.objects.exists()


def test_chat_that_fails_keeps_the_partial_and_exits_with_an_error(scripted: Script) -> None:
    scripted(text="one two three", error="overloaded", fail_after=3)
    with pytest.raises(CommandError, match="busy"):
        ask("Hi")
    assert Generation.objects.get().message.text.startswith("one")


class Closed(io.StringIO):
    """A pipe whose reader goes after the first word."""

    def write(self, text: str) -> int:
        if self.getvalue():
            raise BrokenPipeError
        return super().write(text)


def test_answer_is_stored_although_nobody_reads_its_output(scripted: Script) -> None:
    scripted(text="one two three", delay=0.02)
    with pytest.raises(BrokenPipeError):
        call_command("chat", "Hi", stdout=Closed(), stderr=io.StringIO())
    generation = Generation.objects.get()
    assert (generation.status, generation.message.text) == ("finished", "one two three")


MAIL = {"name": "send_mail", "arguments": {"to": "me", "body": "Hello there"}}


@pytest.fixture
def mailing(settings: Any, scripted: Script) -> None:
    """A model that wants to send a mail."""
    settings.STREAMING_TOOLS = ["tests.sample_tools.send_mail"]
    scripted(text="So be it. ", tool_calls=[MAIL])
    tools.CALLS.clear()


@pytest.mark.usefixtures("mailing")
@pytest.mark.parametrize(("typed", "shown", "calls"), [("y", "[send_mail → sent]", 1), ("", "[send_mail refused]", 0)])
def test_chat_asks_before_a_call_that_needs_it(
    monkeypatch: pytest.MonkeyPatch, typed: str, shown: str, calls: int
) -> None:
    questions: list[str] = []
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or typed)
    out, err = ask("Write to me")
    assert questions == ['May send_mail be called with {"to":"me","body":"Hello there"}? [y/N] ']
    assert shown in err
    assert '[send_mail {"to": "me", "body": "Hello there"}]' in err
    assert (out, len(tools.CALLS)) == ("So be it. \nSo be it. \n", calls)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("mailing")
@pytest.mark.parametrize("leaves", [EOFError, KeyboardInterrupt])
def test_person_who_leaves_at_a_question_leaves_it_open(
    monkeypatch: pytest.MonkeyPatch, leaves: type[BaseException]
) -> None:
    def leave(prompt: str) -> str:
        raise leaves

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", leave)
    _, err = ask("Write to me")
    *_, line_of_the_question, last = err.splitlines()
    assert line_of_the_question == ""
    assert "calls that wait for an approval: 1;" in last
    assert tools.CALLS == []


@pytest.mark.usefixtures("mailing")
def test_chat_without_a_terminal_leaves_the_question_open() -> None:
    _, err = ask("Write to me")
    assert "calls that wait for an approval: 1;" in err
    assert tools.CALLS == []


@pytest.mark.usefixtures("mailing")
def test_tool_calls_are_on_lines_of_their_own_between_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    both = io.StringIO()
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda question: "y")
    call_command("chat", "Write to me", stdout=both, stderr=both)
    lines = [line.strip() for line in both.getvalue().splitlines()]
    assert lines[:4] == [
        "So be it.",
        '[send_mail {"to": "me", "body": "Hello there"}]',
        "[send_mail → sent]",
        "So be it.",
    ]


def person_types(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A person at a terminal, who types these lines and then ends the input."""
    typed = iter(lines)

    def read_line(prompt: str) -> str:
        for line in typed:
            return line
        raise EOFError

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", read_line)


def test_dialogue_asks_again_until_the_input_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    person_types(monkeypatch, "First question", "", "Second question")
    out, err = ask()
    conversation = Conversation.objects.get()
    assert out == "Hello from the script.\n" * 2
    assert conversation.messages.count() == 4
    assert f"--conversation {conversation.key}" in err


def test_dialogue_survives_a_refused_question(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.STREAMING_MAX_PROMPT_CHARS = 10
    person_types(monkeypatch, "much too long", "short")
    out, err = ask()
    assert "10" in err
    assert out == "Hello from the script.\n"


def test_newest_conversation_can_be_continued() -> None:
    with pytest.raises(CommandError, match="no conversation yet"):
        ask("Hi", "--continue")
    ask("Hi")
    ask("And then?", "--continue")
    assert Conversation.objects.get().messages.count() == 4


def test_staff_see_details_with_more_verbosity() -> None:
    _, plain = ask("Hi")
    _, detailed = ask("Hi", "-v", "2")
    assert "provider: default" in detailed
    assert "attempts: 1" in detailed
    assert "attempts" not in plain
