"""The site that `benchmarks.serve` measures: this app, and what it is compared with."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403

PROVIDER_URL = os.environ.get("BENCH_PROVIDER_URL", "http://127.0.0.1:9/v1")
TOKENS = (5, 50, 200, 1000)
ROOT_URLCONF = os.environ.get("BENCH_URLS", "benchmarks.serve_views")


def _provider(tokens: int) -> dict[str, object]:
    return {
        "BACKEND": "streaming.providers.openai.ChatCompletions",
        "OPTIONS": {"model": f"tokens-{tokens}", "api_key": "none", "base_url": PROVIDER_URL},
    }


STREAMING_PROVIDERS = {"default": _provider(TOKENS[0])} | {f"tokens-{tokens}": _provider(tokens) for tokens in TOKENS}
# With DEBUG, Django times and keeps every SQL statement. No real site does that.
DEBUG = False
STREAMING_ALLOW_ANONYMOUS = True
STREAMING_MAX_ACTIVE_PER_OWNER = STREAMING_MAX_STREAMS_PER_OWNER = STREAMING_MAX_ACTIVE_PER_PROCESS = 10_000
STREAMING_MAX_CONVERSATIONS_PER_VISITOR = None
