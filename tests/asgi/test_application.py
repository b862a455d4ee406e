"""`StreamingApplication` and its effects on the process that it runs in."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from typing import Any

import pytest

from streaming.asgi import StreamingApplication
from streaming.asgi.application import GC_THRESHOLD
from streaming.database import health
from tests.engine import forget_database_trouble

pytestmark = pytest.mark.usefixtures("engine")


async def test_server_that_starts_does_not_reap_yet() -> None:
    async def nothing(*args: Any) -> None: ...

    forget_database_trouble()
    assert health.has_been_good_for(5)
    StreamingApplication(nothing)
    assert not health.has_been_good_for(5)


@pytest.mark.parametrize(
    ("given", "then"),
    [((700, 10, 10), GC_THRESHOLD), ((0, 10, 10), (0, 10, 10)), ((50_000, 5, 5), (50_000, 5, 5))],
    ids=["default", "switched off", "higher"],
)
def test_garbage_collector_runs_less_often(given: tuple[int, int, int], then: tuple[int, int, int]) -> None:
    async def nothing(*args: Any) -> None: ...

    before = gc.get_threshold()
    gc.unfreeze()
    try:
        gc.set_threshold(*given)
        StreamingApplication(nothing)
        assert gc.get_threshold() == then
        assert bool(gc.get_freeze_count()) == (given != then), "what is loaded is not examined again"
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def test_server_that_starts_imports_the_urls_and_survives_broken_ones(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def nothing(*args: Any) -> None: ...

    settings.ROOT_URLCONF = "tests.no_such_urls"
    StreamingApplication(nothing)
    assert "URLs could not be loaded (ModuleNotFoundError)" in caplog.text


SDKS = ("openai", "anthropic", "httpx2", "aiohttp")
START = """
import json, sys
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "streaming"],
    ROOT_URLCONF="streaming.urls",
    STREAMING_PROVIDERS={"default": {"BACKEND": sys.argv[1], "OPTIONS": {"model": "m", "api_key": "k"}}})
django.setup()
before = set(sys.modules)
from streaming.asgi import StreamingApplication
StreamingApplication(None)
print(json.dumps([sorted(before), sorted(sys.modules)]))
"""


@pytest.mark.parametrize(
    ("backend", "modules"),
    [
        ("streaming.providers.openai.ChatCompletions", {"openai.resources.chat.completions", "aiohttp"}),
        ("streaming.providers.openai.Responses", {"openai.resources.responses", "aiohttp"}),
        ("streaming.providers.anthropic.Messages", {"anthropic.resources.messages", "aiohttp"}),
        ("streaming.providers.scripted.Scripted", set()),
        ("no.such.Backend", set()),
    ],
)
def test_server_that_starts_imports_the_default_providers_sdk_and_the_urls_and_the_app_does_not(
    backend: str, modules: set[str]
) -> None:
    done = subprocess.run([sys.executable, "-c", START, backend], capture_output=True, text=True, check=True)
    before, after = map(set, json.loads(done.stdout))
    assert not before.intersection(SDKS)
    assert modules <= after
    assert "streaming.views.chat" in after - before
    assert modules or not after.intersection(SDKS)
    assert ("could not be loaded" in done.stderr) == (backend == "no.such.Backend")
