"""The example site with scripted providers of several durations.

`SERVING_SETTINGS` is a JSON object of further settings.
"""

from __future__ import annotations

import json
import os
from typing import Any

from project.settings import *  # noqa: F403

# 8 MB are more than a kernel buffers for one socket. Afterwards the answer stays open.
BIG_WORDS = 8000


def _scripted(**options: Any) -> dict[str, Any]:
    return {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": options}


STREAMING_PROVIDERS = {
    "default": _scripted(text="Hello from the script."),
    "brief": _scripted(text="word " * 20, delay=0.05),
    "endless": _scripted(text="word " * 40_000, delay=0.05),
    "silent": _scripted(text="one two three", hang_after=3),
    "pausing": _scripted(text="one two three", delay=0.4),
    "big": _scripted(text=("w" * 999 + " ") * BIG_WORDS, hang_after=BIG_WORDS + 1),
}
STREAMING_HEARTBEAT_SECONDS = 0.5
STREAMING_TICK_SECONDS = 0.1
STREAMING_POLL_SECONDS = 0.1
STREAMING_MAX_STREAMS_PER_OWNER = 10_000
STREAMING_MAX_ACTIVE_PER_OWNER = 1000
STREAMING_MAX_CONVERSATIONS_PER_VISITOR = None
# Most tests end while an answer is still running.
STREAMING_DRAIN_SECONDS = 0.1
globals().update(json.loads(os.environ.get("SERVING_SETTINGS", "{}")))
if extra := globals().get("EXTRA_MIDDLEWARE"):
    MIDDLEWARE = [*extra, *MIDDLEWARE]  # noqa: F405
if "DATABASE_POOL" in globals():
    DATABASES["default"]["OPTIONS"]["pool"] = globals()["DATABASE_POOL"]  # noqa: F405
