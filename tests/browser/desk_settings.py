"""The browser tests' site without its Content Security Policy, which Django's own admin does not keep to."""

from __future__ import annotations

from tests.browser.settings import *  # noqa: F403
from tests.browser.settings import MIDDLEWARE

MIDDLEWARE = [name for name in MIDDLEWARE if "StrictCSP" not in name]
