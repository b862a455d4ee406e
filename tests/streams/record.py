"""Record the local model's streams anew: `python -m tests.streams.record`.

Writes `<dialect>/<case>.sse` beside this file: bodies as they came, byte for byte. `cut.sse` is `text.sse` without its
last third. Golden results of what changed have to be made anew too: `python -m tests.protocol.golden`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from streaming.protocol import GenerationRequest
from streaming.providers.local import LocalModel
from tests.local_model import DIALECTS, asked, weather_question

HERE = Path(__file__).parent


def _said(question: str, limit: int = 120) -> GenerationRequest:
    return GenerationRequest(turns=(asked(question),), temperature=0, max_output_tokens=limit)


CASES: dict[str, GenerationRequest] = {
    "text": _said("Write a haiku about rain."),
    "length": _said("Write a haiku about rain.", limit=8),
    "markdown": _said("Write a Python function that adds two numbers."),
    "unicode": _said("Write 'hello' in Chinese, Japanese and Korean."),
    "tool-call": weather_question(),
    "parallel-tool-calls": weather_question(is_parallel=True),
}


async def record(dialect: str) -> None:
    """All cases of one dialect."""
    model = LocalModel(dialect=dialect)
    folder = HERE / dialect
    folder.mkdir(exist_ok=True)
    for case, request in CASES.items():
        body = b"".join([chunk async for chunk in model.stream(request)])
        (folder / f"{case}.sse").write_bytes(body)
    text = (folder / "text.sse").read_bytes()
    (folder / "cut.sse").write_bytes(text[: len(text) * 2 // 3])
    await model.close()


async def main() -> None:
    """Every dialect."""
    for dialect in DIALECTS:
        await record(dialect)


if __name__ == "__main__":
    asyncio.run(main())
