"""The system checks: what each one reports and what it lets pass."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, run_checks
from django.test import override_settings

from streaming.checks import TAG

SCRIPTED = {"BACKEND": "streaming.providers.scripted.Scripted"}


def messages(*, deploy: bool = False, **overrides: Any) -> list[CheckMessage]:
    """The messages for the tests' own settings with `overrides`. With `deploy`, the site has its visitors sign in."""
    defaults = {"STREAMING_ALLOW_ANONYMOUS": False} if deploy else {}
    with override_settings(**defaults | overrides):
        return run_checks(tags=[TAG], include_deployment_checks=deploy)
