"""The example site with object endpoints, with all providers of the live tests, and with short intervals.

`LIVE_PEER_URL` is the address of the scripted peer. `LIVE_SETTINGS` is a JSON object of further settings.
"""

from __future__ import annotations

import json
import os

from project.settings import *  # noqa: F403
from tests.live.providers import TOOLS, providers

STREAMING_PROVIDERS = providers(os.environ.get("LIVE_PEER_URL", "http://127.0.0.1:9"))
STREAMING_TOOLS = [f"tests.sample_tools.{name}" for name in TOOLS]
ROOT_URLCONF = "tests.live.urls"
STREAMING_HEARTBEAT_SECONDS = 0.3
STREAMING_TICK_SECONDS = 0.1
STREAMING_POLL_SECONDS = 0.05
STREAMING_PROVIDER_RETRIES = 0
# Each test breaks the provider that all tests share. The next one must not find its breaker open.
STREAMING_BREAKER_FAILURES = None
globals().update(json.loads(os.environ.get("LIVE_SETTINGS", "{}")))
