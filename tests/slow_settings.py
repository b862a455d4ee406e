"""The test site with an answer that is slow enough to be interrupted."""

from __future__ import annotations

from tests.entries import scripted_entry
from tests.settings import *  # noqa: F403

STREAMING_PROVIDERS = {"default": scripted_entry(text="tick tock " * 500, delay=0.05)}
