"""Fixtures of the fault tests: sites, an oracle as their provider, and the record of a test."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.backing import Backing, redis, running
from tests.faults import rows, scale
from tests.faults.history import History
from tests.faults.oracle import Oracle, Order, said
from tests.faults.reader import Reader
from tests.faults.stages import SETTINGS, Scene, Stage, Workshop, connect, wait_for
from tests.live.client import Visit, Visitor, http_client
from tests.peers import Peer
from tests.servers import Site, environment, free_port, manage

# Sites may live longer than the oracle of a test. So they know one port, on which the oracle of each test listens.
PROVIDER_PORT = free_port()


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[Backing]:
    """A Redis that lives for the session."""
    yield from running(redis)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Backing) -> Backing:
    """The PostgreSQL of the session, with an empty, migrated database to copy, because migrating takes seconds."""
    wait_for(postgres_server)
    with connect(postgres_server.url) as connection:
        connection.execute("CREATE DATABASE migrated")
    env = {"DATABASE_URL": f"{postgres_server.url.rpartition('/')[0]}/migrated"}
    manage(environment(SETTINGS, Path("unused"), env), "migrate", "--verbosity", "0")
    return postgres_server


@pytest.fixture(scope="session")
def workshop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(request.getfixturevalue, tmp_path_factory.mktemp, f"http://127.0.0.1:{PROVIDER_PORT}")
    with made.running:
        yield made


@pytest.fixture
async def stage(request: pytest.FixtureRequest, workshop: Workshop) -> AsyncIterator[Stage]:
    """The stage that `played_on` names.

    It is a test's first fixture, so it checks the sites after all clients have left.
    """
    with ExitStack() as running:
        made = Stage(Scene.of(request.param), workshop, running)
        yield made
        await made.see_all_left_as_found()


@pytest.fixture
async def oracle() -> AsyncIterator[Oracle]:
    async with Oracle(PROVIDER_PORT) as running:
        yield running


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A provider that replies as the test says, in place of the oracle."""
    async with Peer(PROVIDER_PORT) as running:
        yield running


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Makes visitors of a site. They leave at the end of the test."""
    async with AsyncExitStack() as visitors:

        def arrive(site: Site, **headers: str) -> Visitor:
            visitor = Visitor(site, **headers)
            visitors.push_async_callback(visitor.leave)
            return visitor

        yield arrive


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return scale.chance(request.node.name)


@pytest.fixture
def trial(tmp_path: Path, oracle: Oracle) -> Trial:
    return Trial(tmp_path / "history.jsonl", oracle)


class Trial:
    """The clients of one test, and the final check."""

    def __init__(self, path: Path, oracle: Oracle) -> None:
        self.history = History(path)
        self._oracle = oracle
        self._cookies: dict[str, str] = {}
        self._signing_in = asyncio.Lock()
        self.orders: dict[str, Order] = {}

    async def sign_in(self, site: Site) -> str:
        """Returns the cookie of one visitor, which all processes of the site know."""
        url = site.env["DATABASE_URL"]
        async with self._signing_in:
            if url not in self._cookies:
                self._cookies[url] = await _cookie_of_a_visitor(site)
            return self._cookies[url]

    async def visitor(self, visit: Visit, site: Site) -> Visitor:
        """A person with a browser, signed in as the readers are."""
        visitor = visit(site)
        visitor.http.cookies.set(*(await self.sign_in(site)).split("=", 1))
        return visitor

    async def reader(
        self,
        site: Site,
        order: Order,
        *,
        via: str = "",
        of: Site | None = None,
        pause: float | None = 0.02,
        testifies: bool = True,
        kind: type[Reader] = Reader,
    ) -> Reader:
        """A client of the site, perhaps through a cable. `of` is the site where it signs in, if it is another one."""
        self.orders[order.key] = order
        history = self.history if testifies else None
        return kind(via or site.url, order, history, await self.sign_in(of or site), pause)

    def judge(self, site: Site, **rule: Any) -> int:
        """Records what the provider and the rows have, and checks all invariants."""
        for order in self.orders.values():
            self._call_witnesses(site, order, rule)
        return self.history.check()

    def judge_one(self, site: Site, order: Order, **rule: Any) -> None:
        """Does the same at once for one conversation, and closes its record."""
        self._call_witnesses(site, self.orders.pop(order.key), rule)
        self.history.check(order.key)

    def _call_witnesses(self, site: Site, order: Order, rule: dict[str, Any]) -> None:
        self.history.note("rule", order.key, **rule)
        for call in self._oracle.asked_for(order.key):
            self.history.note("provider", order.key, sent=said(call), whole=order.text)
        for stored in rows.answers(site, order.key):
            self.history.note("row", order.key, **stored._asdict())


async def _cookie_of_a_visitor(site: Site) -> str:
    order = Order(key=uuid.uuid4().hex, seed=0, events=1)
    async with http_client(site.url) as http:
        response = await http.post("/api/chat", json={"prompt": order.prompt, "id": order.key})
        assert response.status_code == 200, response.text
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in http.cookies.jar)
