"""The app's settings. Each access reads `django.conf.settings`.

    from streaming.conf import settings
    settings.MAX_PROMPT_CHARS        # STREAMING_MAX_PROMPT_CHARS, or its default

Each setting is one entry of `Settings`: its kind (type and allowed values), its default and its meaning. The system
checks and docs/settings.md are made from these entries. Reading a setting does not validate it; `manage.py check` does.
"""

from __future__ import annotations

from streaming.conf.addresses import is_address
from streaming.conf.functions import function_at, imported
from streaming.conf.hints import install, suggest
from streaming.conf.numbers import AtLeastOne, Count, Seconds, SecondsOrZero
from streaming.conf.rules import SECONDS, Kind
from streaming.conf.setting import MAX_ALIAS_CHARS, PREFIX, ProviderConfig, Setting
from streaming.conf.settings import SETTINGS, Settings, settings

__all__ = [
    "MAX_ALIAS_CHARS",
    "PREFIX",
    "SECONDS",
    "SETTINGS",
    "AtLeastOne",
    "Count",
    "Kind",
    "ProviderConfig",
    "Seconds",
    "SecondsOrZero",
    "Setting",
    "Settings",
    "function_at",
    "imported",
    "install",
    "is_address",
    "settings",
    "suggest",
]
