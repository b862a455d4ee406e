"""Golden results: the transcript of each recording in `tests/streams/`, stored beside the recording as JSON.

`python -m tests.protocol.golden` writes the missing ones. Read them before you commit them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from streaming.protocol import Transcript, dump_parts
from tests.protocol.wire import fold, parse

STREAMS = Path(__file__).resolve().parent.parent / "streams"


def recordings() -> list[Path]:
    return sorted(STREAMS.glob("*/*.sse"))


def summary(transcript: Transcript) -> dict[str, Any]:
    return {
        "outcome": transcript.outcome,
        "finish_reason": transcript.finish_reason,
        "raw_finish_reason": transcript.raw_finish_reason,
        "error": msgspec.to_builtins(transcript.error),
        "usage": msgspec.to_builtins(transcript.usage),
        "parts": dump_parts(transcript.parts),
    }


def summary_of(path: Path) -> dict[str, Any]:
    return summary(fold(parse(path.parent.name, [path.read_bytes()])))


def main() -> None:
    for path in recordings():
        golden = path.with_suffix(".json")
        if not golden.exists():
            golden.write_text(json.dumps(summary_of(path), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
