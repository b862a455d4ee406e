"""The example site as it is deployed, with a peer of the tests as its provider.

`FAULT_SETTINGS` is a JSON object of further settings.
"""

from __future__ import annotations

import json
import os

from project.settings import *  # noqa: F403

DEBUG = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
STREAMING_ALLOW_ANONYMOUS = True
PROVIDER_URL = os.environ.get("FAULT_PROVIDER", "http://127.0.0.1:9")
STREAMING_PROVIDERS = {
    "default": {
        "BACKEND": "streaming.providers.openai.ChatCompletions",
        "OPTIONS": {"model": "oracle", "api_key": "sk-CANARY-0123456789abcdef", "base_url": f"{PROVIDER_URL}/v1"},
    },
}
STREAMING_HEARTBEAT_SECONDS = 1
STREAMING_MAX_STREAMS_PER_OWNER = 10_000
STREAMING_MAX_ACTIVE_PER_OWNER = 10_000
STREAMING_MAX_CONVERSATIONS_PER_VISITOR = None
# After a crash, lease and sweep take 15 seconds by default, and a third of that here.
STREAMING_LEASE_SECONDS = 3
STREAMING_SWEEP_SECONDS = 2
STREAMING_DRAIN_SECONDS = 1
# Each test breaks the provider that all tests share. The next one must not find its breaker open.
STREAMING_BREAKER_FAILURES = None
globals().update(json.loads(os.environ.get("FAULT_SETTINGS", "{}")))
if pool := os.environ.get("FAULT_POOL"):
    DATABASES["default"]["OPTIONS"]["pool"] = json.loads(pool)  # noqa: F405
