"""Checks the `STREAMING_*` settings: known names, allowed values, and a lease that is long enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from streaming.conf import PREFIX, SETTINGS, settings, suggest

MIN_TICKS_A_LEASE = 5
"""The lease is renewed once a tick. With fewer ticks, a few slow writes make a live generation count as interrupted."""


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Checks all settings. The lease is checked only if every value is allowed."""
    wrong = list(_wrong_values())
    return [*_unknown_names(), *wrong, *([] if wrong else _short_lease())]


def _unknown_names() -> Iterator[CheckMessage]:
    names = [name.removeprefix(PREFIX) for name in dir(django_settings) if name.startswith(PREFIX)]
    for name in names:
        if name not in SETTINGS:
            text = f"There is no setting {PREFIX}{name}."
            yield Warning(text, hint=suggest(name, SETTINGS, PREFIX), id="streaming.W011")


def _wrong_values() -> Iterator[CheckMessage]:
    for setting in SETTINGS.values():
        value = getattr(django_settings, setting.name, setting.default)
        if not setting.kind.allows(value):
            given = f"of type {type(value).__name__}" if setting.kind.is_secret else repr(value)
            text = f"{setting.name} must be {setting.kind.wanted}, not {given}."
            yield Error(text, hint="Correct it, or remove it to get the default.", id="streaming.E012")


def _short_lease() -> Iterator[CheckMessage]:
    if settings.LEASE_SECONDS < MIN_TICKS_A_LEASE * settings.TICK_SECONDS:
        yield Error(
            f"STREAMING_LEASE_SECONDS ({settings.LEASE_SECONDS:g}) is too short for "
            f"STREAMING_TICK_SECONDS ({settings.TICK_SECONDS:g}): live answers would count as interrupted.",
            hint=f"Make the lease at least {MIN_TICKS_A_LEASE} ticks long.",
            id="streaming.E013",
        )
