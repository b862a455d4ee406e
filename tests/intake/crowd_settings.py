"""The settings of `tests/intake/crowd.py`: answers that do not end, and small limits."""

from __future__ import annotations

from tests.entries import scripted_entry
from tests.settings import *  # noqa: F403

STREAMING_PROVIDERS = {"default": scripted_entry(text="ok", hang_after=0)}
STREAMING_MAX_ACTIVE_PER_OWNER = 3
STREAMING_MAX_FILE_BYTES_PER_OWNER = 350
