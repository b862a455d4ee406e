"""The example site with the examples of the documentation. The environment variable `EXAMPLES` is their directory."""

from __future__ import annotations

import os
from pathlib import Path

from project.settings import *  # noqa: F403

STREAMING_PROVIDERS = {"default": {"BACKEND": "tests.browser.by_prompt.ByPrompt"}}
STREAMING_TOOLS = ["tests.sample_tools.send_mail", "tests.browser.by_prompt.get_weather"]
STREAMING_PROVIDER_RETRIES = 0
# Each test breaks the provider that all tests share. The next one must not find its breaker open.
STREAMING_BREAKER_FAILURES = None
STREAMING_DRAIN_SECONDS = 0.5
# Without `EXAMPLES` this is the plain example site. That is the case while the test database is made.
if directory := os.environ.get("EXAMPLES"):
    BASE_DIR = Path(directory)
    ROOT_URLCONF = "tests.browser.examples.urls"
    exec((BASE_DIR / "mysite/settings.py").read_text())
