"""Text on a terminal of a known width."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management.base import OutputWrapper

from streaming.management import terminal
from streaming.management.terminal import Screen, read_line, shortened, width_of

STORY = "The quick brown fox jumps over the lazy dog and runs away from the barking crowd."


class Console(io.StringIO):
    def isatty(self) -> bool:
        return True

    def write(self, text: str, style: Any = str, ending: str = "\n") -> int:  # type: ignore[override]
        """Writes as the streams of a command do."""
        return super().write(text if text.endswith(ending) else text + ending)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(terminal, "columns", lambda: 24)
    return Console()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_words_are_not_broken_however_the_text_arrives(console: Console, size: int) -> None:
    screen = Screen(console, console)
    for start in range(0, len(STORY), size):
        screen.text(STORY[start : start + size])
    screen.end_line()
    lines = console.getvalue().splitlines()
    assert max(map(len, lines)) <= 24
    assert len(lines) == 4
    assert " ".join(" ".join(lines).split()) == STORY


def test_wide_characters_count_twice_and_break_anywhere(console: Console) -> None:
    screen = Screen(console, console)
    screen.text("春眠不覺曉處處聞啼鳥夜來風雨聲花落知多少")
    screen.end_line()
    assert [width_of(line) for line in console.getvalue().splitlines()] == [24, 16]


def test_code_between_fences_is_not_wrapped(console: Console) -> None:
    code = "value = some_function(first, second, third)"
    screen = Screen(console, console)
    screen.text(f"```python\n{code}\n```\nAnd then some words more than fit.")
    screen.end_line()
    lines = console.getvalue().splitlines()
    assert code in lines
    assert lines[-2:] == ["And then some words more", "than fit."]


def test_nothing_has_the_colour_of_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    console = io.StringIO()
    monkeypatch.setattr(console, "isatty", lambda: True)
    stderr = OutputWrapper(console)
    stderr.style_func = lambda text: f"red {text}"
    screen = Screen(stderr, stderr)
    screen.text("Thoughts.")
    screen.note("[a call]")
    assert console.getvalue() == "Thoughts.\n[a call]\n"


def test_notes_begin_a_line_and_fit_one(console: Console) -> None:
    screen = Screen(console, console)
    screen.text("Let me look")
    screen.note("[search " + "x" * 100 + "]")
    first, second = console.getvalue().splitlines()
    assert first == "Let me look"
    assert len(second) == 23
    assert second.endswith("…")


def test_short_lines_are_left_alone() -> None:
    assert shortened("a\n  b", 10) == "a b"


HIDING = "Done.\x1b[2J\x1b]52;c;cm0gLXJm\x07\x9b1A\r\u202e gnp\tand\nmore"


def test_terminal_is_given_no_character_that_it_obeys(console: Console) -> None:
    screen = Screen(console, console)
    screen.text(HIDING)
    screen.note(HIDING)
    screen.note(HIDING.replace("\n", ""))
    written = console.getvalue()
    assert {char for char in written if not char.isprintable()} == {"\t", "\n"}
    assert "\N{REPLACEMENT CHARACTER}[2J" in written


def test_file_is_given_the_text_as_it_is() -> None:
    file = OutputWrapper(io.StringIO())
    screen = Screen(file, file)
    screen.text(HIDING)
    screen.end_line()
    screen.note(HIDING)
    assert file._out.getvalue() == f"{HIDING}\n{HIDING}\n"


def test_prompt_is_shown_although_the_output_goes_to_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert read_line("May \x1b[8mthis be done? ") == "yes"
    assert capsys.readouterr() == ("", "May \N{REPLACEMENT CHARACTER}[8mthis be done? ")
