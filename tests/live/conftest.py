"""Sites that live for the whole session, and the peer that they all use as a provider."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest

from streaming.testing import settle_all
from tests.live.client import Visit, Visitor
from tests.live.providers import providers
from tests.peers import Peer
from tests.servers import Site, free_port, serve

SERVERS = ("uvicorn", "daphne", "runserver")
# The servers live longer than the peers. So they know one port, on which the peer of each test listens.
PEER_PORT = free_port()


class StartSite(Protocol):
    def __call__(self, server: str, **settings: Any) -> Site: ...


@pytest.fixture(scope="session")
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """Returns the site on this server with these settings. Starts it at the first call.

    `database` is the database file of another site.
    """
    sites: dict[str, Site] = {}
    with ExitStack() as running:

        def start(server: str, *, database: str = "", **settings: Any) -> Site:
            name = json.dumps([server, database, settings], sort_keys=True)
            if name not in sites:
                env = {"LIVE_PEER_URL": f"http://127.0.0.1:{PEER_PORT}", "LIVE_SETTINGS": json.dumps(settings)}
                if database:
                    env["DATABASE_URL"] = f"sqlite:///{database}"
                directory = tmp_path_factory.mktemp(server)
                sites[name] = running.enter_context(serve(server, directory, settings="tests.live.settings", env=env))
            return sites[name]

        yield start
        for site in sites.values():
            site.send_signal(signal.SIGTERM)  # to all at once, because each takes a second to end


@pytest.fixture
def site(start_site: StartSite) -> Site:
    return start_site("uvicorn")


@pytest.fixture(params=SERVERS)
def every_site(request: pytest.FixtureRequest, start_site: StartSite) -> Site:
    """A site, on each server in turn."""
    return start_site(request.param)


@pytest.fixture
def visitor(visit: Visit, site: Site) -> Visitor:
    return visit(site)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A provider that replies as the test says. The aliases `peer-…` use it."""
    async with Peer(PEER_PORT) as running:
        yield running


@pytest.fixture
async def in_process(settings: Any, transactional_db: None) -> AsyncIterator[None]:
    """The engine in the test's own event loop, with the same aliases. The peers do not answer."""
    settings.STREAMING_PROVIDERS = providers("http://127.0.0.1:9")
    settings.STREAMING_PROVIDER_RETRIES = 0
    yield
    await settle_all()


@pytest.fixture(autouse=True)
def _model_loaded(request: pytest.FixtureRequest) -> None:
    """Waits for the real model, or skips, before the first answer of a test."""
    if request.node.get_closest_marker("local_model"):
        request.getfixturevalue("local_model")
