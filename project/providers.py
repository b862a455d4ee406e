"""Makes `STREAMING_PROVIDERS` from the environment: the aliases that the site has, and the default one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# alias -> (backend, prefix of its variables, default model)
REMOTE = {
    "openai-chat": ("streaming.providers.openai.ChatCompletions", "OPENAI_", "gpt-5-mini"),
    "openai-responses": ("streaming.providers.openai.Responses", "OPENAI_", "gpt-5-mini"),
    "anthropic": ("streaming.providers.anthropic.Messages", "ANTHROPIC_", "claude-sonnet-4-6"),
}
KEYLESS: dict[str, dict[str, Any]] = {
    "local": {"BACKEND": "streaming.providers.local.LocalModel"},
    "scripted": {"BACKEND": "streaming.providers.scripted.Scripted", "OPTIONS": {"delay": 0.03}},
}


def providers_from(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The aliases with a key or a base URL in the environment, the aliases that need no key, and `default`.

    `local` is left out if its engine is not installed and another provider is chosen.

    Raises:
        ImproperlyConfigured: STREAMING_PROVIDER names no alias.
    """
    chosen = _chosen(env)
    offered = {alias: _remote(alias, env) for alias in REMOTE if alias == chosen or _is_configured(alias, env)}
    aliases = offered | KEYLESS
    if chosen != "local" and find_spec("xllamacpp") is None:
        del aliases["local"]
    return {"default": aliases[chosen]} | aliases


def _chosen(env: Mapping[str, str]) -> str:
    named = env.get("STREAMING_PROVIDER", "")
    if named and named not in REMOTE | KEYLESS:
        known = ", ".join([*REMOTE, *KEYLESS])
        raise ImproperlyConfigured(f"STREAMING_PROVIDER is {named!r}, must be one of: {known}.")
    return named or next((alias for alias in REMOTE if env.get(REMOTE[alias][1] + "API_KEY")), "local")


def _is_configured(alias: str, env: Mapping[str, str]) -> bool:
    prefix = REMOTE[alias][1]
    return bool(env.get(prefix + "API_KEY") or env.get(prefix + "BASE_URL"))


def _remote(alias: str, env: Mapping[str, str]) -> dict[str, Any]:
    backend, prefix, model = REMOTE[alias]
    options = {"model": env.get(prefix + "MODEL") or model, "api_key": env.get(prefix + "API_KEY", "")}
    if base_url := env.get(prefix + "BASE_URL"):
        options["base_url"] = base_url
    return {"BACKEND": backend, "OPTIONS": options}
