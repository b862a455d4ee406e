"""The providers that the example site offers."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.providers import providers_from


@pytest.mark.parametrize(
    ("env", "default"),
    [
        ({}, "local.LocalModel"),
        ({"OPENAI_API_KEY": "k"}, "openai.ChatCompletions"),
        ({"ANTHROPIC_API_KEY": "k"}, "anthropic.Messages"),
        ({"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}, "openai.ChatCompletions"),
        ({"OPENAI_API_KEY": "k", "STREAMING_PROVIDER": "openai-responses"}, "openai.Responses"),
        ({"OPENAI_API_KEY": "k", "STREAMING_PROVIDER": "scripted"}, "scripted.Scripted"),
        ({"STREAMING_PROVIDER": "anthropic"}, "anthropic.Messages"),
    ],
)
def test_the_default_provider_follows_the_environment(env: dict[str, str], default: str) -> None:
    assert providers_from(env)["default"]["BACKEND"] == f"streaming.providers.{default}"


def test_providers_with_a_key_or_an_address_are_offered() -> None:
    assert set(providers_from({})) == {"default", "local", "scripted"}
    named = providers_from({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_MODEL": "m"})
    assert set(named) == {"default", "local", "scripted", "openai-chat", "openai-responses"}
    assert named["openai-chat"]["OPTIONS"]["base_url"] == "http://127.0.0.1:1/v1"
    assert named["openai-chat"]["OPTIONS"]["model"] == "m"


def test_an_unknown_alias_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ImproperlyConfigured, match="'opnai', must be one of: openai-chat"):
        providers_from({"STREAMING_PROVIDER": "opnai"})
