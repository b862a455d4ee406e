"""Fixtures that start sites: one for a test that ends it, or one for all tests that leave it working."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.servers import Site, serve

SERVERS = ("daphne", "uvicorn", "granian")
# uvloop has other transports and signal handlers than asyncio.
LOOPS = ("uvicorn-uvloop", "granian-uvloop")


class Start(Protocol):
    def __call__(self, server: str, *, application: str = ..., database: str = ..., **settings: Any) -> Site: ...


def _starter(tmp_path_factory: pytest.TempPathFactory, running: ExitStack) -> Start:
    def begin(
        server: str, *, application: str = "project.asgi:application", database: str = "", **settings: Any
    ) -> Site:
        env = {"SERVING_SETTINGS": json.dumps(settings)} | ({"DATABASE_URL": database} if database else {})
        directory: Path = tmp_path_factory.mktemp(server)
        serving = serve(server, directory, settings="tests.serving.settings", application=application, env=env)
        return running.enter_context(serving)

    return begin


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a site on `server` with these settings. `database` is the URL of an existing database."""
    with ExitStack() as running:
        yield _starter(tmp_path_factory, running)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Returns the site on `server` with these settings, and starts it at the first call. No test may end it."""
    sites: dict[str, Site] = {}
    with ExitStack() as running:
        begin = _starter(tmp_path_factory, running)

        def find(server: str, **options: Any) -> Site:
            name = json.dumps([server, options], sort_keys=True)
            if name not in sites:
                sites[name] = begin(server, **options)
            return sites[name]

        yield find
