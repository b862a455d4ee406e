"""Sites, an oracle behind them, and the record of what happened."""

from __future__ import annotations

import asyncio
import json
import os
import random
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from tests.backing import Backing
from tests.faults import rows, scale
from tests.faults.history import History
from tests.faults.oracle import Oracle, Order, said
from tests.faults.reader import Reader
from tests.live.client import Visit, Visitor
from tests.peers import Peer
from tests.servers import Site, free_port, serve

SERVERS = ("uvicorn", "daphne")
# Sites may outlive the oracle of a test; they are told of one port that each test's takes in turn.
PROVIDER_PORT = free_port()
FIGURES = os.environ.get("FAULT_FIGURES", "")
SETTINGS = "tests.faults.settings"


class Start(Protocol):
    def __call__(
        self,
        server: str,
        *,
        database: str = ...,
        application: str = ...,
        env: Mapping[str, str] = ...,
        instead_of: Site | None = ...,
        **settings: Any,
    ) -> Site: ...


def _starting(tmp_path_factory: pytest.TempPathFactory, running: ExitStack) -> Start:
    def begin(
        server: str,
        *,
        database: str = "",
        application: str = "project.asgi:application",
        env: Mapping[str, str] | None = None,
        instead_of: Site | None = None,
        **settings: Any,
    ) -> Site:
        own = {"FAULT_PROVIDER": f"http://127.0.0.1:{PROVIDER_PORT}", "FAULT_SETTINGS": json.dumps(settings)}
        own |= ({"DATABASE_URL": database} if database else {}) | dict(env or {})
        directory: Path = tmp_path_factory.mktemp(server)
        serving = serve(server, directory, settings=SETTINGS, application=application, env=own, instead_of=instead_of)
        return running.enter_context(serving)

    return begin


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a site of the test's own; `database` is the URL of one that exists already."""
    with ExitStack() as running:
        yield _starting(tmp_path_factory, running)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a site that tests leave as they found it; asked for again, the same one."""
    sites: dict[str, Site] = {}
    with ExitStack() as running:
        begin = _starting(tmp_path_factory, running)

        def find(server: str, **settings: Any) -> Site:
            name = json.dumps([server, settings], sort_keys=True)
            if name not in sites:
                sites[name] = begin(server, **settings)
            return sites[name]

        yield find


@pytest.fixture(params=SERVERS)
def each_site(request: pytest.FixtureRequest, shared: Start) -> Site:
    """A site on each server in turn."""
    return shared(request.param)


@pytest.fixture
def pair(shared: Start) -> tuple[Site, Site]:
    """Two processes of one site."""
    first = shared("uvicorn")
    return first, shared("daphne", database=first.env["DATABASE_URL"])


@pytest.fixture
async def oracle() -> AsyncIterator[Oracle]:
    async with Oracle(PROVIDER_PORT) as running:
        yield running


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """In the oracle's place, a provider that does what the test tells it to."""
    async with Peer(PROVIDER_PORT) as running:
        yield running


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Make visitors of a site; they leave at the end of the test."""
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
def figure(request: pytest.FixtureRequest) -> Any:
    """`figure("F1", generations=60)`: what a run measured, one JSON line each, for `docs/reliability.md`."""

    def note(fault: str, **numbers: Any) -> None:
        print(f"{fault} {numbers}")
        if FIGURES:
            with Path(FIGURES).open("a") as file:
                file.write(json.dumps({"fault": fault, "test": request.node.nodeid, **numbers}) + "\n")

    return note


@pytest.fixture
def trial(tmp_path: Path, oracle: Oracle) -> Trial:
    return Trial(tmp_path / "history.jsonl", oracle)


class Trial:
    """The clients of one test, and in the end the judgement."""

    def __init__(self, path: Path, oracle: Oracle) -> None:
        self.history = History(path)
        self._oracle = oracle
        self._cookies: dict[str, str] = {}
        self._signing_in = asyncio.Lock()
        self.orders: dict[str, Order] = {}

    async def sign_in(self, site: Site) -> str:
        """The cookie of one visitor, known to all processes of the site."""
        url = site.env["DATABASE_URL"]
        async with self._signing_in:
            if url not in self._cookies:
                self._cookies[url] = await _cookie_of_a_visitor(site)
            return self._cookies[url]

    async def reader(
        self, site: Site, order: Order, *, via: str = "", pause: float | None = 0.02, testifies: bool = True
    ) -> Reader:
        """A client of the site, maybe through a cable."""
        self.orders[order.key] = order
        history = self.history if testifies else None
        return Reader(via or site.url, order, history, await self.sign_in(site), pause)

    def judge(self, site: Site, **rule: Any) -> int:
        """Call the provider's and the rows' witnesses, and hold everything to the invariants."""
        for order in self.orders.values():
            self._call_witnesses(site, order, rule)
        return self.history.check()

    def judge_one(self, site: Site, order: Order, **rule: Any) -> None:
        """The same at once for one conversation, whose record is closed with it."""
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
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as http:
        response = await http.post("/api/chat", json={"prompt": order.prompt, "id": order.key})
        assert response.status_code == 200, response.text
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in http.cookies.jar)


@pytest.fixture(scope="session")
def postgres_site(postgres_server: Backing, shared: Start) -> Site:
    """A site on PostgreSQL."""
    site = shared("uvicorn", database=postgres_server.url)
    site.manage("migrate", "--verbosity", "0")
    return site
