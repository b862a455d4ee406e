"""The example site with a strict Content Security Policy and a scripted provider."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403
from project.settings import MIDDLEWARE, STREAMING_PROVIDERS

if not os.environ.get("STREAMING_PROVIDER"):
    BY_PROMPT = {"BACKEND": "tests.browser.by_prompt.ByPrompt"}
    STREAMING_PROVIDERS = {
        "default": {**BY_PROMPT, "LABEL": "Quick"},
        "thorough": {
            **BY_PROMPT,
            "LABEL": "Thorough",
            "OPTIONS": {"model": "by-prompt-2"},
            "CONTEXT": {"policy": "summary"},
        },
    }
    STREAMING_SUGGESTIONS = ["words for me", "What happens if I close the tab?"]
    STREAMING_SHOW_USAGE = True
    STREAMING_TITLES = "default"
    STREAMING_TOOLS = [
        "tests.sample_tools.send_mail",
        "tests.browser.by_prompt.get_weather",
        "tests.browser.by_prompt.look_around",
        "tests.browser.by_prompt.look_up",
    ]
STREAMING_SHARES = True
MIDDLEWARE = ["tests.browser.strict_csp.StrictCSP", *MIDDLEWARE]
# A killed process is noticed after a few seconds.
STREAMING_LEASE_SECONDS = 4
STREAMING_MAX_PROMPT_CHARS = 2000
# Some answers hang on purpose. The server must not wait for them at its end.
STREAMING_DRAIN_SECONDS = 0.5
