"""The example site under a strict policy, with a scripted provider."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403
from project.settings import MIDDLEWARE, STREAMING_PROVIDERS

if not os.environ.get("STREAMING_PROVIDER"):
    STREAMING_PROVIDERS = {"default": {"BACKEND": "tests.browser.by_prompt.ByPrompt"}}
    STREAMING_TOOLS = [
        "tests.tools.send_mail",
        "tests.browser.by_prompt.get_weather",
        "tests.browser.by_prompt.look_around",
    ]
MIDDLEWARE = ["tests.browser.strict_csp.StrictCSP", *MIDDLEWARE]
# A process that was killed is noticed at once.
STREAMING_LEASE_SECONDS = 4
STREAMING_MAX_PROMPT_CHARS = 2000
# Answers that hang on purpose do not hold up the end of the server.
STREAMING_DRAIN_SECONDS = 0.5
