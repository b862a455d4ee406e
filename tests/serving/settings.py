"""The example site with scripted providers of several durations.

`SERVING_SETTINGS` is a JSON object of further settings.
"""

from __future__ import annotations

import json
import os

from project.settings import *  # noqa: F403
from tests.entries import scripted_entry

# 8 MB are more than a kernel buffers for one socket. Afterwards the answer stays open.
BIG_WORDS = 8000


STREAMING_PROVIDERS = {
    "default": scripted_entry(text="Hello from the script."),
    "brief": scripted_entry(text="word " * 20, delay=0.05),
    "endless": scripted_entry(text="word " * 40_000, delay=0.05),
    "silent": scripted_entry(text="one two three", hang_after=3),
    "pausing": scripted_entry(text="one two three", delay=0.4),
    "big": scripted_entry(text=("w" * 999 + " ") * BIG_WORDS, hang_after=BIG_WORDS + 1),
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
