"""`manage.py parse_stream`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError

from streaming.management.recorded import Recording, dialect_of
from streaming.protocol.dialects import DIALECTS
from tests.management.commands import result_of, run

STREAMS = Path(__file__).resolve().parents[1] / "streams"


def recording(dialect: str, name: str = "text") -> str:
    return str(STREAMS / dialect / f"{name}.sse")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_result_has_the_events_the_text_and_a_verdict(dialect: str) -> None:
    golden = json.loads((STREAMS / dialect / "text.json").read_text())
    result = result_of("parse_stream", recording(dialect))
    assert (result["verdict"], result["dialect"]) == ("finished", dialect)
    assert result["text"]
    assert result["text"] in json.dumps(golden, ensure_ascii=False).replace("\\n", "\n")
    assert result["events"][-1]["event"] == "Finished"
    assert "".join(event["text"] for event in result["events"] if event["event"] == "TextDelta") == result["text"]


def test_events_are_printed_line_by_line_and_the_verdict_beside() -> None:
    out, err = run("parse_stream", recording("openai-chat"))
    assert out.startswith("Started(")
    assert out.splitlines()[-1].startswith("Finished(")
    assert err.startswith("The stream is complete: stop. [finished, openai-chat, ")


def test_text_alone_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(recording("openai-chat")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    out, _ = run("parse_stream", "--text")
    assert out == result_of("parse_stream", recording("openai-chat"))["text"] + "\n"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("before", [b"", b": ping\n\n"])
def test_dialect_is_found_however_the_bytes_come(dialect: str, before: bytes) -> None:
    """Standard input may be a stream that is being written."""

    class Pipe(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return self.read(7)

    recorded = Recording(Pipe(before + Path(recording(dialect)).read_bytes()))
    assert recorded.dialect == dialect
    list(recorded)
    assert recorded.transcript.outcome == "finished"


def test_cut_stream_fails() -> None:
    with pytest.raises(CommandError, match="The answer is not complete"):
        run("parse_stream", recording("openai-chat", "cut"))


def test_failed_stream_says_why(tmp_path: Path) -> None:
    file = tmp_path / "failed.sse"
    file.write_text('data: {"error": {"message": "Slow down", "type": "rate_limit_error"}}\n\n')
    with pytest.raises(CommandError, match="The stream failed: rate_limit_error Slow down"):
        run("parse_stream", str(file), "--verbosity", "0")


def test_dialect_may_be_named() -> None:
    with pytest.raises(CommandError):
        run("parse_stream", recording("openai-chat"), "--dialect", "anthropic-messages")
    with pytest.raises(CommandError, match="invalid choice: 'openai'"):
        run("parse_stream", recording("openai-chat"), "--dialect", "openai")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialect_of_every_recording_is_found(dialect: str) -> None:
    for path in (STREAMS / dialect).glob("*.sse"):
        assert dialect_of(path.read_bytes()) == dialect, path.name
