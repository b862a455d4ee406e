"""The settings of `tests/intake/crowd.py`: answers that do not end, and small limits."""

from __future__ import annotations

from tests.settings import *  # noqa: F403

STREAMING_PROVIDERS = {
    "default": {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": {"text": "ok", "hang_after": 0}}
}
STREAMING_MAX_ACTIVE_PER_OWNER = 3
STREAMING_MAX_FILE_BYTES_PER_OWNER = 350
