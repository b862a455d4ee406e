"""The site of which `docs.pictures` takes pictures."""

from __future__ import annotations

from tests.browser.settings import *  # noqa: F403

SAMPLES = {"BACKEND": "docs.pictures_provider.Samples"}
STREAMING_PROVIDERS = {"default": {**SAMPLES, "LABEL": "Quick"}, "thorough": {**SAMPLES, "LABEL": "Thorough"}}
STREAMING_SUGGESTIONS = ["How do I stream from Django?", "Which city is larger, Rome or Oslo?"]
