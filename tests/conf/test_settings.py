"""The settings: each access reads Django's settings, converts the value, and falls back to the default."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.conf import PREFIX, SETTINGS, Settings, settings


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_an_allowed_default_and_a_meaning(name: str) -> None:
    setting = SETTINGS[name]
    assert setting.name == PREFIX + name
    assert setting.kind.allows(setting.default)
    assert setting.meaning.endswith(".")


def test_each_access_reads_the_site_and_converts(settings: Any) -> None:
    settings.STREAMING_FILE_TYPES = ["image/png"]
    assert _settings().FILE_TYPES == ("image/png",)
    settings.STREAMING_FILE_TYPES = []
    assert _settings().FILE_TYPES == ()
    del settings.STREAMING_FILE_TYPES
    default = Settings.FILE_TYPES.default
    assert default == _settings().FILE_TYPES


def _settings() -> Settings:
    """Returns the app's settings, whose name the fixture hides."""
    return settings


@pytest.mark.parametrize(
    ("name", "value", "is_allowed"),
    [
        ("MAX_STEPS", 2, True),
        ("MAX_STEPS", 1, False),
        ("MAX_STEPS", 2.0, False),
        ("MAX_STEPS", True, False),
        ("TICK_SECONDS", 0, False),
        ("TICK_SECONDS", float("inf"), False),
        ("DRAIN_SECONDS", 0, True),
        ("ABANDON_AFTER", None, True),
        ("ALLOW_ANONYMOUS", 1, False),
        ("FILE_TYPES", ["image/*"], False),
        ("FILE_TYPES", "image/png", False),
    ],
)
def test_kinds_allow_only_values_that_work(name: str, value: Any, is_allowed: bool) -> None:
    assert SETTINGS[name].kind.allows(value) is is_allowed
