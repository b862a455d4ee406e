"""The site that `benchmarks.serve` measures: this app, and two simple views to compare it with."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403

PROVIDER_URL = os.environ.get("BENCH_PROVIDER_URL", "http://127.0.0.1:9/v1")
ROOT_URLCONF = "benchmarks.serve_views"
STREAMING_PROVIDERS = {
    "default": {
        "BACKEND": "streaming.providers.openai.ChatCompletions",
        "OPTIONS": {"model": "bench", "api_key": "none", "base_url": PROVIDER_URL},
    }
}
# With DEBUG, Django times and keeps every SQL statement. No real site does that.
DEBUG = False
STREAMING_MAX_ACTIVE_PER_OWNER = STREAMING_MAX_ACTIVE_PER_PROCESS = 10_000
STREAMING_MAX_CONVERSATIONS_PER_VISITOR = None
