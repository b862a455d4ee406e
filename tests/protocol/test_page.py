"""The parser's page in the documentation: its programs run, and its tables agree with the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import httpx
import msgspec
import pytest

from streaming import protocol
from streaming.protocol import Leniency
from streaming.protocol.dialects.answer.call import MAX_ARGUMENTS_CHARS
from streaming.protocol.dialects.answer.writer import MAX_PARTS
from streaming.protocol.dialects.anthropic_messages.block_table import MAX_OPEN_BLOCKS
from streaming.protocol.dialects.openai_chat.choice_table import MAX_CHOICES
from streaming.protocol.lenient_sse import MAX_BODY_BYTES
from streaming.protocol.parser import MAX_STREAM_BYTES
from tests.protocol.wire import block, chunk, message, named, sse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "parser.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def program(word: str) -> str:
    (found,) = [text for text in PROGRAMS if word in text]
    return found


def test_the_program_with_httpx(monkeypatch, capsys):
    body = sse(chunk({"content": "Hi"}), chunk(finish="stop"), "[DONE]")
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=body))
    monkeypatch.setattr(httpx, "stream", httpx.Client(transport=transport).stream)
    exec(program("import httpx"), {"url": "http://model.example/", "body": {}, "headers": {}})
    assert capsys.readouterr().out == "Hifinished stop None\n"


def test_the_program_with_a_file(tmp_path, monkeypatch, capsys):
    body = named(*message(*block(0, {"type": "text", "text": "Hi"})))
    (tmp_path / "answer.sse").write_bytes(body)
    monkeypatch.chdir(tmp_path)
    exec(program("answer.sse"), {})
    assert capsys.readouterr().out == "Hi\n"


def test_the_program_with_the_scanner(capsys):
    exec(program("JSONScanner"), {})
    assert "print(" in capsys.readouterr().out


@pytest.mark.parametrize("text", PROGRAMS)
def test_every_program_parses(text):
    compile(text, "docs", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_options_are_all_of_them_with_their_defaults():
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+?)`? \|", PAGE.partition("## Options")[2], re.M))
    defaults = {field.name: field.default for field in msgspec.structs.fields(Leniency)}
    shown = {name: str(value) if isinstance(value, bool) else f"{value >> 20} MiB" for name, value in defaults.items()}
    assert rows == {"split_think_tags": "False", "choices": "None", "tools": "None"} | shown


def test_events_are_all_of_them():
    section = PAGE.partition("## Events")[2].partition("`part` counts")[0]
    events = {cls.__name__ for cls in protocol.Event.__subclasses__()}
    assert set(re.findall(r"`(\w+)\(", section)) == events


def test_limits_are_those_of_the_code():
    rows = dict(
        re.findall(r"^\| ([^|]+?) \| ([\d,]+)[^|]* \|", PAGE.partition("## Limits")[2].partition("## ")[0], re.M)
    )
    assert {name: int(bound.replace(",", "")) for name, bound in rows.items()} == {
        "a line, an event": Leniency().max_line_bytes >> 20,
        "the stream": MAX_STREAM_BYTES >> 20,
        "parts, open calls, places for parts": MAX_PARTS,
        "alternatives (`n`)": MAX_CHOICES,
        "arguments of one call": MAX_ARGUMENTS_CHARS >> 20,
        "a body that is no stream": MAX_BODY_BYTES >> 10,
        "blocks of an Anthropic message open at once": MAX_OPEN_BLOCKS,
    }
