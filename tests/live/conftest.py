"""Sites that live for the whole session, started when first asked for, and the peer they all know."""

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
# The servers outlive the peers, so they are told of one port that each test's peer takes in turn.
PEER_PORT = free_port()


class StartSite(Protocol):
    def __call__(self, server: str, **settings: Any) -> Site: ...


@pytest.fixture(scope="session")
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartSite]:
    """The site on this server with these settings; asked for again, the same one. `database` names another's file."""
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
            site.send_signal(signal.SIGTERM)  # to all at once: each takes a second to end


@pytest.fixture
def site(start_site: StartSite) -> Site:
    return start_site("uvicorn")


@pytest.fixture(params=SERVERS)
def every_site(request: pytest.FixtureRequest, start_site: StartSite) -> Site:
    """The same site on each server in turn."""
    return start_site(request.param)


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Make visitors of a site; they leave at the end of the test."""
    visitors: list[Visitor] = []

    def arrive(site: Site, **headers: str) -> Visitor:
        visitors.append(Visitor(site, **headers))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        await visitor.leave()


@pytest.fixture
def visitor(visit: Visit, site: Site) -> Visitor:
    return visit(site)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A provider that does what the test tells it to; the `peer-…` aliases lead to it."""
    async with Peer(PEER_PORT) as running:
        yield running


@pytest.fixture
async def in_process(settings: Any, transactional_db: None) -> AsyncIterator[None]:
    """The engine in the test's own event loop, with the same aliases; nobody answers behind the peers'."""
    settings.STREAMING_PROVIDERS = providers("http://127.0.0.1:9")
    settings.STREAMING_PROVIDER_RETRIES = 0
    yield
    await settle_all()


@pytest.fixture(autouse=True)
def _model_loaded(request: pytest.FixtureRequest) -> None:
    """Tests of the real model wait for it here, or skip, instead of in their first answer."""
    if request.node.get_closest_marker("local_model"):
        request.getfixturevalue("local_model")
