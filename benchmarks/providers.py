"""Compares the providers on the vendors' SDKs with those on plain aiohttp: python -m benchmarks.providers

For each, a process of its own imports what the first answer needs, and then asks a local server for short answers one
after the other. The table has the import's CPU time and memory, and the CPU time of one answer with one token.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.provider import provider

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = (
    "streaming.providers.openai.ChatCompletions",
    "streaming.providers.http.ChatCompletions",
    "streaming.providers.openai.Responses",
    "streaming.providers.http.Responses",
    "streaming.providers.anthropic.Messages",
    "streaming.providers.http.Messages",
)
ANSWERS, WARM_UP, ROUNDS = 300, 50, 3


def measure(backend: str, base_url: str) -> dict[str, float]:
    """Measures a backend in this process, which has imported only Django and the app before."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.utils.module_loading import import_string

    kind = import_string(backend)
    options = {"model": "tokens-1", "api_key": "sk-benchmark", "base_url": base_url}
    before, memory = time.process_time(), _memory()
    kind.load(options)
    imported, grown = time.process_time() - before, _memory() - memory
    return {"import_ms": imported * 1e3, "import_mb": grown, "answer_ms": asyncio.run(_ask(kind(**options))) * 1e3}


async def _ask(asked: object) -> float:
    """The CPU time of one answer, in seconds: the least of some rounds, because other processes disturb."""
    from streaming.protocol import GenerationRequest, TextPart, Turn

    request = GenerationRequest(turns=(Turn(role="user", parts=(TextPart(text="Hello"),)),))

    async def answers(number: int) -> float:
        began = time.process_time()
        for _ in range(number):
            async for _ in asked.stream(request):  # type: ignore[attr-defined]
                pass
        return (time.process_time() - began) / number

    await answers(WARM_UP)
    fastest = min([await answers(ANSWERS // ROUNDS) for _ in range(ROUNDS)])
    await asked.close()  # type: ignore[attr-defined]
    return fastest


def _memory() -> float:
    """The most memory that the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    print(f"{'backend':46} {'import':>10} {'memory':>9} {'an answer':>11}")
    with provider(rate=1e9) as base_url:
        for backend in BACKENDS:
            command = [sys.executable, "-m", "benchmarks.providers", backend, base_url]
            told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
            print(
                "{:46} {import_ms:7.0f} ms {import_mb:6.1f} MB {answer_ms:8.2f} ms".format(backend, **told), flush=True
            )


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure(*sys.argv[1:])))
    else:
        main()
