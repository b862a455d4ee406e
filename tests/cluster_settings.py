"""The example site as a cluster runs it: as it is deployed, but open to visitors of this machine."""

from __future__ import annotations

import os

from project.settings import *  # noqa: F403

DEBUG = False
STREAMING_ALLOW_ANONYMOUS = True
STATIC_ROOT = os.environ.get("STATIC_ROOT", "staticfiles")
